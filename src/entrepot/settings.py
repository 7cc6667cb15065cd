"""The settings: one frozen struct, read once from the environment; a bad value refuses the start with a sentence.

An engine without a URL in the environment is the embedded one, whose URL ``entrepot up`` has written to
``<home>/engines.json`` (a JSON object of role to URL).
"""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import MsgspecError, Struct, json, structs

from entrepot.base.engine_limits import BEHAVIOUR_DAYS, ENGINE_SECONDS_MAX
from entrepot.base.errors import BadInputError
from entrepot.base.limits import PROXIES_MAX, READS_OF_CALLER_MAX, SHARDS_MAX
from entrepot.base.regions import LIVES_IN
from entrepot.base.trust import trusting

ENGINES_FILE = "engines.json"

_PROVIDER = re.compile(r"ENTREPOT_OIDC_([A-Z][A-Z0-9_]{0,39})_URL")

_HOST = re.compile(r"(\*\.)?[a-z0-9.:-]+")

SCHEMES: Mapping[str, tuple[str, ...]] = {
    "record": ("postgresql",),
    "documents": ("postgresql", "mongodb", "mongodbs", "mongodb+srv"),
    "memory": ("redis", "rediss", "redis+cluster", "rediss+cluster", "redis+sentinel", "rediss+sentinel"),
    "graph": ("falkor", "falkors", "bolt", "bolt+s", "neo4j", "neo4j+s"),
    "columns": ("clickhouse", "clickhouses"),
    "objects": ("s3", "s3s"),
    "search": ("tantivy", "elasticsearch", "elasticsearchs"),
    "gateway": ("sandbox",),
}

# Those that no embedded engine plays, and that nothing needs.
OUTSIDE: Mapping[str, tuple[str, ...]] = {
    "stream": ("kafka", "kafkas"),
    "series": ("influxdb", "influxdbs", "clickhouse", "clickhouses"),
}

# Other users of the record than the application's own, and its replica.
RECORD_USERS = ("record_owner", "record_tenant", "record_replica")


class Engines(Struct, frozen=True):
    """The URL of each role; the scheme picks the product.

    ``record``    postgresql://user:password@host:port/database   (``record_owner`` migrates it, ``record_tenant`` is for what
                  sellers and companies ask; both are the same if they are not given; ``record_replica`` is a streaming
                  replica of it, for what may be some seconds old)
    ``documents`` postgresql://...                  (embedded: a database of its own on the same server)
                  mongodb://user:password@host:port/database    (``mongodbs`` for TLS, ``mongodb+srv`` by DNS)
    ``memory``    redis://[:password@]host:port           (``rediss`` for TLS)
                  redis+cluster://:password@host:port?also=host:port,host:port
                  redis+sentinel://:password@host:port?name=master  (``&auth=sentinels``: they ask for the password too)
    ``graph``     falkor://[:password@]host:port          (``falkors`` for TLS)
                  bolt://user:password@host:port[/database]    (Neo4j; ``bolt+s`` for TLS, ``neo4j`` for a cluster)
    ``columns``   clickhouse://user:password@host:port/database   (HTTP; ``clickhouses`` for HTTPS)
    ``objects``   s3://key:secret@host:port/bucket  (``s3s`` for HTTPS)
    ``search``    tantivy:///absolute/folder
                  elasticsearch://user:password@host:port   (``elasticsearchs`` for HTTPS; a password alone is an API key)
    ``gateway``   sandbox://key@host:port           (payments; the embedded one moves no money)
    ``stream``    kafka://user:password@host:port   (for ``entrepot relay``; ``kafkas`` for TLS; none is embedded)
    ``series``    influxdb://user:password@host:port/database   (``influxdbs`` for HTTPS), or clickhouse://...; none is embedded
    """

    record: str = ""
    documents: str = ""
    memory: str = ""
    graph: str = ""
    columns: str = ""
    objects: str = ""
    search: str = ""
    gateway: str = ""
    stream: str = ""
    series: str = ""
    record_owner: str = ""
    record_tenant: str = ""
    record_replica: str = ""

    @property
    def owner(self) -> str:
        """Who migrates the record and makes its partitions: a user of its own, or the application's."""
        return self.record_owner or self.record


