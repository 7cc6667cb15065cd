"""The challenge: the page on which a buyer would prove who they are, with a button for each outcome."""

from html import escape

from entrepot.local.gateway.messages import Payment

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sandbox bank</title>
<style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }}
body {{ max-width: 26rem; margin: 12vh auto; padding: 0 1rem }}
button {{ font: inherit; padding: .6rem 1.2rem; margin-right: .6rem; border-radius: .4rem; border: 1px solid; cursor: pointer }}
button[value=approve] {{ background: #0b6; border-color: #0b6; color: #000 }}
</style>
<h1>Sandbox bank</h1>
<p>{amount} with {label}.</p>
{rest}
</html>"""
_FORM = """<p>Your bank wants to know that it is you.</p>
<form method="post">
<button name="answer" value="approve">Approve</button>
<button name="answer" value="refuse">Refuse</button>
</form>"""


def page(payment: Payment) -> bytes:
    """Return the page of a payment: the question, or what became of it."""
    rest = _FORM if payment.state == "challenged" else f"<p>This payment is {escape(payment.state)}.</p>"
    amount = f"{payment.asked_minor} {escape(payment.currency)} (minor units)"
    return _PAGE.format(amount=amount, label=escape(payment.label), rest=rest).encode()
