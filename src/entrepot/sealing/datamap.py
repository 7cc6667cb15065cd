"""The one declaration of what is personal or secret, field by field, wherever it lies: the data map. It seals nothing itself.

A place is named ``schema.table.column`` in PostgreSQL, ``event area.Struct.field`` in the log, ``drawer name.field`` in Redis.
What holds text, JSON or bytes is either here or in ``neutral``; a test walks schema and events, and finds what is in neither.
Projections are made from events alone: what is in no event's body is in no document, index, graph or column either.
"""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

Class = Literal["contact", "identity", "credential", "behaviour", "business", "free text", "secret", "key"]
Protection = Literal["sealed", "blind index", "hashed", "wrapped", "pseudonymous", "plain"]

ORDER = "as long as its order: the tax law's term"
ACCOUNT = "as long as the account"
FORGOTTEN = "until it is sealed by 'entrepot keys seal-existing'; empty since"
CONTRACT, LAW, INTEREST, CONSENT = "contract", "legal obligation", "legitimate interest", "consent"


class Datum(Struct, frozen=True):
    """A personal or secret field: what for, by which right, how long, and how it is protected; ``why`` where that is plain."""

    place: str
    kind: Class
    purpose: str
    basis: str
    retention: str
    protection: Protection
    why: str = ""


# Ids that stand for a person: pseudonyms, as long as nobody has the key of that subject.
SUBJECTS = ("subject", "subject_id", "person_id", "customer_id", "buyer_id", "decided_by")

_DELIVERY = "deliver, and tell the buyer"
_COMPANY = "a company's own; it is a person's where one trades alone, and the tax law wants it legible"
_STAFF = "free text of staff or buyer: the form asks for no personal data; erasure empties it"
_BEFORE = "what was written before it was sealed"

