"""What we promise, each figure once: a bench shows the target beside what it measured, met or missed."""

from collections.abc import Mapping
from typing import Final

# orders: ratios to the floor of the same run (one order per call, 32 clients of pgbench)
ORDERS_IN_PROCESS_SPREAD: Final = 2.0
ORDERS_IN_PROCESS_HOT: Final = 10.0
ORDERS_HTTP_SPREAD: Final = 0.6
ORDERS_HTTP_HOT: Final = 2.0

# checkout over HTTP, the whole way of a guest, 32 shoppers, load generator included
CHECKOUT_PER_SECOND: Final = 200.0
CHECKOUT_CPU_MILLIS: Final = 8.0
CHECKOUT_P99_MILLIS: Final = 500.0

# flash sale: so many buyers for so many pieces, all at once; and the hot path on one article beside one call per order
FLASH_SECONDS: Final = 2.0
FLASH_HOT_RATIO: Final = 5.0

# reads over HTTP, load generator included
PAGE_PER_SECOND: Final = 3_000.0
PAGE_P99_MILLIS: Final = 25.0
LIST_PER_SECOND: Final = 1_000.0
SEARCH_P50_MILLIS: Final = 10.0
SEARCH_P99_MILLIS: Final = 60.0

# what shoppers do, in batches of 100 over HTTP, load generator included
COLLECTED_PER_SECOND: Final = 20_000.0

# audit: what an order may cost more, and how long a million entries may take to prove
AUDIT_ORDERS_LOST: Final = 0.10
AUDIT_VERIFY_SECONDS: Final = 60.0

# security: what row-level security and the audit may cost the hot path together, and what a request may pay at the door
SECURITY_ORDERS_LOST: Final = 0.10
SESSION_CHECK_MILLIS: Final = 0.3
SIGN_IN_CPU_MILLIS: Final = 250.0

# sealing: one field read, and what a guest's order may cost more
SEALED_READ_MICROS: Final = 50.0
SEALED_ORDER_MILLIS: Final = 0.2

# a frozen engine: what it may add to the p99 of requests that do not need it, and within what those that do are answered
FROZEN_ADDED_MILLIS: Final = 50.0
FROZEN_ANSWERED_MILLIS: Final = 1_000.0

# privacy: a person of 1,000 orders
EXPORT_SECONDS: Final = 10.0
ERASURE_SECONDS: Final = 30.0

# projections
CATCH_UP_PER_SECOND: Final = 3_000.0
LAG_P99_MILLIS: Final = 1_000.0
REBUILD_SECONDS: Final = 90.0

# reads need a catalogue worth reading
READS_PRODUCTS_MIN: Final = 1_000

# a move under load: what comes a second meanwhile, and the least share of that which must be answered in time to keep up
MOVE_ORDERS_PER_SECOND: Final = 300.0
MOVE_SEARCHES_PER_SECOND: Final = 200.0
MOVE_KEPT_UP: Final = 0.95

# search quality, means over the rated queries
SEARCH_QUALITY: Final[Mapping[str, float]] = {"nDCG@10": 0.77, "nDCG'@10": 0.80, "MRR@10": 0.83, "recall@100": 0.90}

# engines: by product and figure, the least (events a second) or the most (milliseconds)
ENGINES_LEAST: Final[Mapping[tuple[str, str], float]] = {
    ("Elasticsearch", "catching up"): 3_000.0,
    ("Neo4j", "catching up"): 1_000.0,
    ("Kafka", "catching up"): 20_000.0,
    ("InfluxDB", "catching up"): 100_000.0,
}
ENGINES_MOST: Final[Mapping[tuple[str, str], float]] = {
    ("Elasticsearch", "question p50"): 15.0,
    ("Elasticsearch", "question p99"): 50.0,
    ("Neo4j", "question p50"): 10.0,
    ("Neo4j", "question p99"): 60.0,
    ("Kafka", "question p99"): 250.0,
}


def met_by_engine(product: str, figure: str, value: float) -> tuple[float | None, bool | None]:
    """Return what is promised of a product's figure, and whether this value keeps it; None where nothing is."""
    least, most = ENGINES_LEAST.get((product, figure)), ENGINES_MOST.get((product, figure))
    if least is not None:
        return least, value >= least
    return most, value < most if most is not None else None
