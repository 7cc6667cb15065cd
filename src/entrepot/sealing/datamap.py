"""The one declaration of what is personal or secret, field by field, wherever it lies: the data map. It seals nothing itself.

A place is named ``schema.table.column`` in PostgreSQL, ``event area.Struct.field`` in the log, ``drawer name.field`` in Redis,
``object prefix`` among the objects, ``columns table.column`` in ClickHouse.
What holds text, JSON or bytes is either here or in ``neutral``; a test walks schema and events, and finds what is in neither.
Projections are made from events alone: what is in no event's body is in no document, index, graph or column either.
"""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from entrepot.sealing.terms import (
    ACCOUNT,
    AUDIT,
    BOOKS,
    BUYER,
    CACHED,
    CART,
    CERTIFIED,
    CHECKOUT,
    COMPANY,
    DISPUTE,
    FOR_EVER,
    FORGOTTEN,
    INVOICE,
    KEY,
    LABEL,
    LIFTED,
    LOG,
    ORDER,
    RING,
    SEEN,
    SENT,
    SESSION,
    SUBSCRIBER,
    SUBSCRIPTION,
    USED,
    Term,
)

Class = Literal["contact", "identity", "credential", "behaviour", "business", "free text", "secret", "key"]
Protection = Literal["sealed", "blind index", "hashed", "wrapped", "pseudonymous", "plain"]

CONTRACT, LAW, INTEREST, CONSENT = "contract", "legal obligation", "legitimate interest", "consent"


