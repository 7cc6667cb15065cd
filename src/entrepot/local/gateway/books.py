"""The gateway's books: payments, disputes, movements and kept methods in SQLite; every change is made by one of its methods.

A method checks everything before it writes anything, and writes inside a transaction that ``writer`` opens and commits for
many requests at once. Nothing here waits, and nothing here knows HTTP.
"""

import re
import secrets
import sqlite3
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from entrepot.base.limits import MINOR_MAX
from entrepot.local.gateway.messages import Asked, Dispute, Payment, RefusedError, Subscriber
from entrepot.local.gateway.tokens import LOSING_EVIDENCE, TOKENS, WINNING_EVIDENCE, Behaviour

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS payment (seq INTEGER PRIMARY KEY, id TEXT UNIQUE, reference TEXT UNIQUE, body BLOB) STRICT;
CREATE TABLE IF NOT EXISTS closed (reference TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answer (key TEXT PRIMARY KEY, asked TEXT, body BLOB) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS method (id TEXT PRIMARY KEY, token TEXT, charges INTEGER) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dispute (id TEXT PRIMARY KEY, body BLOB) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS movement (
    seq INTEGER PRIMARY KEY, id TEXT, kind TEXT, payment_id TEXT, reference TEXT, key TEXT, amount_minor INTEGER,
    fee_minor INTEGER, currency TEXT, at TEXT, payout TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS movement_not_paid_out ON movement (currency) WHERE payout = '';
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, body BLOB) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY, body BLOB, sent INTEGER, tries INTEGER, due REAL) STRICT;
CREATE INDEX IF NOT EXISTS event_not_sent ON event (due) WHERE sent < 2;
"""
FEE_PERMILLE: Final = 14
FEE_MINOR: Final = 25
DISPUTE_FEE_MINOR: Final = 1_500
EVIDENCE_DAYS: Final = 7
PAGE: Final = 500
SENDINGS: Final = 2

_CURRENCY = re.compile("[A-Z]{3}")
_REFERENCE = re.compile("[!-~]{1,100}")


class Books:
    """The books of one folder. ``changed`` tells that webhooks wait to be sent."""

    def __init__(self, folder: Path, own_url: str) -> None:
        self.connection = sqlite3.connect(folder / "books.sqlite", isolation_level=None, check_same_thread=False)
        self.connection.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; {SCHEMA}")
        self._db = self.connection
        self._url = own_url
        self.subscriber = self._setting("subscriber", Subscriber) or Subscriber(url="", kinds=[])

    def close(self) -> None:
        """Close the file; everything acknowledged is in it."""
        self.connection.close()

    # Payments

    def authorize(self, asked: Asked) -> tuple[Payment, bool]:
        """Return the payment of this reference and whether it is a new one."""
        known = self.find(asked.reference)
        if known is not None:
            return _same(known, asked), False
        if self._db.execute("SELECT 1 FROM closed WHERE reference = ?", (asked.reference,)).fetchone():
            raise RefusedError(
                "reference_closed", f"The reference {asked.reference} was closed: nothing can be charged under it."
            )
        behaviour, reason = self._behaviour(asked)
        payment = Payment(
            id=f"pay_{secrets.token_hex(12)}",
            reference=asked.reference,
            token=asked.token,
            state="authorized",
            currency=asked.currency,
            asked_minor=asked.amount_minor,
            authorized_minor=asked.amount_minor + behaviour.authorize_lie,
            capture=asked.capture,
            keep=asked.keep,
            stored=asked.stored,
            return_url=asked.return_url,
            label=f"Sandbox {self._card(asked).removeprefix('tok_').replace('_', ' ')}",
        )
        if reason:
            payment.state, payment.reason, payment.authorized_minor = "declined", reason, 0
        elif behaviour.challenged and not asked.stored:
            payment.state, payment.authorized_minor = "challenged", 0
            payment.challenge_url = f"{self._url}/challenge/{payment.id}"
        self._db.execute("INSERT INTO payment (id, reference, body) VALUES (?, ?, ?)", (payment.id, payment.reference, b""))
        self._tell(f"payment.{payment.state}", payment.id)
        if payment.state == "authorized":
            self._promise(payment)
        self._save(payment)
        return payment, True

    def find(self, reference: str) -> Payment | None:
        """Return the payment of a reference."""
        row = self._db.execute("SELECT body FROM payment WHERE reference = ?", (reference,)).fetchone()
        return msgspec.json.decode(row[0], type=Payment) if row else None

    def payment(self, payment_id: str) -> Payment:
        """Return a payment, or refuse its id."""
        row = self._db.execute("SELECT body FROM payment WHERE id = ?", (payment_id,)).fetchone()
        if row is None:
            raise RefusedError("unknown_payment", f"There is no payment {payment_id}.", 404)
        return msgspec.json.decode(row[0], type=Payment)

    def answer_challenge(self, payment_id: str, *, approved: bool) -> Payment:
        """Let the buyer answer a challenge; a second answer changes nothing."""
        payment = self.payment(payment_id)
        if payment.state == "challenged":
            payment.challenge_url = ""
            if approved:
                payment.state, payment.authorized_minor = "authorized", payment.asked_minor
                self._promise(payment)
            else:
                payment.state, payment.reason = "declined", "challenge_refused"
            self._save(payment)
            self._tell(f"challenge.{'approved' if approved else 'refused'}", payment.id)
        return payment

    def close_reference(self, reference: str) -> Payment | None:
        """Void or give back what is there under a reference, and refuse whatever comes late."""
        self._db.execute("INSERT OR IGNORE INTO closed (reference) VALUES (?)", (reference,))
        payment = self.find(reference)
        if payment is None:
            return None
        if payment.state == "challenged":
            payment.state, payment.reason = "declined", "reference_closed"
            self._save(payment)
        elif payment.state not in {"declined", "voided", "refunded"}:
            payment.voided_minor = payment.authorized_minor - payment.captured_minor
            back = payment.captured_minor - payment.refunded_minor - payment.disputed_minor
            if back:
                payment.refunded_minor += back
                self._move("refund", payment, back, 0, f"close/{reference}")
            payment.restate()
            self._save(payment)
            self._tell("payment.voided", payment.id)
        return payment

    def capture(self, payment_id: str, amount_minor: int, key: str) -> Payment:
        """Take some of what was promised."""
        payment = self.payment(payment_id)
        behaviour = TOKENS[self._card(payment)]
        left = payment.authorized_minor - payment.captured_minor - payment.voided_minor
        if behaviour.capture_refused:
            raise RefusedError(
                "authorization_expired", f"The authorization of {payment_id} has expired: nothing can be captured."
            )
        _within(payment, "captured", amount_minor, left)
        self._capture(payment, amount_minor + behaviour.capture_lie, key)
        self._save(payment)
        return payment

    def void(self, payment_id: str) -> Payment:
        """Give up what was promised and not taken."""
        payment = self.payment(payment_id)
        left = payment.authorized_minor - payment.captured_minor - payment.voided_minor
        _within(payment, "voided", left, left)
        payment.voided_minor += left
        payment.moved_minor = left
        payment.restate()
        self._save(payment)
        self._tell("payment.voided", payment.id)
        return payment

    def refund(self, payment_id: str, amount_minor: int, key: str) -> Payment:
        """Give back some of what was taken and is not disputed."""
        payment = self.payment(payment_id)
        left = payment.captured_minor - payment.refunded_minor - payment.disputed_minor
        _within(payment, "refunded", amount_minor, left)
        payment.refunded_minor += amount_minor
        payment.moved_minor = amount_minor
        payment.restate()
        self._move("refund", payment, amount_minor, 0, key)
        self._save(payment)
        self._tell("payment.refunded", payment.id)
        return payment

    # Disputes

    def dispute(self, dispute_id: str) -> Dispute:
        """Return a dispute, or refuse its id."""
        row = self._db.execute("SELECT body FROM dispute WHERE id = ?", (dispute_id,)).fetchone()
        if row is None:
            raise RefusedError("unknown_dispute", f"There is no dispute {dispute_id}.", 404)
        return msgspec.json.decode(row[0], type=Dispute)

    def send_evidence(self, dispute_id: str, evidence: str) -> Dispute:
        """Take the merchant's word; what it holds may decide at once."""
        dispute = self.dispute(dispute_id)
        if dispute.state != "opened":
            raise RefusedError("dispute_not_open", f"The dispute {dispute_id} is {dispute.state}: evidence comes too late.")
        dispute.state, dispute.evidence = "evidence_sent", evidence
        self._save_dispute(dispute)
        if WINNING_EVIDENCE in evidence or LOSING_EVIDENCE in evidence:
            return self.decide(dispute_id, won=WINNING_EVIDENCE in evidence)
        return dispute

    def decide(self, dispute_id: str, *, won: bool) -> Dispute:
        """Decide a dispute as the bank."""
        dispute = self.dispute(dispute_id)
        if dispute.state in {"won", "lost"}:
            raise RefusedError("dispute_decided", f"The dispute {dispute_id} is {dispute.state} already.")
        dispute.state = "won" if won else "lost"
        payment = self.payment(dispute.payment_id)
        if won:
            payment.disputed_minor -= dispute.amount_minor
            self._save(payment)
        else:
            self._move("dispute", payment, dispute.amount_minor, DISPUTE_FEE_MINOR, dispute.id)
        self._save_dispute(dispute)
        return dispute

    def open_dispute(self, payment_id: str, amount_minor: int) -> Dispute:
        """Hold money back for a buyer who disputes a payment."""
        payment = self.payment(payment_id)
        left = payment.captured_minor - payment.refunded_minor - payment.disputed_minor
        _within(payment, "disputed", amount_minor, left)
        dispute = self._open_dispute(payment, amount_minor)
        self._save(payment)
        return dispute

    # The report, payouts and settings

    def payments(self, cursor: int) -> tuple[list[Payment], int, bool]:
        """Return payments after the cursor, the next cursor, and whether there are more."""
        rows = self._db.execute(
            "SELECT seq, body FROM payment WHERE seq > ? ORDER BY seq LIMIT ?", (cursor, PAGE + 1)
        ).fetchall()
        page = rows[:PAGE]
        return [msgspec.json.decode(row[1], type=Payment) for row in page], page[-1][0] if page else cursor, len(rows) > PAGE

    def report(self, cursor: int) -> tuple[list[dict[str, object]], int, bool]:
        """Return movements after the cursor, the next cursor, and whether there are more."""
        found = self._db.execute("SELECT * FROM movement WHERE seq > ? ORDER BY seq LIMIT ?", (cursor, PAGE + 1))
        names = [column[0] for column in found.description]
        rows = found.fetchall()
        page = rows[:PAGE]
        lines = [dict(zip(names[1:], row[1:], strict=True)) for row in page]
        return lines, page[-1][0] if page else cursor, len(rows) > PAGE

    def pay_out(self) -> list[str]:
        """Pay what is due in each currency to the merchant's bank; return the ids of the payouts."""
        due = self._db.execute(
            "SELECT currency, sum(CASE kind WHEN 'capture' THEN amount_minor ELSE -amount_minor END), sum(fee_minor) "
            "FROM movement WHERE payout = '' GROUP BY currency"
        ).fetchall()
        made = []
        for currency, amount_minor, fee_minor in due:
            if amount_minor <= fee_minor:
                continue  # what is owed to the gateway is kept back from the next one
            payout = f"po_{secrets.token_hex(8)}"
            self._db.execute("UPDATE movement SET payout = ? WHERE payout = '' AND currency = ?", (payout, currency))
            self._insert(("payout", "", None, payout, amount_minor - fee_minor, fee_minor, currency, payout))
            self._tell("payout.paid")
            made.append(payout)
        return made

    def subscribe(self, subscriber: Subscriber) -> None:
        """Send webhooks of these kinds there from now on; an empty address stops them."""
        if subscriber.url and not subscriber.url.startswith(("http://", "https://")):
            raise RefusedError("bad_url", f"{subscriber.url!r} is no http address.", 400)
        self._db.execute("INSERT OR REPLACE INTO setting VALUES ('subscriber', ?)", (msgspec.json.encode(subscriber),))
        self.subscriber = subscriber

    # What was answered to a key, and webhooks that wait

    def answered(self, key: str, asked: str) -> bytes | None:
        """Return the answer that a key has got; another question under the same key is refused."""
        row = self._db.execute("SELECT asked, body FROM answer WHERE key = ?", (key,)).fetchone()
        if row and row[0] != asked:
            raise RefusedError("key_reused", f"The idempotency key {key!r} was used for another request.", 422)
        return bytes(row[1]) if row else None

    def remember(self, key: str, asked: str, body: bytes) -> None:
        """Keep the answer that this key gets from now on."""
        self._db.execute("INSERT INTO answer VALUES (?, ?, ?)", (key, asked, body))

    def unsent(self, now: float) -> list[tuple[int, bytes, int, int]]:
        """Return webhooks that are due: number, body, how often sent, how often tried."""
        return self._db.execute(
            "SELECT seq, body, sent, tries FROM event WHERE sent < 2 AND due <= ? ORDER BY due, seq LIMIT 50", (now,)
        ).fetchall()

    def mark(self, tried: Sequence[tuple[int, int, int, float]]) -> None:
        """Note how often each webhook was sent and tried, and when it is due again."""
        self._db.executemany("UPDATE event SET sent = ?2, tries = ?3, due = ?4 WHERE seq = ?1", tried)

    def _behaviour(self, asked: Asked) -> tuple[Behaviour, str]:
        """Return what the token makes us do, and the reason for which it is declined, if it is."""
        if not _REFERENCE.fullmatch(asked.reference):
            raise RefusedError("bad_reference", "A reference has 1 to 100 visible ASCII characters.", 400)
        if not _CURRENCY.fullmatch(asked.currency):
            raise RefusedError("bad_currency", f"{asked.currency!r} is no currency code.", 400)
        if not 1 <= asked.amount_minor <= MINOR_MAX:
            raise RefusedError("bad_amount", f"An amount of {asked.amount_minor} cannot be charged: 1 to {MINOR_MAX}.", 400)
        if asked.return_url and not asked.return_url.startswith(("http://", "https://")):
            raise RefusedError("bad_return_url", "return_url is no http address.", 400)
        behaviour = TOKENS.get(self._card(asked))
        if behaviour is None:
            raise RefusedError("unknown_token", f"There is no token {asked.token[:40]!r}: see the test tokens.", 400)
        return behaviour, self._decline(asked, behaviour)

    def _decline(self, asked: Asked, behaviour: Behaviour) -> str:
        if not (asked.stored and behaviour.stored_declined):
            return behaviour.declined
        charges = self._db.execute("SELECT charges FROM method WHERE id = ?", (asked.token,)).fetchone()[0]
        self._db.execute("UPDATE method SET charges = charges + 1 WHERE id = ?", (asked.token,))
        return behaviour.stored_declined if charges < behaviour.stored_declines else ""

    def _card(self, of: Asked | Payment) -> str:
        """Return the test token behind a token: of a kept method, the one it was kept from."""
        if not of.token.startswith("pm_"):
            return of.token
        row = self._db.execute("SELECT token FROM method WHERE id = ?", (of.token,)).fetchone()
        return str(row[0]) if row else ""

    def _promise(self, payment: Payment) -> None:
        """Do what an authorization does: keep the method, capture at once where that was asked."""
        if payment.keep:
            payment.method = f"pm_{secrets.token_hex(12)}"
            self._db.execute("INSERT INTO method VALUES (?, ?, 0)", (payment.method, self._card(payment)))
        if payment.capture:
            self._capture(payment, payment.authorized_minor, payment.reference)

    def _capture(self, payment: Payment, amount_minor: int, key: str) -> None:
        first = payment.captured_minor == 0
        payment.captured_minor += amount_minor
        payment.moved_minor = amount_minor
        payment.restate()
        self._move("capture", payment, amount_minor, FEE_MINOR + amount_minor * FEE_PERMILLE // 1000, key)
        self._tell("payment.captured", payment.id)
        if first and TOKENS[self._card(payment)].disputed:
            self._open_dispute(payment, amount_minor)

    def _open_dispute(self, payment: Payment, amount_minor: int) -> Dispute:
        due = (datetime.now(UTC) + timedelta(days=EVIDENCE_DAYS)).isoformat()
        dispute = Dispute(
            id=f"dsp_{secrets.token_hex(12)}", payment_id=payment.id, state="opened", amount_minor=amount_minor,
            currency=payment.currency, reason="fraudulent", evidence_due=due,
        )  # fmt: skip
        payment.disputed_minor += amount_minor
        self._save_dispute(dispute)
        return dispute

    def _save(self, payment: Payment) -> None:
        self._db.execute("UPDATE payment SET body = ? WHERE id = ?", (msgspec.json.encode(payment), payment.id))

    def _save_dispute(self, dispute: Dispute) -> None:
        self._db.execute("INSERT OR REPLACE INTO dispute VALUES (?, ?)", (dispute.id, msgspec.json.encode(dispute)))
        self._tell(f"dispute.{dispute.state}", dispute.payment_id, dispute.id)

    def _move(self, kind: str, payment: Payment, amount_minor: int, fee_minor: int, key: str) -> None:
        self._insert((kind, payment.id, payment.reference, key, amount_minor, fee_minor, payment.currency, ""))

    def _insert(self, movement: tuple[object, ...]) -> None:
        self._db.execute(
            "INSERT INTO movement (id, at, kind, payment_id, reference, key, amount_minor, fee_minor, currency, payout) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (f"mov_{secrets.token_hex(12)}", datetime.now(UTC).isoformat(), *movement),
        )

    def _tell(self, kind: str, payment_id: str = "", dispute_id: str = "") -> None:
        if kind not in self.subscriber.kinds:
            return
        body = {"id": f"evt_{secrets.token_hex(12)}", "kind": kind, "payment_id": payment_id, "dispute_id": dispute_id}
        self._db.execute(
            "INSERT INTO event (body, sent, tries, due) VALUES (?, 0, 0, ?)", (msgspec.json.encode(body), time.time())
        )

    def _setting(self, name: str, of: type[Subscriber]) -> Subscriber | None:
        row = self._db.execute("SELECT body FROM setting WHERE name = ?", (name,)).fetchone()
        return msgspec.json.decode(row[0], type=of) if row else None


def _same(known: Payment, asked: Asked) -> Payment:
    before = (known.token, known.asked_minor, known.currency, known.capture, known.stored)
    if before != (asked.token, asked.amount_minor, asked.currency, asked.capture, asked.stored):
        raise RefusedError("reference_reused", f"The reference {asked.reference} was used for another payment.", 422)
    return known


def _within(payment: Payment, what: str, amount_minor: int, left: int) -> None:
    if not 1 <= amount_minor <= left:
        raise RefusedError(
            "amount_too_large", f"{amount_minor} of {payment.id} cannot be {what}: 1 to {left} {payment.currency} minor units."
        )
