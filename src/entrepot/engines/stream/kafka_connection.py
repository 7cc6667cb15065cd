"""How a Kafka is reached by a URL, and what its failures mean to a caller."""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from urllib.parse import parse_qsl, unquote, urlsplit

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # its documentation imports it so
from msgspec import Struct

from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.event import Position
from entrepot.base.limits import CONNECT_SECONDS_MAX, STREAM_PARTITIONS
from entrepot.base.stream import StreamTakenError

ROLE = "stream"

_OPTIONS = frozenset({"ca", "cert", "key", "brokers", "mechanism", "partitions", "replication", "prefix"})

_TAKEN = frozenset({KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError.PRODUCER_FENCED})  # noqa: SLF001  # public, for all its underscore
# A partition that was just made, or whose broker has just gone, is told of by these until all know who leads it.
_LED_SOON = frozenset(
    (
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.OFFSET_NOT_AVAILABLE,
    )
)
_LOOK_SECONDS = 0.02
_REFUSED = {
    KafkaError._AUTHENTICATION: "refuses this user and password",  # noqa: SLF001  # as above
    KafkaError.SASL_AUTHENTICATION_FAILED: "refuses this user and password",
    KafkaError._SSL: "has a certificate that does not fit, or speaks without TLS",  # noqa: SLF001  # as above
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "does not let this user write to the topics",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "does not let this user make topics",
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "does not let this user write in transactions",
    KafkaError.MSG_SIZE_TOO_LARGE: "takes only smaller messages (max.message.bytes of the topic)",
    KafkaError.INVALID_REPLICATION_FACTOR: "has fewer brokers than copies were asked for (replication)",
    KafkaError.UNSUPPORTED_VERSION: "is too old for transactions",
    KafkaError.INVALID_TIMESTAMP: "takes no message of this machine's time (have a time server set both clocks)",
}


class Address(Struct, frozen=True):
    """Where the brokers are, in the client's own words, and how topics are made there; replication -1 is the broker's own."""

    where: str
    config: Mapping[str, str | int | bool]
    partitions: int
    replication: int
    prefix: str


class Place(Struct, frozen=True):
    """A message of the relay's positions: how far it came, and where each topic's partitions then ended (none: written before
    that was noted).
    """

    txid: int
    seq: int
    ends: Mapping[str, Sequence[int]] = {}

    @property
    def position(self) -> Position:
        """The position alone."""
        return Position(self.txid, self.seq)


def address(url: str) -> Address:
    """Read a URL: ``kafka://user:password@host:port``, ``kafkas://`` for TLS; its query has the options."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    if unknown := sorted(options.keys() - _OPTIONS):
        raise BadInputError(f"ENTREPOT_STREAM_URL has the option {unknown[0]!r}: it knows {', '.join(sorted(_OPTIONS))}.")
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    first = f"{host}:{parts.port or 9092}"
    secure = parts.scheme == "kafkas"
    config: dict[str, str | int | bool] = {
        "bootstrap.servers": ",".join([first, *filter(None, [options.get("brokers")])]),
        "security.protocol": ("SASL_" if parts.username else "") + ("SSL" if secure else "PLAINTEXT"),
        "log_level": 0,  # what it would print is told by errors
    }
    if parts.username:
        config |= {"sasl.mechanism": options.get("mechanism", "SCRAM-SHA-512")}
        config |= {"sasl.username": unquote(parts.username), "sasl.password": unquote(parts.password or "")}
    for option, name in {"ca": "ssl.ca.location", "cert": "ssl.certificate.location", "key": "ssl.key.location"}.items():
        if option in options:
            config[name] = options[option]
    return Address(
        where=first,
        config=config,
        partitions=_whole(options, "partitions", STREAM_PARTITIONS),
        replication=_whole(options, "replication", -1),
        prefix=options.get("prefix", "entrepot"),
    )


def _whole(options: Mapping[str, str], name: str, default: int) -> int:
    text = options.get(name)
    if text is None:
        return default
    if not text.isdecimal() or not 1 <= int(text) <= 10_000:  # noqa: PLR2004  # said in the sentence
        raise BadInputError(f"ENTREPOT_STREAM_URL says {name}={text}: give a whole number from 1 to 10000.")
    return int(text)


def partitions_of_topics(admin: AdminClient, noted: list[KafkaError]) -> dict[str, int]:
    """Return the topics that there are, each with its number of partitions; what refuses us is not waited out."""
    for left in reversed(range(int(CONNECT_SECONDS_MAX))):
        try:
            found = admin.list_topics(timeout=1.0)
        except KafkaException:
            admin.poll(0)  # the reason, a wrong password say, is told apart
            if not left or any(error.code() in _REFUSED for error in noted):
                raise
        else:
            return {name: len(topic.partitions) for name, topic in found.topics.items()}
    raise AssertionError("a try was the last")


def until_edges(
    admin: AdminClient, topics: Collection[str], partitions: Mapping[str, int], *, last: bool
) -> dict[tuple[str, int], int]:
    """Return the first offset of every partition of these topics, or behind the last, that of open transactions included.

    It waits until each partition has a broker that leads it: one that was just made soon has.
    """
    which = OffsetSpec.latest() if last else OffsetSpec.earliest()  # type: ignore[no-untyped-call]  # the client leaves it so
    asked = {TopicPartition(topic, partition): which for topic in topics for partition in range(partitions[topic])}
    found: dict[tuple[str, int], int] = {}
    until = time.monotonic() + CONNECT_SECONDS_MAX
    while asked:
        for place, future in admin.list_offsets(asked, request_timeout=CONNECT_SECONDS_MAX).items():
            try:
                found[place.topic, place.partition] = future.result().offset
            except KafkaException as error:
                if error.args[0].code() not in _LED_SOON or time.monotonic() > until:
                    raise
        asked = {place: which for place in asked if (place.topic, place.partition) not in found}
        if asked:
            time.sleep(_LOOK_SECONDS)
    return found


@contextmanager
def telling(where: str, noted: list[KafkaError]) -> Iterator[None]:
    """Tell of the client's errors as what to do about them; ``noted``: what it said beside, where the reason often stands."""
    try:
        yield
    except KafkaException as error:
        found: KafkaError = error.args[0]
        codes = {found.code(), *(one.code() for one in noted)}
        if found.code() in _TAKEN:
            raise StreamTakenError(found.str()) from error
        for code, why in _REFUSED.items():
            if code in codes:
                raise BadInputError(f"The stream engine at {where} {why}: mend it, or ENTREPOT_STREAM_URL.") from error
        raise EngineAwayError(ROLE, found.str()) from error