PERSONAL: tuple[Datum, ...] = (
    # To whom orders go
    Datum("ordering.contact.sealed", "contact", _DELIVERY, CONTRACT, ORDER, "sealed"),
    *(
        Datum(f"ordering.contact.{name}", "contact", _DELIVERY, CONTRACT, FORGOTTEN, "plain", _BEFORE)
        for name in ("email", "name", "phone", "address")
    ),
    Datum("checkout.checkout.held", "contact", _DELIVERY, CONTRACT, "until the checkout ends", "sealed"),
    Datum("subscription.contact.sealed", "contact", _DELIVERY, CONTRACT, "as long as the subscription", "sealed"),
    Datum("subscription.contact.contact", "contact", _DELIVERY, CONTRACT, FORGOTTEN, "plain", _BEFORE),
    Datum("business.purchase.contact_sealed", "contact", _DELIVERY, CONTRACT, ORDER, "sealed"),
    Datum("business.purchase.request", "contact", _DELIVERY, CONTRACT, FORGOTTEN, "plain", _BEFORE),
    Datum("drawer cart.sealed", "contact", "fill in and go on with a cart", CONTRACT, "30 days untouched", "sealed"),
    Datum("fulfilment.shipment.tracking", "contact", "follow a parcel", CONTRACT, ORDER, "pseudonymous"),
    Datum("event fulfilment.ShipmentMoved.tracking", "contact", "follow a parcel", CONTRACT, ORDER, "pseudonymous"),
    # Who buys for a company, and companies
    Datum("business.buyer.name_sealed", "identity", "know who buys for a company", CONTRACT, ACCOUNT, "sealed"),
    Datum("business.buyer.email_sealed", "contact", "know who buys for a company", CONTRACT, ACCOUNT, "sealed"),
    Datum("business.buyer.email_blind", "contact", "find a buyer by email", CONTRACT, ACCOUNT, "blind index"),
    *(
        Datum(f"business.buyer.{name}", "identity", "know who buys for a company", CONTRACT, FORGOTTEN, "plain", _BEFORE)
        for name in ("name", "email")
    ),
    *(
        Datum(place, "business", "write invoices", LAW, "the tax law's term", "plain", _COMPANY)
        for place in (
            *("business.company.name", "business.company.address", "business.company.vat_id"),
            *("business.issuer.name", "business.issuer.address", "business.issuer.vat_id", "business.issuer.bank_account"),
            *("business.invoice.body", "business.credit_note.body", "business.receipt.remittance"),
            *("business.receipt.bank_reference", "marketplace.seller.name", "event business.ReceiptNoted.bank_reference"),
            *("event business.CompanySaved.name", "event business.CompanySaved.address", "event business.CompanySaved.vat_id"),
            *("event business.Party.name", "event business.Party.address", "event business.Party.vat_id"),
            *("event business.Party.bank_account", "event marketplace.SellerChanged.name"),
        )
    ),
    # Payment
    Datum("payment.method.token", "credential", "charge a kept card again", CONSENT, ACCOUNT, "plain",
          "the gateway's token: of no use without our secret at the gateway"),
    Datum("subscription.contact.method", "credential", "charge a subscription", CONTRACT, ACCOUNT, "plain", "as above"),
    Datum("payment.method.label", "credential", "let the buyer tell cards apart", CONSENT, ACCOUNT, "plain",
          "brand, last digits"),
    Datum("payment.payment.label", "credential", "let the buyer tell cards apart", CONTRACT, ORDER, "plain",
          "brand, last digits"),
    Datum("payment.dispute.evidence", "free text", "answer a dispute", INTEREST, "the card scheme's term", "plain", _STAFF),
    # People: the room declares what it seals by the names of its columns
    Datum("identity.person.name_sealed", "identity", "address a person", CONTRACT, ACCOUNT, "sealed"),
    Datum("identity.person.phone_sealed", "contact", "reach a person", CONSENT, ACCOUNT, "sealed"),
    Datum("identity.person.phone_blind", "contact", "find a person by phone", CONSENT, ACCOUNT, "blind index"),
    Datum("identity.login.email_sealed", "contact", "sign in", CONTRACT, ACCOUNT, "sealed"),
    Datum("identity.login.email_blind", "contact", "sign in", CONTRACT, ACCOUNT, "blind index"),
    Datum("identity.address.address_sealed", "contact", _DELIVERY, CONTRACT, ACCOUNT, "sealed"),
    Datum("identity.letter.email_sealed", "contact", "send what was asked for", CONTRACT, "until it is sent", "sealed"),
    Datum("identity.link.email_sealed", "contact", "prove an address", CONTRACT, "until it is used or over", "sealed"),
    Datum("identity.session.place_sealed", "behaviour", "show a person their sessions", INTEREST, "90 days", "sealed"),
    Datum("identity.external_login.subject_blind", "identity", "sign in elsewhere", CONSENT, ACCOUNT, "blind index"),
    Datum("identity.password.hash", "credential", "sign in", CONTRACT, ACCOUNT, "hashed"),
    Datum("identity.totp.seed_sealed", "credential", "sign in", CONTRACT, ACCOUNT, "sealed"),
    Datum("identity.recovery_code.hash", "credential", "sign in", CONTRACT, ACCOUNT, "hashed"),
    Datum("identity.passkey.credential_id", "credential", "sign in", CONTRACT, ACCOUNT, "plain",
          "names a passkey, proves nothing"),
    Datum("identity.passkey.public_key", "credential", "sign in", CONTRACT, ACCOUNT, "plain", "the public half"),
    *(
        Datum(f"identity.{table}.secret_hash", "credential", "sign in", CONTRACT, ACCOUNT, "hashed")
        for table in ("api_key", "device", "link", "session")
    ),
    Datum("drawer people.session", "credential", "know who asks", CONTRACT, "as long as the session", "hashed"),
    Datum("identity.person.language", "behaviour", "speak a person's language", CONTRACT, ACCOUNT, "pseudonymous"),
    Datum("event people.PersonChanged.language", "behaviour", "speak a person's language", CONTRACT, ACCOUNT, "pseudonymous"),
    # What was done, and by whom
    Datum("log.event.sealed", "identity", "tell what happened to whom", CONTRACT, "as long as the log", "sealed"),
    Datum("log.event.actor", "identity", "prove who did what", LAW, "as long as the log", "pseudonymous"),
    Datum("audit.entry.actor", "identity", "prove who did what", LAW, "as long as the audit", "pseudonymous"),
    Datum("audit.entry.network", "behaviour", "find an intruder", INTEREST, "as long as the audit", "plain",
          "a network, no address"),
    Datum("audit.entry.agent", "behaviour", "find an intruder", INTEREST, "as long as the audit", "plain",
          "a browser's family"),
    Datum("identity.membership.granted_by", "identity", "prove who gave a role", LAW, ACCOUNT, "pseudonymous"),
    *(
        Datum(place, "free text", "say why", INTEREST, ORDER, "plain", _STAFF)
        for place in (
            *("aftersale.return_case.note", "business.negotiation_round.note", "ordering.charge.note", "audit.entry.why"),
            *("ordering.return_charge.note", "ordering.orders.cancelled_for", "business.purchase.purchase_order"),
            *("event business.Document.purchase_order", "event business.PurchaseChanged.purchase_order"),
            *("event ordering.Charge.note", "event stock.StockChanged.note", "identity.api_key.label"),
        )
    ),
    # Privacy itself
    Datum("privacy.found_by.email_blind", "contact", "find a guest's orders by email", CONTRACT, ORDER, "blind index"),
    Datum("privacy.erasure.known_sealed", "contact", "search for what must be gone", LAW, "until it is certified", "sealed"),
    Datum("privacy.erasure.actor", "identity", "prove who asked", LAW, "as long as the audit", "pseudonymous"),
    Datum("privacy.restriction.by_whom", "identity", "prove who asked", LAW, "until it is lifted", "pseudonymous"),
    # Secrets of the house
    Datum("privacy.signing_key.sealed", "secret", "sign certificates of erasure", LAW, "for ever", "sealed"),
    Datum("webhook.endpoint.secret_sealed", "secret", "sign webhooks", CONTRACT, "as long as the subscriber", "sealed"),
    Datum("webhook.endpoint.secret", "secret", "sign webhooks", CONTRACT, FORGOTTEN, "plain", _BEFORE),
    Datum("digital.secret.sealed", "secret", "sign downloads' addresses", CONTRACT, "for ever", "sealed"),
    Datum("digital.secret.secret", "secret", "sign downloads' addresses", CONTRACT, FORGOTTEN, "plain", _BEFORE),
    Datum("digital.licence.code", "secret", "hand a licence out", CONTRACT, ORDER, "plain", "goods, told to whom they belong"),
    Datum("privacy.person_key.wrapped", "key", "open what is sealed", CONTRACT, "until the person is forgotten", "wrapped"),
    Datum("privacy.ring_key.wrapped", "key", "open persons' keys", CONTRACT, "until it is retired", "wrapped"),
    Datum("audit.signing_key.wrapped", "key", "sign the audit's roots", LAW, "as long as the audit", "wrapped"),
)  # fmt: skip


