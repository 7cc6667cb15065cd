"""What is left of the house while an engine is away: said once, for engine room, ``entrepot status``, docs and tests.

Owns the sentences and, beside each, the requests that prove it: ``tests/faults/test_degraded.py`` makes every engine away in
every way named here and asks them. How long a request waits, and when it stops to, is ``base/breaker.py``.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

WAYS: Mapping[str, str] = {
    "killed": "its process has ended",
    "frozen": "it takes connections and answers nothing (SIGSTOP, a full queue, a network that swallows)",
    "refusing": "nothing listens at its address",
    "slow": "each answer takes longer than a request may wait",
    "busy": "it answers 429 or 503, or has no connection left",
    "full": "its disk or memory is full: it reads, and takes no writes",
    "read-only": "it has become a replica, or somebody has stopped its writes",
}
AWAY = ("killed", "frozen", "refusing", "slow")


class Without(Struct, frozen=True, kw_only=True):
    """What people see while a role's engine is away in these ways, and what is asked to prove it.

    ``product``: of that product alone; the others are the embedded engine's.

    ``answered`` are requests that are answered as ever or leave something out, ``refused`` those that are told 503
    ``engine-away`` with ``Retry-After``. A path that stands alone is a GET of the API, ``page`` before it one of the console.
    """

    role: str
    ways: tuple[str, ...]
    product: str = ""
    shopper: str
    seller: str
    operator: str
    answered: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


_PRODUCT, _FRESH, _SEARCH, _ORDER = "/v1/products/{product}", "/v1/products/{fresh}", "/v1/search?q=mug", "POST /v1/orders"
_ORDERS = "/v1/orders?limit=1"
_COLLECT, _FUNNEL = "POST /v1/collect", "/v1/behaviour/funnel"
_CART, _STOCK, _SALES = "/v1/carts/{cart}", "/v1/stock/{sku}", "/v1/sales"
_TOGETHER, _PAGE, _ROOM = "/v1/products/{product}/bought-together", "page /products/{product}", "page /engine-room"
_WAITS = "The projection waits and says why; the log keeps what it has not read."

_NOTHING = "Nothing is missing."
SERIES = "The pulse cannot be drawn; what it would show waits in a spool on disk."

LACKS: Sequence[Without] = (
    Without(
        role="record",
        ways=AWAY,
        shopper="Nothing can be ordered. Product pages and search still come, by the API.",
        seller="Nothing can be read that is kept there, nor changed; who signed in within the last minute stays so.",
        operator="The engine room shows what was seen last. Projections stand still, and go on by themselves.",
        answered=(_PRODUCT, _FRESH, _SEARCH, _ROOM),
        refused=(_ORDER, _ORDERS),
    ),
    Without(
        role="record",
        ways=("read-only",),
        shopper="Nothing can be ordered. What is not audited can be read.",
        seller="Nothing can be changed; orders and people cannot be read, for it could not be noted who saw them.",
        operator="Projections stand still, and go on by themselves.",
        answered=(_PRODUCT, _FRESH, _SEARCH, _STOCK),
        refused=(_ORDER, _ORDERS),
    ),
    Without(
        role="documents",
        ways=(*AWAY, "busy"),
        shopper="Product pages read in the last half minute still come, others cannot be shown. Search and orders go on.",
        seller="Texts and prices can be changed, and are seen when the engine is back.",
        operator=_WAITS,
        answered=(_PRODUCT, _SEARCH, _ORDER, _STOCK, _ROOM),
        refused=(_FRESH,),
    ),
    Without(
        role="documents",
        ways=("full", "read-only"),
        shopper="Product pages show texts and prices from before.",
        seller="Texts and prices can be changed, and are seen when the engine takes writes again.",
        operator=_WAITS,
        answered=(_PRODUCT, _FRESH, _SEARCH, _ORDER, _ROOM),
    ),
    Without(
        role="search",
        ways=("refusing",),
        shopper="Nothing can be found by words. The first page, product pages, carts and orders go on.",
        seller="Changes are found when the engine is back.",
        operator=_WAITS,
        answered=(_PRODUCT, _CART, _STOCK, _ORDER, "page /", _PAGE, "page /suggest?q=mu", _ROOM),
        refused=(_SEARCH, "page /search?q=mug"),
    ),
    Without(
        role="columns",
        ways=(*AWAY, "busy"),
        shopper="The first page leaves out what sells best.",
        seller="Sales and what shoppers do cannot be shown; no figure is lost.",
        operator=f"{_WAITS} What shoppers do waits in a spool on disk.",
        answered=(_PRODUCT, _SEARCH, _CART, _ORDER, _COLLECT, "page /", _ROOM),
        refused=(_SALES, _FUNNEL),
    ),
    Without(
        role="columns",
        ways=("full", "read-only"),
        shopper="Nothing is missing.",
        seller="Sales leave out what was sold since then, and what shoppers did since then is not counted yet.",
        operator=f"{_WAITS} What shoppers do waits in a spool on disk.",
        answered=(_PRODUCT, _SEARCH, _ORDER, _SALES, _COLLECT, _FUNNEL, _ROOM),
    ),
    Without(
        role="graph",
        ways=AWAY,
        shopper="Product pages leave out what is bought together.",
        seller="Nothing is missing.",
        operator=_WAITS,
        answered=(_PRODUCT, _SEARCH, _CART, _ORDER, _PAGE, _ROOM),
        refused=(_TOGETHER,),
    ),
    Without(
        role="graph",
        ways=("full", "read-only"),
        shopper="What is bought together is a little old.",
        seller="Nothing is missing.",
        operator=_WAITS,
        answered=(_PRODUCT, _ORDER, _PAGE, _TOGETHER, _ROOM),
    ),
    Without(
        role="memory",
        ways=AWAY,
        shopper="Carts cannot be read or changed, and pages do not show stock; orders are still decided on the true stock.",
        seller="Stock cannot be looked up; it can be received and counted. Who has signed in stays so: the record is asked.",
        operator=_WAITS,
        answered=(_PRODUCT, _SEARCH, _ORDER, _SALES, _PAGE, _ROOM),
        refused=(_CART, _STOCK),
    ),
    Without(
        role="memory",
        ways=("full", "read-only"),
        shopper="Carts can be read and not changed; the stock shown is old, and orders are still decided on the true stock.",
        seller="The stock shown is old.",
        operator=_WAITS,
        answered=(_PRODUCT, _SEARCH, _ORDER, _CART, _STOCK, _ROOM),
        refused=("POST /v1/carts/{cart}/lines",),
    ),
)


_BY_WORDS = LACKS[[one.role for one in LACKS].index("search")]
_PAGES = next(one for one in LACKS if one.role == "documents" and "frozen" in one.ways)
_GRAPH = next(one for one in LACKS if one.role == "graph" and "frozen" in one.ways)

# The same of the products that play a role by URL; tests make the real servers away (MongoDB: FerretDB).
ELSEWHERE: Sequence[Without] = (
    structs.replace(_BY_WORDS, product="Elasticsearch", ways=(*AWAY, "busy")),
    Without(
        role="search",
        product="Elasticsearch",
        ways=("read-only",),
        shopper="What is new or was changed is not found yet, or as it was.",
        seller="Changes are found when the engine takes writes again.",
        operator=_WAITS,
        answered=(_PRODUCT, _SEARCH, _CART, _ORDER, "page /", _ROOM),
    ),
    structs.replace(_PAGES, product="MongoDB", ways=AWAY),
    structs.replace(_GRAPH, product="Neo4j", ways=AWAY),
    Without(
        role="series",
        product="InfluxDB",
        ways=AWAY,
        shopper=_NOTHING,
        seller=_NOTHING,
        operator=f"{SERIES} None of it is lost.",
        answered=(_PRODUCT, _SEARCH, _CART, _ORDER, _PAGE, _ROOM, "page /engine-room/engine/series"),
        refused=("page /engine-room/pulse",),
    ),
    Without(
        role="stream",
        product="Kafka",
        ways=("killed", "frozen"),
        shopper=_NOTHING,
        seller=_NOTHING,
        operator="The relay waits, and who reads by the stream with it; the log keeps what was not relayed.",
        answered=(_PRODUCT, _SEARCH, _ORDER, _ROOM, "page /engine-room/engine/stream"),
    ),
)

# What the table leaves out.
UNTOLD: Sequence[str] = (
    "**record** that is full or has no connection left is told as one that is away; no test fills it.",
    "**objects**: the log is not archived, and files of sellers neither come nor go; whole files take longer than a second.",
    "**series** in a ClickHouse: its row is the columns'. `/readyz` does not ask for series: whoever balances load goes on.",
    "**stream** behind a gate (refusing, slow): a broker names its own address, and is asked there.",
    "**search** in this process (tantivy) has no server to be killed, frozen or slow: its folder is taken away instead.",
    "**busy**: Redis, FalkorDB, MongoDB and Neo4j have no such answer.",
    "**Elasticsearch** makes its indexes read-only when its disk is full: that is the row of read-only.",
    "**MongoDB** and **Neo4j** that are full or read-only: no test makes their stand-in, or their one server, so.",
    "A process **starts** only when each engine can be reached; from then on it goes on without them.",
)


def of(role: str) -> Without | None:
    """Return what it means that a role's engine does not answer at all."""
    return next((one for one in LACKS if one.role == role), None)


def meaning(role: str) -> str:
    """Say for an operator what it means that a role's engine does not answer; nothing of a role that nobody notices."""
    found = of(role)
    return f"{found.shopper} {found.seller}" if found else ""
