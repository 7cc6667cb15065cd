"""How Elasticsearch is reached, and what its failures mean: try again, give way, refuse one item, or stop with a sentence."""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
from elastic_transport import ApiResponseMeta, SerializationError, TlsError, TransportError
from elasticsearch import ApiError, AsyncElasticsearch, UnsupportedProductError
from elasticsearch.exceptions import HTTP_EXCEPTIONS
from elasticsearch.serializer import JsonSerializer, NdjsonSerializer
from msgspec import Meta, Struct

from entrepot.base.engine_limits import SEARCH_SECONDS_MAX
from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.limits import POOL_CONNECTIONS_MAX, SHARDS_MAX
from entrepot.base.redaction import redact

ROLE = "search"
SERIES_MIN = 8

_SCHEMES = {"elasticsearch": "http", "elasticsearchs": "https"}
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY = 401, 403, 404, 429
_GIVE_WAY = frozenset({_TOO_MANY, 502, 503, 504})
# A disk nearly full, or an operator, has made the index read-only: it comes back, and nothing is wrong with what we send.
_BLOCKED = "cluster_block_exception"


class FullError(EngineAwayError):
    """It answers, but has no room for more now: what was asked may be asked again, later and slower."""


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the query of the URL may say.

    ``ca``: the authority to trust; ``cert`` and ``key``: the client's own certificate; ``prefix``: how our indexes' names
    begin; ``shards`` and ``replicas`` of an index that is made, and the ``lifecycle`` policy it follows; ``connections`` and
    ``seconds`` at most.
    """

    ca: str = ""
    cert: str = ""
    key: str = ""
    prefix: Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9_-]{0,40}$")] = "entrepot-"
    shards: Annotated[int, Meta(ge=1, le=SHARDS_MAX)] = 1
    replicas: Annotated[int, Meta(ge=0, le=20)] | None = None
    lifecycle: Annotated[str, Meta(pattern="^[^_,\\s][^,\\s]{0,200}$")] | None = None
    connections: Annotated[int, Meta(ge=1, le=1_000)] = POOL_CONNECTIONS_MAX
    seconds: Annotated[float, Meta(gt=0, le=60)] = SEARCH_SECONDS_MAX


def options_of(url: str) -> Options:
    """Return the options in the query of a URL; one that is unknown, or out of its bounds, is refused by name."""
    try:
        return msgspec.convert(dict(parse_qsl(urlsplit(url).query)), Options, strict=False)
    except msgspec.ValidationError as error:
        known = ", ".join(Options.__struct_fields__)
        raise BadInputError(f"ENTREPOT_SEARCH_URL has an option that cannot be meant ({error}): it knows {known}.") from error


class _Msgspec:
    """Has the client write and read JSON by msgspec, which is many times quicker at it than Python's own."""

    def json_dumps(self, data: object) -> bytes:
        """Return a value as JSON."""
        return msgspec.json.encode(data)

    def json_loads(self, data: bytes) -> object:
        """Return what JSON says."""
        return msgspec.json.decode(data)


class _Json(_Msgspec, JsonSerializer):
    pass


class _JsonLines(_Msgspec, NdjsonSerializer):
    pass


def connect(url: str) -> AsyncElasticsearch:
    """Return a client that has not connected yet; a password without a user is an API key."""
    parts, options = urlsplit(url), options_of(url)
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise BadInputError(f"{redact(url)!r} is no Elasticsearch: give elasticsearch(s)://user:password@host:port.")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    files = {"ca_certs": options.ca, "client_cert": options.cert, "client_key": options.key}
    try:
        return AsyncElasticsearch(
            f"{_SCHEMES[parts.scheme]}://{parts.hostname}:{parts.port or 9200}{parts.path.rstrip('/')}",
            basic_auth=(user, password) if user else None,
            api_key=password if password and not user else None,
            connections_per_node=options.connections,
            request_timeout=options.seconds,
            max_retries=1,  # over another connection, when one turns out to be closed; what is slow is not asked twice
            retry_on_timeout=False,
            retry_on_status=(),
            serializers={one.mimetype: one for one in (_Json(), _JsonLines())},
            **{name: path for name, path in files.items() if path},  # type: ignore[arg-type]  # each takes a text
        )
    except (OSError, ssl.SSLError, ValueError) as error:
        raise BadInputError(f"ENTREPOT_SEARCH_URL names a certificate that cannot be used ({error}): mend its path.") from error


async def check(client: AsyncElasticsearch) -> str:
    """Return the server's version; another product, or one that is too old, is refused with a sentence."""
    with answering():
        version = str((await client.info())["version"]["number"])
    if int(version.partition(".")[0]) < SERIES_MIN:
        raise BadInputError(f"ENTREPOT_SEARCH_URL leads to Elasticsearch {version}: {SERIES_MIN} or newer is needed.")
    return version


@contextmanager
def answering() -> Iterator[None]:
    """Tell of the client's exceptions as what they mean to a caller; what is none of these is a bug, and propagates."""
    try:
        yield
    except TlsError as error:
        raise BadInputError(
            f"ENTREPOT_SEARCH_URL leads to a server whose certificate does not fit ({error.message}): name its authority by "
            f"?ca=/path, and the host as the certificate has it."
        ) from error
    except UnsupportedProductError as error:
        raise BadInputError(f"ENTREPOT_SEARCH_URL leads to another product than Elasticsearch ({error.message}).") from error
    except SerializationError as error:
        raise BadInputError(f"ENTREPOT_SEARCH_URL leads to a server that is no Elasticsearch ({error}).") from error
    except TransportError as error:
        raise EngineAwayError(ROLE, str(error)) from error
    except ApiError as error:
        told = meaning(error)
        if told is error:
            raise
        raise told from error


def answered(part: Mapping[str, Any], meta: ApiResponseMeta) -> Mapping[str, Any]:
    """Return one answer of several that came together; a refused one is raised as if it had come alone."""
    if "error" not in part:
        return part
    status = int(part["status"])
    told = HTTP_EXCEPTIONS.get(status, ApiError)
    raise told(str(part["error"].get("type")), replace(meta, status=status), part)


def meaning(error: ApiError) -> Exception:
    """Return what a server's refusal means: it is away, it refuses us, or the error itself, which is a bug."""
    status, kind = error.status_code, error.error
    if status in _GIVE_WAY:
        return FullError(ROLE, f"it answers {status} {reason(error.body) or kind}")
    if status == _FORBIDDEN and kind == _BLOCKED:
        return EngineAwayError(ROLE, f"it answers {status} {reason(error.body) or kind}")
    if status == _NOT_FOUND:  # a generation that its projector has not made yet, or has just dropped
        return EngineAwayError(ROLE, f"{reason(error.body) or kind}: the index is not there")
    if status in (_UNAUTHORIZED, _FORBIDDEN):
        return BadInputError(
            f"Elasticsearch refuses the user or key of ENTREPOT_SEARCH_URL ({reason(error.body) or kind}): mend it."
        )
    return error


def reason(body: object) -> str:
    """Return the server's own sentence in an answer of failure, with what caused it."""
    error = body.get("error", body) if isinstance(body, dict) else {}
    if not isinstance(error, dict):
        return str(error)
    cause = error.get("caused_by")
    told = [str(error.get("reason") or "")]
    if isinstance(cause, dict) and cause.get("reason"):
        told.append(str(cause["reason"]))
    return redact(": ".join(part for part in told if part))