def page() -> str:
    """Return the data map as a page."""
    lines = [
        "# Data map",
        "",
        "Generated from `src/entrepot/sealing/datamap.py` by `make docs`: do not edit. How `sealed` works: [keys](keys.md).",
        "",
        f"Ids that stand for a person ({', '.join(f'`{name}`' for name in SUBJECTS)}) are pseudonyms wherever they lie.",
        "Projections are made from events alone: what is in no event is in no document, index, graph or column.",
        "",
        "| where | class | what for | by which right | how long | protected |",
        "|---|---|---|---|---|---|",
    ]
    for one in PERSONAL:
        how = f"{one.protection}: {one.why}" if one.why else one.protection
        lines.append(f"| `{one.place}` | {one.kind} | {one.purpose} | {one.basis} | {one.retention} | {how} |")
    return "\n".join(lines) + "\n"


def register() -> str:
    """Return the register of processing activities (Regulation (EU) 2016/679, Art. 30): each purpose, with what it takes."""
    lines = [
        "# Register of processing activities",
        "",
        "Generated from the [data map](data-map.md) by `make docs`: do not edit. What Art. 30 of Regulation (EU) 2016/679",
        "asks for, as far as code can know it: add who you are, whom you commission, and to which countries data goes.",
        "",
        "| purpose | by which right | whose data: classes | kept | where | protected by |",
        "|---|---|---|---|---|---|",
    ]
    for purpose in dict.fromkeys(one.purpose for one in PERSONAL if one.kind not in {"secret", "key"}):
        data = [one for one in PERSONAL if one.purpose == purpose and one.kind not in {"secret", "key"}]
        cells = (purpose, *(_each(getattr(one, name) for one in data) for name in ("basis", "kind", "retention")))
        tables = dict.fromkeys(one.place.rpartition(".")[0] for one in data)
        lines.append(f"| {' | '.join(cells)} | {', '.join(f'`{table}`' for table in tables)} | "
                     f"{_each(one.protection for one in data)} |")  # fmt: skip
    return "\n".join(lines) + "\n"


def _each(values: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(values))
