"""Whose certificates are trusted: from an engine's URL to what its driver understands. They are always checked, names too.

An authority of one's own is ``?ca=/path/to/ca.pem`` in the URL, or ``ENTREPOT_<ROLE>_CA``; without it, those of the system.
"""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from entrepot.base.errors import BadInputError

# What PostgreSQL's drivers call a connection that may be encrypted without anybody having looked at the certificate.
_UNCHECKED = frozenset({"allow", "prefer", "require", "verify-ca"})


def trusting(role: str, url: str, ca: str = "") -> str:
    """Return the URL as its driver takes it: with the authority it trusts, and every certificate checked."""
    parts = urlsplit(url)
    given = dict(parse_qsl(parts.query))
    query = dict(given)
    ca = query.pop("ca", "") or ca
    if parts.scheme == "postgresql":
        mode = query.get("sslmode", "")
        if mode in _UNCHECKED:
            raise BadInputError(
                f"ENTREPOT_{role.upper()}_URL says sslmode={mode}, which takes another server for yours: say verify-full, and "
                f"?ca=/path where the certificate is your own authority's."
            )
        if ca:
            query |= {"sslmode": "verify-full", "sslrootcert": ca}
    elif parts.scheme in {"rediss", "rediss+cluster", "rediss+sentinel", "falkors"}:
        query |= {"ssl_cert_reqs": "required", "ssl_check_hostname": "true", **({"ssl_ca_certs": ca} if ca else {})}
    elif ca and parts.scheme in {
        "clickhouses",
        "s3s",
        "elasticsearchs",
        "bolt+s",
        "neo4j+s",
        "kafkas",
        "mongodbs",
        "mongodb+srv",
    }:
        query["ca"] = ca
    elif ca:
        raise BadInputError(
            f"ENTREPOT_{role.upper()}_URL names an authority (ca), and {parts.scheme}:// is not encrypted: use one that is."
        )
    # As it was given where nothing is added: put together again, a URL without a host, tantivy's, would lose its slashes.
    return url if query == given else urlunsplit(parts._replace(query=urlencode(query, safe="/:")))


def authority(url: str) -> str | None:
    """Return the authority that a URL names for drivers that are told apart from the URL; None: the system's."""
    return dict(parse_qsl(urlsplit(url).query)).get("ca")