class Settings(Struct, frozen=True):
    """Everything that differs between two installations. ``market`` is the one whose prices the store shows at first.

    ``region``: where this cell is; it holds only people whose rows may lie there (none: everybody).
    ``webhooks_private``: subscribers may listen on addresses of private networks, this machine's own among them.
    ``webhooks_to``: the only hosts that webhooks go to, such as ``hooks.example.com`` or ``*.example.com`` (none: any).
    ``pooler``: the host:port of a PgBouncer before the record, for what is served; who listens or migrates goes past it.
    ``demo``: the console offers what only a demo may do, such as holding a flash sale.
    ``origin``: the address that people have open, such as https://shop.example, where it is not this host and port;
    ``storefronts``: the addresses of pages elsewhere that may speak to the API from a browser, without our cookies.
    ``proxies``: how many of our own stand before us, whose word of a client's address is taken.
    ``mail``: smtp(s)://..., else files in ``<home>/mail``. ``providers``: other providers of identities, by name.
    ``scanner``: clamd://host:port, which is asked about each file that is sent.
    ``reads``: how often one caller may read in a minute (0: as often as they like). ``second_factor``: staff act as such only
    where they have proved themselves by one.
    ``engine_seconds``: what a request waits for an engine in all, before it is answered without it.
    ``behaviour_days``: how long it is kept what shoppers looked at.
    ``projectors_read``: where projectors read the log: in the ``record``, or by the ``stream`` that it is relayed to.
    ``keys``: who keeps the key-encryption key (``partners/keys``); if nobody is named, a file of the home, made at first start.
    """

    home: Path
    engines: Engines
    cell: int = 1
    host: str = "127.0.0.1"
    port: int = 8700
    shards: int = 1
    data: Path | None = None
    workers: int = 1
    market: str = ""
    region: str = ""
    keys: str = ""
    webhooks_private: bool = False
    webhooks_to: tuple[str, ...] = ()
    demo: bool = False
    pooler: str = ""
    origin: str = ""
    storefronts: tuple[str, ...] = ()
    proxies: int = 0
    mail: str = ""
    mail_from: str = "shop@localhost.localdomain"
    scanner: str = ""
    providers: Mapping[str, str] = {}
    engine_seconds: float = ENGINE_SECONDS_MAX
    reads: int = READS_OF_CALLER_MAX
    second_factor: bool = False
    projectors_read: str = "record"
    behaviour_days: int = BEHAVIOUR_DAYS

    @property
    def pulse_folder(self) -> Path:
        """Where points wait for the series engine."""
        return self.home / "pulse"

    @property
    def behaviour_folder(self) -> Path:
        """Where events of shoppers wait for the columns engine."""
        return self.home / "behaviour"

    @property
    def site(self) -> str:
        """The address that people have open; links in letters lead there, and passkeys are good there."""
        name = "localhost" if self.host in {"127.0.0.1", "0.0.0.0"} else self.host  # noqa: S104  # nothing is bound here
        return self.origin or f"http://{name}:{self.port}"