class Datum(Struct, frozen=True):
    """A personal or secret field: what for, by which right, how long, and how it is protected; ``why`` where that is plain."""

    place: str
    kind: Class
    purpose: str
    basis: str
    retention: Term
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
    Datum("checkout.checkout.held", "contact", _DELIVERY, CONTRACT, CHECKOUT, "sealed"),
    Datum("subscription.contact.sealed", "contact", _DELIVERY, CONTRACT, SUBSCRIPTION, "sealed"),
    Datum("subscription.contact.contact", "contact", _DELIVERY, CONTRACT, FORGOTTEN, "plain", _BEFORE),
    Datum("business.purchase.contact_sealed", "contact", _DELIVERY, CONTRACT, ORDER, "sealed"),
    Datum("business.purchase.request", "contact", _DELIVERY, CONTRACT, FORGOTTEN, "plain", _BEFORE),
    Datum("drawer cart.sealed", "contact", "fill in and go on with a cart", CONTRACT, CART, "sealed"),
    Datum("fulfilment.shipment.tracking", "contact", "follow a parcel", CONTRACT, ORDER, "pseudonymous"),
    Datum("object labels", "contact", "print the label of a parcel", CONTRACT, LABEL, "sealed"),
    Datum("fulfilment.parcel.tracking", "contact", "follow a parcel", CONTRACT, ORDER, "pseudonymous"),
    Datum("event fulfilment.ShipmentMoved.tracking", "contact", "follow a parcel", CONTRACT, LOG, "pseudonymous"),
    # Who buys for a company, and companies
    Datum("business.buyer.name_sealed", "identity", "know who buys for a company", CONTRACT, BUYER, "sealed"),
    Datum("business.buyer.email_sealed", "contact", "know who buys for a company", CONTRACT, BUYER, "sealed"),
    Datum("business.buyer.email_blind", "contact", "find a buyer by email", CONTRACT, BUYER, "blind index"),
    *(
        Datum(f"business.buyer.{name}", "identity", "know who buys for a company", CONTRACT, FORGOTTEN, "plain", _BEFORE)
        for name in ("name", "email")
    ),
    *(
        Datum(place, "business", "write invoices", LAW, term, "plain", _COMPANY)
        for term, places in {
            INVOICE: "business.invoice.body business.credit_note.body business.receipt.remittance "
            "business.receipt.bank_reference",
            COMPANY: "business.company.name business.company.address business.company.vat_id marketplace.seller.name "
            "business.issuer.name business.issuer.address business.issuer.vat_id business.issuer.bank_account",
        }.items()
        for place in places.split()
    ),
    *(
        Datum(f"event {place}", "business", "write invoices", LAW, LOG, "plain", _COMPANY)
        for place in (
            *("business.ReceiptNoted.bank_reference", "business.Party.bank_account", "marketplace.SellerChanged.name"),
            *("business.CompanySaved.name", "business.CompanySaved.address", "business.CompanySaved.vat_id"),
            *("business.Party.name", "business.Party.address", "business.Party.vat_id"),
        )
    ),
    # Payment
    Datum("payment.method.token", "credential", "charge a kept card again", CONSENT, ACCOUNT, "plain",
          "the gateway's token: of no use without our secret at the gateway"),
    Datum("subscription.contact.method", "credential", "charge a subscription", CONTRACT, SUBSCRIPTION, "plain", "as above"),
    Datum("payment.method.label", "credential", "let the buyer tell cards apart", CONSENT, ACCOUNT, "plain",
          "brand, last digits"),
    Datum("payment.payment.label", "credential", "let the buyer tell cards apart", CONTRACT, ORDER, "plain",
          "brand, last digits"),
    Datum("payment.dispute.evidence", "free text", "answer a dispute", INTEREST, DISPUTE, "plain", _STAFF),
    # People: the room declares what it seals by the names of its columns
    Datum("identity.person.name_sealed", "identity", "address a person", CONTRACT, ACCOUNT, "sealed"),
    Datum("identity.person.phone_sealed", "contact", "reach a person", CONSENT, ACCOUNT, "sealed"),
    Datum("identity.person.phone_blind", "contact", "find a person by phone", CONSENT, ACCOUNT, "blind index"),
    Datum("identity.login.email_sealed", "contact", "sign in", CONTRACT, ACCOUNT, "sealed"),
    Datum("identity.login.email_blind", "contact", "sign in", CONTRACT, ACCOUNT, "blind index"),
    Datum("identity.address.address_sealed", "contact", _DELIVERY, CONTRACT, ACCOUNT, "sealed"),
    Datum("identity.letter.email_sealed", "contact", "send what was asked for", CONTRACT, SENT, "sealed"),
    Datum("identity.link.email_sealed", "contact", "prove an address", CONTRACT, USED, "sealed"),
    Datum("identity.session.place_sealed", "behaviour", "show a person their sessions", INTEREST, SESSION, "sealed"),
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
    *(
        Datum(f"identity.{table}.asked_hash", "credential", "let in who asked, and nobody else", CONTRACT, term, "hashed")
        for table, term in (("letter", SENT), ("link", USED))
    ),
    Datum("drawer people.session", "credential", "know who asks", CONTRACT, CACHED, "hashed"),
    Datum("identity.person.language", "behaviour", "speak a person's language", CONTRACT, ACCOUNT, "pseudonymous"),
    Datum("event people.PersonChanged.language", "behaviour", "speak a person's language", CONTRACT, LOG, "pseudonymous"),
    Datum("identity.person.region", "behaviour", "decide where a person's rows may lie", LAW, ACCOUNT, "pseudonymous"),
    Datum("event people.PersonChanged.region", "behaviour", "decide where a person's rows may lie", LAW, LOG, "pseudonymous"),
    # What shoppers look at, where they agree to it: by an id that stands for nobody once the person's key is destroyed
    *(
        Datum(f"columns behaviour.{name}", "behaviour", "see what shoppers look for", CONSENT, SEEN, "pseudonymous")
        for name in ("who", "order_id")
    ),
    Datum("columns behaviour.words", "free text", "see what shoppers look for", CONSENT, SEEN, "plain",
          "what was searched for; what may be an address or a number is not kept"),
    # What was done, and by whom
    Datum("log.event.sealed", "identity", "tell what happened to whom", CONTRACT, LOG, "sealed"),
    Datum("log.event.actor", "identity", "prove who did what", LAW, LOG, "pseudonymous"),
    *(
        datum
        for table in ("audit.entry", "audit.entry_batch")
        for datum in (
            Datum(f"{table}.actor", "identity", "prove who did what", LAW, AUDIT, "pseudonymous"),
            Datum(f"{table}.network", "behaviour", "find an intruder", INTEREST, AUDIT, "plain", "a network, no address"),
            Datum(f"{table}.agent", "behaviour", "find an intruder", INTEREST, AUDIT, "plain", "a browser's family"),
        )
    ),
    Datum("log.move.began_by", "identity", "prove who moved an engine", LAW, AUDIT, "pseudonymous"),
    Datum("log.move.switched_by", "identity", "prove who moved an engine", LAW, AUDIT, "pseudonymous"),
    Datum("log.move.ended_by", "identity", "prove who moved an engine", LAW, AUDIT, "pseudonymous"),
    Datum("identity.membership.granted_by", "identity", "prove who gave a role", LAW, ACCOUNT, "pseudonymous"),
    *(
        Datum(place, "free text", "say why", INTEREST, ORDER, "plain", _STAFF)
        for place in (
            *("aftersale.return_case.note", "business.negotiation_round.note", "ordering.charge.note"),
            *("ordering.return_charge.note", "ordering.orders.cancelled_for", "business.purchase.purchase_order"),
        )
    ),
    *(
        Datum(place, "free text", "say why", INTEREST, term, "plain", _STAFF)
        for place, term in {
            "audit.entry.why": AUDIT,
            "audit.entry_batch.why": AUDIT,
            "identity.api_key.label": ACCOUNT,
            "event business.Document.purchase_order": LOG,
            "event business.PurchaseChanged.purchase_order": LOG,
            "event ordering.Charge.note": LOG,
            "event stock.StockChanged.note": LOG,
        }.items()
    ),
    # What takes two people
    Datum("approval.change.actor", "identity", "prove who changed it", LAW, BOOKS, "pseudonymous"),
    Datum("approval.request.why", "free text", "say why", LAW, BOOKS, "plain", _STAFF),
    Datum("approval.change.body", "business", "prove what decided about money", LAW, BOOKS, "plain", _COMPANY),
    # Privacy itself
    Datum("privacy.found_by.email_blind", "contact", "find a guest's orders by email", CONTRACT, ORDER, "blind index"),
    Datum("privacy.erasure.known_sealed", "contact", "search for what must be gone", LAW, CERTIFIED, "sealed"),
    Datum("privacy.erasure.actor", "identity", "prove who asked", LAW, AUDIT, "pseudonymous"),
    Datum("privacy.legal_hold.by_whom", "identity", "prove who asked", LAW, LIFTED, "pseudonymous"),
    Datum("privacy.restriction.by_whom", "identity", "prove who asked", LAW, LIFTED, "pseudonymous"),
    # Secrets of the house
    Datum("privacy.signing_key.sealed", "secret", "sign certificates of erasure", LAW, FOR_EVER, "sealed"),
    Datum("webhook.endpoint.secret_sealed", "secret", "sign webhooks", CONTRACT, SUBSCRIBER, "sealed"),
    Datum("webhook.endpoint.secret", "secret", "sign webhooks", CONTRACT, FORGOTTEN, "plain", _BEFORE),
    Datum("digital.secret.sealed", "secret", "sign downloads' addresses", CONTRACT, FOR_EVER, "sealed"),
    Datum("digital.secret.secret", "secret", "sign downloads' addresses", CONTRACT, FORGOTTEN, "plain", _BEFORE),
    Datum("digital.licence.code", "secret", "hand a licence out", CONTRACT, ORDER, "plain", "goods, told to whom they belong"),
    Datum("privacy.person_key.wrapped", "key", "open what is sealed", CONTRACT, KEY, "wrapped"),
    Datum("privacy.ring_key.wrapped", "key", "open persons' keys", CONTRACT, RING, "wrapped"),
    Datum("audit.signing_key.wrapped", "key", "sign the audit's roots", LAW, AUDIT, "wrapped"),
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
        lines.append(f"| `{one.place}` | {one.kind} | {one.purpose} | {one.basis} | {one.retention.told} | {how} |")
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
        kept = _each(one.retention.told for one in data)
        cells = (purpose, _each(one.basis for one in data), _each(one.kind for one in data), kept)
        tables = dict.fromkeys(one.place.rpartition(".")[0] for one in data)
        lines.append(f"| {' | '.join(cells)} | {', '.join(f'`{table}`' for table in tables)} | "
                     f"{_each(one.protection for one in data)} |")  # fmt: skip
    return "\n".join(lines) + "\n"


def _each(values: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(values))
