"""Series in InfluxDB 1, 2 or 3: line protocol to ``/write``, InfluxQL from ``/query``. Knows no business word.

These two calls are what all three have in common (2 and 3 by their compatibility with 1). Times are nanoseconds, always: every
other precision is silently read as another by one version or other. A point is its name, tags and time, so a batch may be sent
again. A bad line drops itself in 1 and its whole batch in 2: lines are checked before, and a batch that is refused is halved
until what cannot be kept stands alone. Failures also come with status 200, in ``results[].error``.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote, urlsplit

import aiohttp
import msgspec

from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.limits import CONNECT_SECONDS_MAX, POOL_CONNECTIONS_MAX
from entrepot.base.time import OURS, Clock, check_date
from entrepot.base.trust import context
from entrepot.engines.series.port import (
    ANSWER_SECONDS_MAX,
    KINDS_KNOWN_MAX,
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

_KEPT, _BAD, _UNFIT, _LARGE = 204, 400, 422, 413
_REFUSED = frozenset({401, 403})
_NOT_FOUND = 404
_OLD = "retention policy"  # so both 1.x tell of what is too old to keep; the rest of the batch was kept
_DURATIONS: dict[str, str] = {"raw": f"{RAW_HOURS}h", "minutes": f"{MINUTES_DAYS}d"}
# As line protocol has it, and the sign that leaves room for a number.
_ESCAPED = str.maketrans({",": "\\,", " ": "\\ ", "=": "\\=", "%": "%%"})


class InfluxdbSeries:
    """``SeriesStore`` on ``influxdb://user:password@host:port/database``, ``influxdbs`` for TLS; 2 and 3 take a token there."""

    options: ClassVar[frozenset[str]] = frozenset({"ca", "cert", "key"})

    def __init__(self, url: str, clock: Clock = OURS) -> None:
        self._clock = clock
        parts = urlsplit(url)
        if unknown := sorted(dict(parse_qsl(parts.query)).keys() - self.options):
            raise BadInputError(f"ENTREPOT_SERIES_URL has the option {unknown[0]!r}: {parts.scheme} knows ca, cert and key.")
        self._secure = parts.scheme == "influxdbs"
        self._base = f"{'https' if self._secure else 'http'}://{parts.hostname}:{parts.port or 8086}"
        self._database = unquote(parts.path.strip("/")) or "entrepot"
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        self._headers = {"Authorization": aiohttp.encode_basic_auth(user, password, encoding="utf-8")} if user else {}
        self._url = url
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Connect; make the database and its two retention policies, unless they are there."""
        await self.close()
        try:
            trusted = context(self._url) if self._secure else True
        except OSError as error:
            raise BadInputError(f"ENTREPOT_SERIES_URL names a certificate that cannot be read ({error}): mend ?ca=.") from error
        self._session = aiohttp.ClientSession(
            headers=self._headers,
            connector=aiohttp.TCPConnector(limit=POOL_CONNECTIONS_MAX, ssl=trusted),
            timeout=aiohttp.ClientTimeout(ANSWER_SECONDS_MAX, sock_connect=CONNECT_SECONDS_MAX),
        )
        await self._check_clock()
        there = _firsts(await self._query("SHOW DATABASES"))
        if self._database not in there:
            await self._query(f"CREATE DATABASE {_quoted(self._database)}")
        policies = _firsts(await self._query(f"SHOW RETENTION POLICIES ON {_quoted(self._database)}"))
        for tier, duration in _DURATIONS.items():
            if tier not in policies:
                where = f"{_quoted(tier)} ON {_quoted(self._database)}"
                await self._query(f"CREATE RETENTION POLICY {where} DURATION {duration} REPLICATION 1")

    async def close(self) -> None:
        """Give every connection back."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def write(self, points: Sequence[Point], tier: Tier = "raw") -> Sequence[PointRefusal]:
        """Keep these points, some thousands in each request."""
        fit, refused = sound(points)
        for start in range(0, len(fit), POINTS_AT_ONCE):
            refused += await self._send(fit[start : start + POINTS_AT_ONCE], tier)
        return refused

    async def spans(self, asked: Asked) -> list[Span]:
        """Return what a field was, by step and by tags."""
        field = _quoted(asked.field)
        tags = "".join(f", {_quoted(tag)}" for tag in asked.by)
        series = await self._query(
            f"SELECT count({field}), sum({field}), min({field}), max({field}) "  # noqa: S608  # InfluxQL, each name quoted
            f"FROM {_quoted(self._database)}.{_quoted(asked.tier)}.{_quoted(asked.name)} "
            f"WHERE time >= {asked.since_ns} AND time < {asked.until_ns} GROUP BY time({asked.step_ns}ns){tags} fill(none)"
        )
        found = [
            Span(at, each.get("tags", {}), int(count), added, least, most)
            for each in series
            for at, count, added, least, most in each["values"]
        ]
        return sorted(found, key=lambda span: (span.at_ns, sorted(span.tags.items())))

    async def points(self, name: str, since_ns: int, until_ns: int, tier: Tier = "raw") -> list[Point]:
        """Return every point of a name; a tag or a field that one of them lacks comes empty, and is left out."""
        series = await self._query(
            f"SELECT * FROM {_quoted(self._database)}.{_quoted(tier)}.{_quoted(name)} "  # noqa: S608  # as above
            f"WHERE time >= {since_ns} AND time < {until_ns} GROUP BY *"
        )
        found = []
        for each in series:
            tags = {tag: text for tag, text in each.get("tags", {}).items() if text}
            names = each["columns"][1:]
            for at, *numbers in each["values"]:
                fields = {field: float(n) for field, n in zip(names, numbers, strict=True) if n is not None}
                found.append(Point(name, tags, fields, at))
        return found

    async def _send(self, points: Sequence[Point], tier: Tier) -> list[PointRefusal]:
        status, told = await self._ask(
            "/write",
            {"db": self._database, "rp": tier, "precision": "ns"},
            lines(points),
        )
        if status == _KEPT or (status in (_BAD, _UNFIT) and _OLD in told):
            return []
        if status in (_BAD, _UNFIT, _LARGE):
            if len(points) == 1:
                return [PointRefusal(points[0], f"InfluxDB cannot keep it ({told}): mend it at its source.")]
            half = len(points) // 2
            return [*await self._send(points[:half], tier), *await self._send(points[half:], tier)]
        raise self._failure(status, told)

    async def _check_clock(self) -> None:
        """Refuse a server whose clock is far from ours: ahead of it, it would drop what is new as too old to keep."""
        with _answering():
            async with self._connected.get(f"{self._base}/ping") as answer:
                said = answer.headers.get("Date", "")
        check_date(ROLE, said, self._clock)

    async def _query(self, text: str) -> list[dict[str, Any]]:
        status, told = await self._ask("/query", {"db": self._database, "epoch": "ns"}, aiohttp.FormData({"q": text}))
        if status != 200:  # noqa: PLR2004  # the word for it is its number
            raise self._failure(status, told)
        try:
            (result,) = msgspec.json.decode(told)["results"]
        except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
            raise BadInputError(
                f"ENTREPOT_SERIES_URL leads to a server that is no InfluxDB ({self._base}): mend it."
            ) from error
        if "error" in result:
            raise BadInputError(
                f"InfluxDB refuses {text!r} ({result['error']}): in version 2 or 3 make the buckets {self._database}/raw and "
                f"{self._database}/minutes yourself."
            )
        return list(result.get("series", []))

    async def _ask(self, path: str, query: dict[str, str], body: bytes | aiohttp.FormData) -> tuple[int, str]:
        with _answering():
            async with self._connected.post(f"{self._base}{path}", params=query, data=body) as answer:
                return answer.status, await answer.text()

    def _failure(self, status: int, told: str) -> Exception:
        if status in _REFUSED:
            return BadInputError(f"InfluxDB refuses the user of ENTREPOT_SERIES_URL ({status}): mend its user or password.")
        if status == _NOT_FOUND:
            return BadInputError(f"InfluxDB has no database {self._database!r} with our policies ({told}): make it.")
        return EngineAwayError(ROLE, f"it answers {status} {told[:200]}")

    @property
    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("The series store was used before open() or after close().")
        return self._session