def load(environ: Mapping[str, str]) -> Settings:
    """Read the settings from the environment and from what ``entrepot up`` has remembered.

    ``ENTREPOT_HOME`` (default ``.entrepot``), ``ENTREPOT_<ROLE>_URL``, ``ENTREPOT_<ROLE>_CA``, ``ENTREPOT_RECORD_OWNER_URL``,
    ``ENTREPOT_RECORD_TENANT_URL``, ``ENTREPOT_RECORD_REPLICA_URL``, ``ENTREPOT_RECORD_POOLER``, ``ENTREPOT_CELL``,
    ``ENTREPOT_HOST``, ``ENTREPOT_REGION``, ``ENTREPOT_PORT``, ``ENTREPOT_SHARDS``, ``ENTREPOT_DATA``, ``ENTREPOT_WORKERS``,
    ``ENTREPOT_MARKET``, ``ENTREPOT_ENGINE_MILLIS``, ``ENTREPOT_WEBHOOKS_PRIVATE``, ``ENTREPOT_WEBHOOKS_TO``,
    ``ENTREPOT_DEMO``, ``ENTREPOT_KEYS_URL``, ``ENTREPOT_SCANNER_URL``, ``ENTREPOT_ORIGIN``, ``ENTREPOT_STOREFRONTS``,
    ``ENTREPOT_PROXIES``, ``ENTREPOT_MAIL_URL``, ``ENTREPOT_MAIL_FROM``, ``ENTREPOT_OIDC_<NAME>_URL``,
    ``ENTREPOT_READS_PER_MINUTE``, ``ENTREPOT_STAFF_SECOND_FACTOR``, ``ENTREPOT_PROJECTORS_READ``,
    ``ENTREPOT_BEHAVIOUR_DAYS``.
    """
    home = Path(environ.get("ENTREPOT_HOME", ".entrepot")).absolute()
    if home.exists() and not home.is_dir():
        raise BadInputError(f"ENTREPOT_HOME is {home}, which is no folder: name one, which need not be there yet.")
    known = remembered(home)
    engines = {role: _engine(role, environ) or known.get(role, "") for role in SCHEMES}
    engines |= {role: _engine(role, environ) for role in OUTSIDE}
    engines |= {user: _record_user(user, environ, known) for user in RECORD_USERS}
    data = environ.get("ENTREPOT_DATA")
    return Settings(
        home=home,
        engines=Engines(**engines),
        cell=_whole(environ, "ENTREPOT_CELL", 1, 1, 32_767),
        host=environ.get("ENTREPOT_HOST", "127.0.0.1"),
        port=_whole(environ, "ENTREPOT_PORT", 8700, 1, 65_535),
        shards=_whole(environ, "ENTREPOT_SHARDS", 1, 1, SHARDS_MAX),
        data=Path(data) if data else None,
        workers=_whole(environ, "ENTREPOT_WORKERS", 1, 1, 64),
        market=environ.get("ENTREPOT_MARKET", ""),
        region=_region(environ.get("ENTREPOT_REGION", "")),
        keys=environ.get("ENTREPOT_KEYS_URL", ""),
        webhooks_private=bool(_whole(environ, "ENTREPOT_WEBHOOKS_PRIVATE", 0, 0, 1)),
        webhooks_to=_hosts(environ.get("ENTREPOT_WEBHOOKS_TO", "")),
        demo=bool(_whole(environ, "ENTREPOT_DEMO", 0, 0, 1)),
        pooler=_pooler(environ.get("ENTREPOT_RECORD_POOLER", "")),
        origin=_origin("ENTREPOT_ORIGIN", environ.get("ENTREPOT_ORIGIN", "")),
        storefronts=_storefronts(environ.get("ENTREPOT_STOREFRONTS", "")),
        proxies=_whole(environ, "ENTREPOT_PROXIES", 0, 0, PROXIES_MAX),
        mail=environ.get("ENTREPOT_MAIL_URL", ""),
        mail_from=environ.get("ENTREPOT_MAIL_FROM", "shop@localhost.localdomain"),
        scanner=environ.get("ENTREPOT_SCANNER_URL", ""),
        providers={found[1].lower(): url for name, url in environ.items() if (found := _PROVIDER.fullmatch(name)) and url},
        engine_seconds=_whole(environ, "ENTREPOT_ENGINE_MILLIS", int(ENGINE_SECONDS_MAX * 1000), 100, 60_000) / 1000,
        reads=_whole(environ, "ENTREPOT_READS_PER_MINUTE", READS_OF_CALLER_MAX, 0, 1_000_000_000),
        second_factor=bool(_whole(environ, "ENTREPOT_STAFF_SECOND_FACTOR", 0, 0, 1)),
        projectors_read=_projectors_read(environ.get("ENTREPOT_PROJECTORS_READ", "record"), engines["stream"]),
        behaviour_days=_whole(environ, "ENTREPOT_BEHAVIOUR_DAYS", BEHAVIOUR_DAYS, 1, 3_650),
    )


def _engine(role: str, environ: Mapping[str, str]) -> str:
    """Return the URL that the environment gives a role, with whom it trusts; empty where it gives none."""
    url = environ.get(f"ENTREPOT_{role.upper()}_URL", "")
    if not url:
        return ""
    _check_url(role, url)
    return trusting(role, url, environ.get(f"ENTREPOT_{role.upper()}_CA", ""))


def _record_user(user: str, environ: Mapping[str, str], remembered: Mapping[str, str]) -> str:
    url = environ.get(f"ENTREPOT_{user.upper()}_URL", "")
    if url:
        _check_url("record", url)
        return trusting("record", url, environ.get("ENTREPOT_RECORD_CA", ""))
    return "" if environ.get("ENTREPOT_RECORD_URL") else remembered.get(user, "")


