"""Letters by SMTP, to the server that carries them on: ``smtp://`` (which turns to TLS where offered) or ``smtps://``.

A password is sent over TLS only, to a server whose certificate is right.
"""

import asyncio
import smtplib
import ssl
from urllib.parse import unquote, urlsplit

from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.limits import MAIL_SECONDS_MAX
from entrepot.base.time import Clock
from entrepot.partners.mail.message import message
from entrepot.partners.mail.port import Letter

_PORT, _TLS_PORT = 587, 465


class SmtpMail:
    """Gives letters to a server, each over a connection of its own: there are few, and none is forgotten half open."""

    def __init__(self, url: str, sender: str, clock: Clock, *, context: ssl.SSLContext | None = None) -> None:
        self._parts, self._sender, self._clock = urlsplit(url), sender, clock
        self._context = context or ssl.create_default_context()
        if self._parts.scheme not in {"smtp", "smtps"} or not self._parts.hostname:
            raise BadInputError("ENTREPOT_MAIL_URL is no address of a mail server: give smtp://user:password@host:port.")

    async def send(self, letter: Letter) -> None:
        """Give a letter to the server."""
        try:
            async with asyncio.timeout(MAIL_SECONDS_MAX):
                await asyncio.to_thread(self._send, letter)
        except (OSError, smtplib.SMTPException, TimeoutError) as error:
            raise EngineAwayError("mail", str(error) or type(error).__name__) from error

    def _send(self, letter: Letter) -> None:
        with self._connected() as server:
            if self._parts.username:
                server.login(unquote(self._parts.username), unquote(self._parts.password or ""))
            server.send_message(message(letter, self._sender, self._clock), self._sender, [letter.to])

    def _connected(self) -> smtplib.SMTP:
        host = self._parts.hostname or ""
        if self._parts.scheme == "smtps":
            return smtplib.SMTP_SSL(host, self._parts.port or _TLS_PORT, timeout=MAIL_SECONDS_MAX, context=self._context)
        server = smtplib.SMTP(host, self._parts.port or _PORT, timeout=MAIL_SECONDS_MAX)
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=self._context)
            server.ehlo()
        elif self._parts.username:
            server.close()
            raise smtplib.SMTPNotSupportedError("it offers no TLS, and a password is not sent without")
        return server
