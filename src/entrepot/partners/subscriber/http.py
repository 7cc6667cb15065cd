"""Subscribers over HTTP, signed as the Standard Webhooks specification says (https://www.standardwebhooks.com).

A name is resolved once, and the address that is looked at is the one that is connected to: a name that turns to the house's own
network in between reaches nothing. Redirects are not followed, for the same reason. Of an answer no more is read than is shown,
and it is not unpacked: one that never ends, or that unpacks to more than there is memory, costs nothing.
"""

import asyncio
import base64
import hashlib
import hmac
import socket
import ssl
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from entrepot.base import limits
from entrepot.base.late import Late
from entrepot.partners.subscriber.port import Answer, Message

if TYPE_CHECKING:
    import httpx
else:
    httpx = Late("httpx")

SECRET_PREFIX = "whsec_"  # noqa: S105  # the specification's mark of a secret, no secret


def signature(secret: str, message: Message) -> str:
    """Return the signature of a message: HMAC-SHA256 over ``id.timestamp.body``, base64, marked ``v1``."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = b".".join((message.id.encode(), str(message.at).encode(), message.body))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


class HttpSender:
    """Sends over pooled connections; ``allowed`` says whether an address may be connected to.

    ``to``: the only hosts that are sent to (``*.example.com``: all beneath); without any, whoever subscribed is.
    """

    def __init__(self, allowed: Callable[[str], bool], to: Sequence[str] = ()) -> None:
        self._allowed, self._to = allowed, to
        self._client = httpx.AsyncClient(
            timeout=limits.WEBHOOK_SECONDS_MAX,
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_connections=limits.WEBHOOK_CONNECTIONS_MAX),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def send(self, url: str, secret: str, message: Message) -> Answer:
        """Send a signed message and return what came back."""
        target = httpx.URL(url)
        headers = {
            "Host": target.netloc.decode(),
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "Entrepot-Webhooks/1",
            "Webhook-Id": message.id,
            "Webhook-Timestamp": str(message.at),
            "Webhook-Signature": signature(secret, message),
        }
        if self._to and not any(fnmatchcase(target.host.lower(), one) for one in self._to):
            return Answer(None, f"{target.host} is none of ENTREPOT_WEBHOOKS_TO: it is not sent to")
        try:
            address = await self._address(target)
            if not self._allowed(address):
                return Answer(None, f"{target.host} is {address}, an address of a private network: it is not sent to")
            to, sni = target.copy_with(host=address), {"sni_hostname": target.host}
            async with (
                asyncio.timeout(limits.WEBHOOK_SECONDS_MAX),
                self._client.stream("POST", to, content=message.body, headers=headers, extensions=sni) as answer,
            ):
                said = await _beginning(answer)
        except (httpx.HTTPError, OSError, TimeoutError, ssl.SSLError) as error:
            return Answer(None, str(error) or type(error).__name__)
        return Answer(answer.status_code, said if answer.is_error else "")

    async def _address(self, target: "httpx.URL") -> str:
        port = target.port or {"http": 80, "https": 443}[target.scheme]
        found = await asyncio.get_running_loop().getaddrinfo(target.host, port, type=socket.SOCK_STREAM)
        return str(found[0][4][0])


async def _beginning(answer: "httpx.Response") -> str:
    """Return how an answer begins, as it came; a short one is read whole, so that its connection can be used again."""
    read = b""
    async for chunk in answer.aiter_raw(limits.WEBHOOK_ERROR_CHARS_MAX):
        read += chunk
        if len(read) > limits.WEBHOOK_ERROR_CHARS_MAX:
            break
    return read[: limits.WEBHOOK_ERROR_CHARS_MAX].decode("utf-8", "replace")
