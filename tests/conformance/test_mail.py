"""Whoever carries letters keeps the port's promise: a letter arrives whole, under our name for it, and never half."""

import asyncio
import email.policy
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.time import SystemClock
from entrepot.partners.mail.files import FileMail
from entrepot.partners.mail.port import Letter
from entrepot.partners.mail.smtp import SmtpMail

SENDER = "shop@example.com"
LETTER = Letter(reference="0193-a", to="ada@example.com", subject="Grüße", text="A line.\n.\nhttp://x/link?token=" + "a" * 90)


class Inbox:
    """What a mail server has taken."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        """Take a letter."""
        assert isinstance(envelope.content, bytes)
        self.taken.append(envelope.content)
        return "250 taken"


@asynccontextmanager
async def server(inbox: Inbox, certificate: ssl.SSLContext | None) -> AsyncIterator[str]:
    """Run a mail server on this machine; with a certificate it offers TLS, and wants a password over that."""

    def known(_server: object, _session: object, _envelope: object, _mechanism: str, told: object) -> AuthResult:
        right = isinstance(told, LoginPassword) and (told.login, told.password) == (b"shop", b"p@ss")
        return AuthResult(success=right)

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    controller = Controller(
        inbox, "127.0.0.1", port, tls_context=certificate, authenticator=known, auth_required=certificate is not None
    )
    await asyncio.to_thread(controller.start)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await asyncio.to_thread(controller.stop)


def parsed(raw: bytes) -> EmailMessage:
    return BytesParser(policy=email.policy.default).parsebytes(raw)


def check(message: EmailMessage) -> None:
    assert (message["To"], message["Subject"]) == (LETTER.to, LETTER.subject)
    assert message["Message-ID"] == f"<{LETTER.reference}@example.com>"
    assert message.get_content().replace("\r\n", "\n").rstrip("\n") == LETTER.text


async def test_a_letter_lies_in_the_folder_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    mail = FileMail(tmp_path / "mail", SENDER, SystemClock())
    for _ in range(2):
        await mail.send(LETTER)
    (path,) = (tmp_path / "mail").iterdir()
    check(parsed(path.read_bytes()))
    assert path.stat().st_mode & 0o077 == 0


async def test_a_letter_goes_to_a_server_over_tls_with_a_password() -> None:
    authority, certificate, trusting = (
        trustme.CA(),
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH),
        ssl.create_default_context(),
    )
    authority.issue_cert("127.0.0.1").configure_cert(certificate)
    authority.configure_trust(trusting)
    inbox = Inbox()
    async with server(inbox, certificate) as address:
        await SmtpMail(f"smtp://shop:p%40ss@{address}", SENDER, SystemClock(), context=trusting).send(LETTER)
        with pytest.raises(EngineAwayError):  # nobody whom we trust says that it is the one
            await SmtpMail(f"smtp://shop:p%40ss@{address}", SENDER, SystemClock()).send(LETTER)
    check(parsed(inbox.taken[0]))
    assert len(inbox.taken) == 1


async def test_a_password_is_not_sent_where_no_tls_is_offered() -> None:
    inbox = Inbox()
    async with server(inbox, None) as address:
        with pytest.raises(EngineAwayError, match="no TLS"):
            await SmtpMail(f"smtp://shop:secret@{address}", SENDER, SystemClock()).send(LETTER)
        await SmtpMail(f"smtp://{address}", SENDER, SystemClock()).send(LETTER)
    check(parsed(inbox.taken[0]))


async def test_a_server_that_is_away_is_told_apart_from_an_address_that_is_none() -> None:
    with pytest.raises(EngineAwayError):
        await SmtpMail("smtp://127.0.0.1:1", SENDER, SystemClock()).send(LETTER)
    with pytest.raises(BadInputError):
        SmtpMail("http://127.0.0.1", SENDER, SystemClock())


async def test_a_header_that_would_become_two_is_refused(tmp_path: Path) -> None:
    mail = FileMail(tmp_path, SENDER, SystemClock())
    with pytest.raises(ValueError, match=r"CR or LF|line"):
        await mail.send(Letter(reference="x", to="ada@example.com", subject="Hello\r\nBcc: all@example.com", text=""))
