"""What stands behind a role: which product, in which version, where, how it is reached, and what it does its own way. Pure."""

from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct

from entrepot.base.trust import ENCRYPTED
from entrepot.engines.products import product

# Options of a URL that say how many servers stand behind it, and how what is kept is spread over them.
_SPREAD = (
    "also",
    "brokers",
    "replicaSet",
    "readPreference",
    "shard",
    "shards",
    "replicas",
    "cluster",
    "partitions",
    "replication",
)
_OF_SCHEME = {"cluster": "a cluster", "sentinel": "under Sentinel", "neo4j": "routed to a cluster", "srv": "found by DNS"}


class Standing(Struct, frozen=True, kw_only=True):
    """One engine as the engine room tells of it; ``version`` is empty where it did not say: ``why`` says why, if it is away."""

    product: str
    address: str
    tls: bool
    topology: str
    once: str
    differs: tuple[str, ...]
    version: str = ""
    why: str = ""


def standing(role: str, url: str, version: str = "", why: str = "") -> Standing:
    """Return what a URL and its product say of themselves; never a user, a password or a path of this machine."""
    one, parts = product(role, url), urlsplit(url)
    options = dict(parse_qsl(parts.query))
    return Standing(
        product=one.name,
        address=f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or "in this process",
        tls=encrypted(url),
        topology=_topology(parts.scheme, options),
        once=one.once,
        differs=one.differs,
        version=version,
        why=why,
    )


def encrypted(url: str) -> bool:
    """Return whether a URL is of a connection by TLS; a mode that does not look at the certificate is refused long before."""
    parts = urlsplit(url)
    if parts.scheme == "postgresql":
        return dict(parse_qsl(parts.query)).get("sslmode") == "verify-full"
    return parts.scheme in ENCRYPTED


def _topology(scheme: str, options: dict[str, str]) -> str:
    known = [_OF_SCHEME[part] for part in scheme.split("+") if part in _OF_SCHEME]
    known += [f"{name} {options[name]}" for name in _SPREAD if name in options]
    return ", ".join(known) or "one server"
