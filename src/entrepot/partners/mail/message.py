"""A letter as a message of RFC 5322. Pure."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from entrepot.base.time import Clock, utc
from entrepot.partners.mail.port import Letter


def message(letter: Letter, sender: str, clock: Clock) -> EmailMessage:
    """Return the message; the library refuses a header that would become two."""
    made = EmailMessage(policy=SMTP)
    made["From"] = Address("Entrepôt", addr_spec=sender)
    made["To"] = Address(addr_spec=letter.to)
    made["Subject"] = letter.subject
    made["Date"] = format_datetime(utc(clock.millis()))
    made["Message-ID"] = f"<{letter.reference}@{sender.partition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    made["Content-Language"] = letter.language
    made.set_content(letter.text, cte="quoted-printable")
    return made
