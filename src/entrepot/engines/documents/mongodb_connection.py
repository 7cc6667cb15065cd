"""How a MongoDB is reached by a URL, and what its failures mean to a caller."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
from msgspec import Meta, Struct
from pymongo import AsyncMongoClient
from pymongo.errors import ConfigurationError, ConnectionFailure, OperationFailure, PyMongoError

from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.limits import BATCH_EVENTS_MAX, CONNECT_SECONDS_MAX, POOL_CONNECTIONS_MAX, STATEMENT_SECONDS_MAX
from entrepot.base.redaction import redact

ROLE = "documents"

# Unauthorized, AuthenticationFailed, and Atlas's own "bad auth".
_REFUSED = frozenset({13, 18, 8000})
# What passes: a primary that steps down or is chosen, a server that ends, time-outs, no memory, no disk, too busy.
_PASSING = frozenset({6, 7, 50, 64, 89, 91, 134, 146, 189, 202, 262, 317, 462, 9001, 10107, 11600, 11602, 13435, 13436, 14031})


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the query of the URL may say, in MongoDB's own words where it has some.

    ``ca``: the authority to trust; ``cert``: a PEM file with our own certificate and its key; ``also``: other members of a
    replica set, ``host:port`` by commas; ``readPreference``: who answers readers of the store (writers always ask the primary);
    ``batch``: how many documents one request replaces; ``shard``: a sharded cluster spreads each collection by a hash of the
    id, or by its range. The last two are what providers' URLs carry and what we do anyway.
    """

    ca: str = ""
    cert: str = ""
    also: str = ""
    auth_source: str = msgspec.field(name="authSource", default="admin")
    replica_set: str = msgspec.field(name="replicaSet", default="")
    read_preference: Literal["primary", "primaryPreferred", "secondary", "secondaryPreferred", "nearest"] = msgspec.field(
        name="readPreference", default="primary"
    )
    batch: Annotated[int, Meta(ge=1, le=BATCH_EVENTS_MAX)] = 500
    shard: Literal["hashed", "ranged", ""] = ""
    connections: Annotated[int, Meta(ge=1, le=1_000)] = POOL_CONNECTIONS_MAX
    app: str = msgspec.field(name="appName", default="entrepot.documents")
    retry_writes: Literal["true", "false"] = msgspec.field(name="retryWrites", default="true")
    w: Literal["majority"] = "majority"


def options_of(url: str) -> Options:
    """Return the options in the query of a URL; one that is unknown, or out of its bounds, is refused by name."""
    try:
        return msgspec.convert(dict(parse_qsl(urlsplit(url).query)), Options, strict=False)
    except msgspec.ValidationError as error:
        known = ", ".join(field.encode_name for field in msgspec.structs.fields(Options))
        raise BadInputError(
            f"ENTREPOT_DOCUMENTS_URL has an option that cannot be meant ({error}): it knows {known}."
        ) from error


def database_of(url: str) -> str:
    """Return the database that a URL names."""
    return unquote(urlsplit(url).path.strip("/")) or "entrepot"


def connect(url: str) -> AsyncMongoClient[dict[str, object]]:
    """Return a client that has not connected yet."""
    parts, options = urlsplit(url), options_of(url)
    if not parts.hostname:
        raise BadInputError(f"{redact(url)!r} is no MongoDB: give mongodb(s)://user:password@host:port/database.")
    scheme = "mongodb+srv" if parts.scheme == "mongodb+srv" else "mongodb"
    hosts = ",".join([parts.netloc.rpartition("@")[2], *(options.also.split(",") if options.also else [])])
    given: dict[str, Any] = {"tlsCAFile": options.ca, "tlsCertificateKeyFile": options.cert, "replicaSet": options.replica_set}
    if parts.username:
        login = {"username": unquote(parts.username), "password": unquote(parts.password or "")}
        given |= login | {"authSource": options.auth_source}
    for step in ("connect", "serverSelection", "waitQueue"):
        given[f"{step}TimeoutMS"] = CONNECT_SECONDS_MAX * 1000
    try:
        return AsyncMongoClient(
            f"{scheme}://{hosts}/",
            tls=parts.scheme != "mongodb",
            appname=options.app,
            maxPoolSize=options.connections,
            retryWrites=options.retry_writes == "true",
            w="majority",
            socketTimeoutMS=STATEMENT_SECONDS_MAX * 1000,
            **{name: value for name, value in given.items() if value},
        )
    except (ConfigurationError, OSError, ValueError) as error:
        raise BadInputError(f"ENTREPOT_DOCUMENTS_URL cannot be used ({error}): mend it.") from error


@asynccontextmanager
async def telling() -> AsyncIterator[None]:
    """Bound the waiting, also for a frozen server, and tell of failures as what they mean to a caller."""
    try:
        async with asyncio.timeout(STATEMENT_SECONDS_MAX):
            yield
    except ConfigurationError as error:  # a server that is too old for the client, too
        raise BadInputError(f"ENTREPOT_DOCUMENTS_URL leads to no MongoDB that we know ({error}): mend it.") from error
    except (ConnectionFailure, OSError) as error:
        if "certificate verify failed" in str(error):
            raise BadInputError(
                "ENTREPOT_DOCUMENTS_URL leads to a server whose certificate does not fit: name its authority by ?ca=/path, "
                "and the host as the certificate has it."
            ) from error
        raise EngineAwayError(ROLE, redact(str(error)) or type(error).__name__) from error
    except OperationFailure as error:
        if error.code in _REFUSED:
            raise BadInputError(
                f"MongoDB refuses who ENTREPOT_DOCUMENTS_URL names (code {error.code}): mend its user, password or authSource."
            ) from error
        if passing(error):
            raise EngineAwayError(ROLE, f"it answers {error.code}: {error}") from error
        raise
    except PyMongoError as error:
        if error.timeout:
            raise EngineAwayError(ROLE, str(error)) from error
        raise


def passing(error: OperationFailure) -> bool:
    """Say whether a later try of the same may succeed: nothing is wrong with what was sent."""
    return error.timeout or error.code in _PASSING or error.has_error_label("RetryableWriteError")
