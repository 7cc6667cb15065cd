"""Pure: "why this price", step by step. The steps of all sum to the total; what only informs adds nothing."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache, partial

from entrepot.base.money import spoken
from entrepot.commerce.checkout.basis import Prepared
from entrepot.commerce.checkout.quote import Explained
from entrepot.commerce.promotion.rules import Candidate, Idle

# Jurisdiction, name of the tax, rate in parts of a million.
Authority = tuple[str, str, int]


def explain(prepared: Prepared, by_authority: Mapping[Authority, tuple[int, int]]) -> list[Explained]:
    """Return why the total is what it is; ``by_authority`` has what is taxed and the tax."""
    return [*_goods(prepared), *_postage(prepared), *_tax(prepared, by_authority)]


def _goods(prepared: Prepared) -> list[Explained]:
    say = partial(spoken, of=prepared.setting.currency)
    steps = []
    for number, line in enumerate(prepared.lines, 1):
        about = f"line {number}"
        first = f"{line.wanted.quantity} x {line.wanted.sku} at {say(line.unit_minor)}: {line.why}"
        steps.append(Explained(about=about, sentence=first, amount_minor=line.unit_minor * line.wanted.quantity))
        steps += [
            Explained(about=about, sentence=_named(one.candidate), amount_minor=-one.off[number - 1])
            for one in prepared.settled.applied
            if one.off[number - 1]
        ]
    steps += [
        Explained(about=_idle(idle.candidate), sentence=f"not used: {_why(idle, say)}", amount_minor=0)
        for idle in prepared.settled.idle
        if idle.candidate.coupon or idle.told
    ]
    return steps


def _idle(one: Candidate) -> str:
    return f"coupon {one.coupon.code}" if one.coupon else f"promotion {one.promotion.title} ({one.promotion.code})"


def _why(idle: Idle, say: Callable[[int], str]) -> str:
    return f"goods for {say(idle.short_minor)} more are needed" if idle.short_minor else idle.why


def _postage(prepared: Prepared) -> list[Explained]:
    chosen = prepared.shipping.chosen
    if chosen is None:
        return [Explained(about="postage", sentence="nothing needs shipping", amount_minor=0)]
    arrives = f", arrives {chosen.earliest} to {chosen.latest}" if chosen.earliest else ""
    free = "" if chosen.amount_minor == chosen.list_minor else ", free for goods of this value"
    steps = [Explained(about="postage", sentence=f"{chosen.title}{free}{arrives}", amount_minor=chosen.amount_minor)]
    return steps + [
        Explained(about="postage", sentence=_named(one.candidate), amount_minor=-one.postage_minor)
        for one in prepared.settled.applied
        if one.postage_minor
    ]


def _tax(prepared: Prepared, by_authority: Mapping[Authority, tuple[int, int]]) -> list[Explained]:
    say = partial(spoken, of=prepared.setting.currency)
    steps = [Explained(about="tax", sentence=prepared.setting.treatment.sentence, amount_minor=0)]
    for (jurisdiction, name, rate), (base, tax) in by_authority.items():
        of = f"{name} {jurisdiction} {_percent(rate)} of {say(base)}"
        if prepared.question.included:
            steps.append(Explained(about="tax", sentence=f"{of}, {say(tax)}, is included", amount_minor=0))
        else:
            steps.append(Explained(about="tax", sentence=of, amount_minor=tax))
    return steps


def _named(one: Candidate) -> str:
    return (
        f"{one.promotion.title} (coupon {one.coupon.code})" if one.coupon else f"{one.promotion.title} ({one.promotion.code})"
    )


@lru_cache
def _percent(ppm: int) -> str:
    return f"{Decimal(ppm).scaleb(-4).normalize():f}%"
