"""Series in ClickHouse: what an installation has that keeps no InfluxDB. Knows no business word.

A row per field of a point; ``ReplacingMergeTree`` keeps the last of the same name, tags, field and time, and a question takes
only that one (``FINAL``), so a batch may be sent again. Age ends rows by ``TTL``, a tier at a time.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit, urlunsplit

from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.exceptions import DatabaseError

from entrepot.base.errors import BadInputError
from entrepot.engines.clickhouse_connection import answering, connect
from entrepot.engines.series.port import (
    MINUTES_DAYS,
    POINTS_AT_ONCE,
    RAW_HOURS,
    Asked,
    Point,
    PointRefusal,
    Span,
    Tier,
    sound,
)

ROLE = "series"

_COLUMNS = ("name", "field", "tags", "at", "value")
_TYPES = ("LowCardinality(String)", "LowCardinality(String)", "Array(Tuple(String, String))", "Int64", "Float64")
_TABLES = {"raw": f"INTERVAL {RAW_HOURS} HOUR", "minutes": f"INTERVAL {MINUTES_DAYS} DAY"}
_SHAPE = """
CREATE TABLE IF NOT EXISTS {table} (
    name LowCardinality(String), field LowCardinality(String), tags Array(Tuple(String, String)), at Int64, value Float64
) ENGINE = ReplacingMergeTree ORDER BY (name, field, tags, at)
TTL toDateTime(intDiv(at, 1000000000)) + {kept}
"""
_SPANS = """
SELECT intDiv(at, {step:Int64}) * {step:Int64} AS step_at,
       arrayMap(tag -> arrayFirst(pair -> pair.1 = tag, tags).2, {by:Array(String)}) AS values,
       count(), sum(value), min(value), max(value)
FROM {table} FINAL
WHERE name = {name:String} AND field = {field:String} AND at >= {since:Int64} AND at < {until:Int64}
GROUP BY step_at, values ORDER BY step_at, values
"""
_POINTS = """
SELECT tags, at, groupArray(field) AS fields, groupArray(value) AS numbers
FROM {table} FINAL
WHERE name = {name:String} AND at >= {since:Int64} AND at < {until:Int64}
GROUP BY tags, at ORDER BY at, tags
"""


class ClickHouseSeries:
    """``SeriesStore`` on ``clickhouse://user:password@host:port/database``, ``clickhouses`` for HTTPS."""

    def __init__(self, url: str) -> None:
        self._url = urlunsplit(urlsplit(url))
        self._client: AsyncClient | None = None

    async def open(self) -> None:
        """Connect, and make a table for each tier, unless they are there."""
        await self.close()
        try:
            self._client = await connect(self._url, ROLE)
        except DatabaseError as error:
            raise BadInputError(
                f"ClickHouse refuses ENTREPOT_SERIES_URL ({error}): mend its user, password or database."
            ) from error
        for tier, kept in _TABLES.items():
            with answering(ROLE):
                await self._connected.command(_SHAPE.replace("{table}", _table(tier)).replace("{kept}", kept))

    async def close(self) -> None:
        """Give every connection back."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def write(self, points: Sequence[Point], tier: Tier = "raw") -> Sequence[PointRefusal]:
        """Keep these points; ClickHouse itself drops what is too old with the next merge."""
        fit, refused = sound(points)
        for start in range(0, len(fit), POINTS_AT_ONCE):
            part = fit[start : start + POINTS_AT_ONCE]
            rows = [
                (point.name, field, sorted(point.tags.items()), point.at_ns, float(value))
                for point in part
                for field, value in point.fields.items()
            ]
            with answering(ROLE):
                await self._connected.insert(
                    _table(tier),
                    list(zip(*rows, strict=True)),
                    column_names=list(_COLUMNS),
                    column_type_names=list(_TYPES),
                    column_oriented=True,
                )
        return refused

    async def spans(self, asked: Asked) -> list[Span]:
        """Return what a field was, by step and by tags."""
        parameters = {
            "name": asked.name,
            "field": asked.field,
            "since": asked.since_ns,
            "until": asked.until_ns,
            "step": asked.step_ns,
            "by": list(asked.by),
        }
        with answering(ROLE):
            found = await self._connected.query(_SPANS.replace("{table}", _table(asked.tier)), parameters=parameters)
        spans = [
            Span(at, dict(zip(asked.by, values, strict=True)), count, added, least, most)
            for at, values, count, added, least, most in found.result_rows
        ]
        return sorted(spans, key=lambda span: (span.at_ns, sorted(span.tags.items())))

    async def points(self, name: str, since_ns: int, until_ns: int, tier: Tier = "raw") -> list[Point]:
        """Return every point of a name, its fields put together again."""
        parameters = {"name": name, "since": since_ns, "until": until_ns}
        with answering(ROLE):
            found = await self._connected.query(_POINTS.replace("{table}", _table(tier)), parameters=parameters)
        return [
            Point(name, dict(tags), dict(zip(fields, numbers, strict=True)), at)
            for tags, at, fields, numbers in found.result_rows
        ]

    @property
    def _connected(self) -> AsyncClient:
        if self._client is None:
            raise RuntimeError("The series store was used before open() or after close().")
        return self._client


def _table(tier: str) -> str:
    return f"series_{tier}"
