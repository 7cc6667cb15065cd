"""How a command is sent to a Redis: under a deadline that lets a cancellation through.

The client sends each command in ``asyncio.wait_for``. On Python 3.11 that makes a task for it, and forgets a cancellation that
comes together with the task's end: one in nine under load, and a house could not be closed. It reads without.
"""

import asyncio
from collections.abc import Iterable

from redis.asyncio import ConnectionPool
from redis.asyncio.cluster import RedisCluster
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection
from redis.asyncio.sentinel import SentinelManagedConnection, SentinelManagedSSLConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError


def send_promptly(pool: ConnectionPool) -> None:
    """Have a pool that has no connection yet make those of this file."""
    pool.connection_class = _SENDING[pool.connection_class]


def send_promptly_to_nodes(cluster: RedisCluster) -> None:
    """Have a cluster's client that has not connected yet make connections of this file, to every node."""
    told = cluster.connection_kwargs  # what it tells each node that it finds
    told["connection_class"] = _SENDING[told["connection_class"]]
    for node in cluster.startup_nodes:
        node.connection_class = told["connection_class"]


class _Sending(AbstractConnection):
    """A connection that sends in the task that asks; what goes wrong is told as the client tells it."""

    async def send_packed_command(self, command: bytes | str | Iterable[bytes], check_health: bool = True) -> None:
        """Send a command, connecting first where need be; raise ``RedisTimeoutError`` after ``socket_timeout`` seconds."""
        if not self.is_connected:
            await self.connect_check_health(check_health=False)
        if check_health:
            await self.check_health()  # type: ignore[no-untyped-call]  # the client leaves it so
        whole = command.encode() if isinstance(command, str) else command
        try:
            async with asyncio.timeout(self.socket_timeout):
                await self._send_packed_command([whole] if isinstance(whole, bytes) else whole)
        except BaseException as error:
            # Half a command may have been sent: nothing else may follow it on this connection.
            await self.disconnect(nowait=True)
            if isinstance(error, TimeoutError):
                raise RedisTimeoutError("Timeout writing to socket") from None
            if isinstance(error, OSError):
                raise RedisConnectionError(f"Error while writing to socket: {error}.") from error
            raise


class _Plain(_Sending, Connection):
    pass


class _Encrypted(_Sending, SSLConnection):
    pass


class _OfSentinels(_Sending, SentinelManagedConnection):
    pass


class _OfSentinelsEncrypted(_Sending, SentinelManagedSSLConnection):
    pass


_SENDING: dict[type[AbstractConnection], type[_Sending]] = {
    Connection: _Plain,
    SSLConnection: _Encrypted,
    SentinelManagedConnection: _OfSentinels,
    SentinelManagedSSLConnection: _OfSentinelsEncrypted,
}
