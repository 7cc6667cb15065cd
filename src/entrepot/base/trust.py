"""Whose certificates are trusted: from an engine's URL to what its driver understands. They are always checked, names too.

An authority of one's own is ``?ca=/path/to/ca.pem`` in the URL, or ``ENTREPOT_<ROLE>_CA``; without it, those of the system.
A certificate to show, where the server asks for one, is ``?cert=/path/to/cert.pem&key=/path/to/key.pem``.
"""

import ssl
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from entrepot.base.errors import BadInputError

# What PostgreSQL's drivers call a connection that may be encrypted without anybody having looked at the certificate.
_UNCHECKED = frozenset({"allow", "prefer", "require", "verify-ca"})


# The schemes of connections by TLS, beside PostgreSQL's, whose is the same either way.
ENCRYPTED = frozenset(
    {
        *("rediss", "rediss+cluster", "rediss+sentinel", "falkors", "mongodbs", "mongodb+srv", "clickhouses", "s3s"),
        *("elasticsearchs", "bolt+s", "neo4j+s", "influxdbs", "kafkas"),
    }
)
_AS_REDIS = frozenset({"rediss", "rediss+cluster", "rediss+sentinel", "falkors"})


def trusting(role: str, url: str, ca: str = "") -> str:
    """Return the URL as its driver takes it: with the authority it trusts, and every certificate checked."""
    parts = urlsplit(url)
    given = dict(parse_qsl(parts.query))
    query = dict(given)
    ca = query.pop("ca", "") or ca
    if ca and parts.scheme not in ENCRYPTED | {"postgresql"}:
        raise BadInputError(
            f"ENTREPOT_{role.upper()}_URL names an authority (ca), and {parts.scheme}:// is not encrypted: use one that is."
        )
    if parts.scheme == "postgresql":
        mode = query.get("sslmode", "")
        if mode in _UNCHECKED:
            raise BadInputError(
                f"ENTREPOT_{role.upper()}_URL says sslmode={mode}, which takes another server for yours: say verify-full, and "
                f"?ca=/path where the certificate is your own authority's."
            )
        query = _renamed(query, cert="sslcert", key="sslkey")
        if ca:
            query |= {"sslmode": "verify-full", "sslrootcert": ca}
    elif parts.scheme in _AS_REDIS:
        query = _renamed(query, cert="ssl_certfile", key="ssl_keyfile")
        query |= {"ssl_cert_reqs": "required", "ssl_check_hostname": "true", **({"ssl_ca_certs": ca} if ca else {})}
    elif ca:
        query["ca"] = ca
    # As it was given where nothing is added: put together again, a URL without a host, tantivy's, would lose its slashes.
    return url if query == given else urlunsplit(parts._replace(query=urlencode(query, safe="/:")))


def authority(url: str) -> str | None:
    """Return the authority that a URL names for drivers that are told apart from the URL; None: the system's."""
    return dict(parse_qsl(urlsplit(url).query)).get("ca")


def certificate(url: str) -> tuple[str, str | None] | None:
    """Return the certificate that a URL says to show, and its key if that is in a file of its own."""
    options = dict(parse_qsl(urlsplit(url).query))
    return (options["cert"], options.get("key")) if "cert" in options else None


def context(url: str) -> ssl.SSLContext:
    """Return what a connection by TLS takes from a URL; ``OSError`` where a file cannot be read."""
    made = ssl.create_default_context(cafile=authority(url))
    if shown := certificate(url):
        made.load_cert_chain(*shown)
    return made


def _renamed(query: dict[str, str], **names: str) -> dict[str, str]:
    return {names.get(name, name): value for name, value in query.items()}
