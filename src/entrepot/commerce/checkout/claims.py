"""The claim: what a checkout uses of something that may be used only so often, or up to so much.

A coupon, a coupon by one customer, a company's credit: each is a row of ``checkout.allowance``, decided in the hot path like
stock, in the order of arrival. Only the hot path takes from it; other rooms set its limit and give back (docs/decisions/0010).
"""

from msgspec import Struct


class Claim(Struct, frozen=True):
    """So much of the allowance ``name``; with ``most`` the allowance is made when it is not there yet.

    Names: ``coupon/SUMMER``, ``coupon/SUMMER/<customer>``, ``promotion/SPRING``, ``promotion/SPRING/<customer>``,
    ``credit/<company>``.
    """

    name: str
    amount: int
    most: int | None = None
