"""What two books say differently: ours and the gateway's. Pure."""

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

from entrepot.commerce.payment.rules import Operation, Payment
from entrepot.partners.payment.port import GatewayPayment, Movement

About = Literal["payment", "capture", "refund", "dispute", "payout", "ledger"]
Why = Literal["missing_here", "missing_there", "other_amount", "other_state"]
Amount: TypeAlias = tuple[int, str]


class Difference(Struct, frozen=True):
    """One thing that the two books say differently; ``here`` and ``there`` are what each says of it."""

    about: About
    id: str
    why: Why
    here: str = ""
    there: str = ""

    def __str__(self) -> str:
        here, there = self.here or "nothing", self.there or "nothing"
        return f"{self.about} {self.id}: {self.why.replace('_', ' ')} (here {here}, there {there})"


def of_payment(there: GatewayPayment, here: Payment | None) -> Difference | None:
    """Compare one payment. What the gateway has and holds nothing of (declined, given back whole) need not be here."""
    nothing = there.state in {"challenged", "declined"} or is_gone(there)
    if here is None:
        return None if nothing else Difference("payment", str(there.reference), "missing_here", "", _amounts(there))
    if there.state in {"challenged", "declined"}:
        return Difference("payment", str(here.id), "other_state", here.state, there.state)
    ours, theirs = _amounts(here), _amounts(there)
    return None if ours == theirs else Difference("payment", str(here.id), "other_amount", ours, theirs)


def is_gone(there: GatewayPayment) -> bool:
    """Say whether all that was promised was given up or given back."""
    held = there.captured_minor - there.refunded_minor
    return not held and there.captured_minor + there.voided_minor == there.authorized_minor


def of_operation(there: Movement, here: Operation | None) -> Difference | None:
    """Compare a capture or a refund with the operation that asked for it."""
    about: About = "refund" if there.kind == "refund" else "capture"
    told = f"{there.amount_minor} {there.currency}"
    if here is None:
        return Difference(about, there.key or there.id, "missing_here", "", told)
    ours = f"{here.amount_minor} {here.currency}"
    if (here.kind, here.state) != (there.kind, "done"):
        return Difference(about, there.key, "other_state", f"{here.kind} {here.state} {ours}", f"{there.kind} done {told}")
    return None if ours == told else Difference(about, there.key, "other_amount", ours, told)


def of_amounts(about: About, here: Mapping[str, Amount], there: Mapping[str, Amount]) -> Iterable[Difference]:
    """Compare what each book has under the same ids."""
    for name in sorted(here.keys() | there.keys()):
        ours, theirs = (f"{book[name][0]} {book[name][1]}" if name in book else "" for book in (here, there))
        if ours != theirs:
            yield Difference(about, name, _why(ours, theirs), ours, theirs)


def of_balances(here: Mapping[str, int], there: Mapping[str, int]) -> Iterable[Difference]:
    """Compare what the ledger says that the gateway holds with what its report sums to, by currency."""
    for currency in sorted(here.keys() | there.keys()):
        ours, theirs = here.get(currency, 0), there.get(currency, 0)
        if ours != theirs:
            yield Difference("ledger", currency, "other_amount", str(ours), str(theirs))


def signed(movement: Movement) -> int:
    """Return what a movement does to what the gateway holds for us."""
    return movement.amount_minor if movement.kind == "capture" else -movement.amount_minor - paid_fee(movement)


def paid_fee(movement: Movement) -> int:
    """Return the fee that leaves with a movement: fees leave with payouts, which sum those of what they pay."""
    return movement.fee_minor if movement.kind == "payout" else 0


def _why(ours: str, theirs: str) -> Why:
    return "missing_here" if not ours else "missing_there" if not theirs else "other_amount"


def _amounts(of: Payment | GatewayPayment) -> str:
    return (
        f"{of.currency} authorized {of.authorized_minor} captured {of.captured_minor} voided {of.voided_minor} "
        f"refunded {of.refunded_minor} disputed {of.disputed_minor}"
    )
