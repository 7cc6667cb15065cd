"""How a Neo4j is reached by a URL, and what its failures mean to a caller."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, unquote, urlsplit

from msgspec import Struct
from neo4j.exceptions import AuthError, ConfigurationError, DriverError, TransientError

from entrepot.base.errors import BadInputError, EngineAwayError

ROLE = "graph"

_OPTIONS = frozenset({"ca", "cert", "key"})


class Address(Struct, frozen=True):
    """Where a server is and who we are there; ``trust`` is set when the connection is encrypted."""

    uri: str
    user: str
    password: str
    database: str | None
    trust: ssl.SSLContext | None


def address(url: str) -> Address:
    """Read a URL; what its driver would take in another sense is refused."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    if unknown := sorted(options.keys() - _OPTIONS):
        raise BadInputError(
            f"ENTREPOT_GRAPH_URL has the option {unknown[0]!r}: {parts.scheme} knows {', '.join(sorted(_OPTIONS))}."
        )
    scheme, _, secure = parts.scheme.partition("+")
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return Address(
        uri=f"{scheme}://{host}:{parts.port or 7687}",
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=parts.path.strip("/") or None,
        trust=_trust(options) if secure else None,
    )


def _trust(options: dict[str, str]) -> ssl.SSLContext:
    """Check certificates and names, always; the driver's own ``+s`` would take the system's authorities only."""
    try:
        context = ssl.create_default_context(cafile=options.get("ca"))
        if "cert" in options:
            context.load_cert_chain(options["cert"], options.get("key"))
    except OSError as error:
        raise BadInputError(
            f"A certificate that ENTREPOT_GRAPH_URL names cannot be read ({error}): give the paths of PEM files."
        ) from error
    return context


@contextmanager
def telling(uri: str) -> Iterator[None]:
    """Tell of the client's errors as what to do about them: try again, or stop and mend the settings."""
    try:
        yield
    except AuthError as error:
        raise BadInputError(f"The graph engine at {uri} refuses this user and password: mend ENTREPOT_GRAPH_URL.") from error
    except ConfigurationError as error:
        raise BadInputError(f"What answers at {uri} is no Neo4j that we know ({error}): mend ENTREPOT_GRAPH_URL.") from error
    except (DriverError, TransientError, OSError) as error:
        if cause := _unfit(error):
            raise BadInputError(
                f"The certificate of {uri} does not fit ({cause.verify_message}): name its authority by ?ca=, "
                "and the server as its certificate does."
            ) from error
        raise EngineAwayError(ROLE, str(error) or type(error).__name__) from error


def _unfit(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__
    return error
