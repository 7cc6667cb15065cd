"""From where a request comes: the client's address as far as we can trust it, the network it lies in, and the program."""

import ipaddress
from functools import lru_cache

from litestar.types import HTTPScope

from entrepot.base.limits import CLIENTS_KNOWN_MAX
from entrepot.commerce.people.sessions import Place

# What a browser says of a request that another site's page made.
_FOREIGN_SITES = {b"cross-site", b"same-site"}

WHY, WHY_COOKIE = b"entrepot-why", "entrepot_why"

_KEPT = f"{WHY_COOKIE}=".encode()
_AGENT_CHARS_MAX = 200
# What is remembered is bounded by its size too: both are whatever the caller likes to send.
_AGENT_BYTES_READ, _ADDRESS_CHARS_READ = 1_000, 100
_NETWORKS = {4: 24, 6: 56}


def place_of(scope: HTTPScope, proxies: int) -> Place:
    """Return from where a request comes; each of so many proxies of our own has added what it saw to the right of a list."""
    return told_of(scope, proxies)[0]


def told_of(scope: HTTPScope, proxies: int) -> tuple[Place, str]:
    """Return from where a request comes and why its caller looks at what is others', by looking through its headers once."""
    address = scope["client"][0] if scope.get("client") else ""  # type: ignore[index]  # it was just found to be there
    agent = why = cookie = forwarded = b""
    for name, value in scope["headers"]:
        if name == b"user-agent":
            agent = agent or value
        elif name == WHY:
            why = why or value
        elif name == b"cookie":
            cookie = cookie or value
        elif name == b"x-forwarded-for":  # a proxy adds to the list that came, or a line beneath: both are one list
            forwarded = b"%b,%b" % (forwarded, value) if forwarded else value
    if forwarded and proxies:
        seen = forwarded.decode("latin-1").split(",")
        if len(seen) >= proxies:
            address = seen[-proxies].strip() or address
    place = _place(address[:_ADDRESS_CHARS_READ], agent[:_AGENT_BYTES_READ])
    return place, why.decode("latin-1") if why or not cookie else _kept_why(cookie)


@lru_cache(maxsize=CLIENTS_KNOWN_MAX)
def _place(said: str, agent: bytes) -> Place:
    """Read a place once for all that comes from there: each order's entry tells it."""
    address, program = plain_address(said), agent.decode("latin-1")
    if not program.isprintable():
        program = "".join(sign for sign in program if sign.isprintable())
    return Place(address=address[:45], network=network_of(address), agent=program[:_AGENT_CHARS_MAX])


@lru_cache(maxsize=CLIENTS_KNOWN_MAX)
def plain_address(said: str) -> str:
    """Return an address without its port or zone, and one of IPv4 as such: else each port would be a network of its own, and
    all of IPv4, as IPv6 writes it, a single one. What is no address is returned as it is.
    """
    text = said[1:].partition("]")[0] if said.startswith("[") else said
    if text.count(":") == 1:  # IPv6 has more
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return said
    return str((isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped) or found)


@lru_cache(maxsize=CLIENTS_KNOWN_MAX)
def network_of(address: str) -> str:
    """Return the network that one household or office shares; what is no address is a network of its own."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:45]
    return str(ipaddress.ip_network(f"{found}/{_NETWORKS[found.version]}", strict=False))


def from_foreign_page(scope: HTTPScope, ours: str) -> bool:
    """Say whether another site's page made a request: by what every browser of today says of itself (``Sec-Fetch-Site``), else,
    where it is too old or the page came without TLS, by its origin, which must be this host or ``ours``.
    """
    if said := header(scope, b"sec-fetch-site"):
        return said in _FOREIGN_SITES
    origin = header(scope, b"origin").lower()
    host = header(scope, b"host").lower()
    return bool(origin) and origin not in {ours.lower().encode(), b"http://" + host, b"https://" + host}


def why_of(scope: HTTPScope) -> str:
    """Return why somebody looks at what is others': as a program says it, or as the console has kept it."""
    return told_of(scope, 0)[1]


def _kept_why(cookie: bytes) -> str:
    parts = [part.strip() for part in cookie.split(b";")]
    return next((part[len(_KEPT) :].strip(b'"').decode("latin-1") for part in parts if part.startswith(_KEPT)), "")


def header(scope: HTTPScope, name: bytes) -> bytes:
    """Return a header's value; empty where there is none."""
    return next((value for key, value in scope["headers"] if key == name), b"")