def lines(points: Sequence[Point]) -> bytes:
    """Return points as line protocol. All numbers of a batch are written at once: one by one they are most of the work."""
    kinds = [_kind(point.name, tuple(point.tags.items()), tuple(point.fields)) for point in points]
    numbers: list[float] = []
    for point in points:
        numbers += point.fields.values()
        numbers.append(point.at_ns)
    return b"\n".join(kinds) % tuple(msgspec.json.encode(numbers)[1:-1].split(b","))


@lru_cache(KINDS_KNOWN_MAX)
def _kind(name: str, tags: tuple[tuple[str, str], ...], fields: tuple[str, ...]) -> bytes:
    """Return a line without its numbers; names need no escape, tags may."""
    told = "".join(f",{tag}={text.translate(_ESCAPED)}" for tag, text in tags)
    return f"{name}{told} {','.join(f'{field}=%b' for field in fields)} %b".encode()


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except aiohttp.ClientConnectorCertificateError as error:
        raise BadInputError(
            f"ENTREPOT_SERIES_URL leads to a server whose certificate does not fit ({error.certificate_error}): name its "
            "authority by ?ca=/path, and the host as the certificate has it."
        ) from error
    except (OSError, TimeoutError, aiohttp.ClientError) as error:
        raise EngineAwayError(ROLE, str(error) or type(error).__name__) from error


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _firsts(series: Sequence[dict[str, Any]]) -> set[str]:
    return {row[0] for each in series for row in each.get("values", [])}