def _hosts(text: str) -> tuple[str, ...]:
    hosts = tuple(one.strip().lower() for one in text.split(",") if one.strip())
    if bad := [one for one in hosts if not _HOST.fullmatch(one)]:
        raise BadInputError(
            f"ENTREPOT_WEBHOOKS_TO has {bad[0]!r}: give hosts with commas between, such as hooks.example.com,*.example.org."
        )
    return hosts


def _pooler(text: str) -> str:
    host, _, port = text.rpartition(":")
    if text and not (host and port.isdecimal()):
        raise BadInputError(f"ENTREPOT_RECORD_POOLER is {text!r}: give the host:port of a PgBouncer that pools by transaction.")
    return text


def given_roles(environ: Mapping[str, str]) -> frozenset[str]:
    """Return the roles whose URL the environment gives: these engines are not ours to start."""
    return frozenset(role for role in SCHEMES if environ.get(f"ENTREPOT_{role.upper()}_URL"))


def require(settings: Settings, *roles: str) -> None:
    """Refuse to go on when an engine that is needed has no URL, and say what starts it."""
    for role in roles:
        if not getattr(settings.engines, role):
            raise BadInputError(
                f"No {role} engine is known: run 'entrepot up', or set ENTREPOT_{role.upper()}_URL to one of yours.",
                role=role,
            )


def with_engines(settings: Settings, engines: Mapping[str, str]) -> Settings:
    """Return the settings with these engine URLs in place of what was there."""
    return structs.replace(settings, engines=structs.replace(settings.engines, **dict(engines)))


def remembered(home: Path) -> dict[str, str]:
    """Return where a home's embedded engines are, as `entrepot up` has noted it."""
    try:
        text = (home / ENGINES_FILE).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise BadInputError(
            f"{home / ENGINES_FILE} cannot be read ({error.strerror}): set ENTREPOT_HOME to your own folder."
        ) from error
    try:
        return json.decode(text, type=dict[str, str])
    except MsgspecError as error:
        raise BadInputError(f"{home / ENGINES_FILE} is damaged ({error}): run 'entrepot up' to write it anew.") from error


def _origin(name: str, text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = not text or (
            parts.scheme in {"http", "https"} and parts.hostname and not parts.path.strip("/") and not parts.query
        )
    except ValueError:
        usable = False
    if not usable:
        raise BadInputError(f"{name} is {text!r}: give the address that people have open, such as https://shop.example.")
    return text.rstrip("/")


def _storefronts(text: str) -> tuple[str, ...]:
    return tuple(_origin("ENTREPOT_STOREFRONTS", one.strip()) for one in text.split(",") if one.strip())


def _projectors_read(text: str, stream: str) -> str:
    if text not in {"record", "stream"}:
        raise BadInputError(f"ENTREPOT_PROJECTORS_READ is {text!r}: projectors read the 'record' or the 'stream'.")
    if text == "stream" and not stream:
        raise BadInputError(
            "ENTREPOT_PROJECTORS_READ is 'stream', and ENTREPOT_STREAM_URL names none: give a Kafka that is relayed to."
        )
    return text


def _region(text: str) -> str:
    if text and text not in LIVES_IN:
        raise BadInputError(f"ENTREPOT_REGION is {text!r}: give the region of this cell, one of {', '.join(LIVES_IN)}.")
    return text


def _check_url(role: str, url: str) -> None:
    schemes = SCHEMES.get(role) or OUTSIDE[role]
    try:
        scheme, _ = urlsplit(url).scheme, urlsplit(url).port
    except ValueError as error:
        raise BadInputError(f"ENTREPOT_{role.upper()}_URL is no URL ({error}): give {schemes[0]}://... .") from error
    if scheme not in schemes:
        known = ", ".join(schemes)
        raise BadInputError(f"ENTREPOT_{role.upper()}_URL has the scheme {scheme!r}: the {role} engine knows {known}.")


def _whole(environ: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = environ.get(name, str(default))
    if not text.isdecimal() or len(text) > len(str(high)) or not low <= int(text) <= high:
        raise BadInputError(f"{name} is {text!r}: give a whole number from {low} to {high}.")
    return int(text)
