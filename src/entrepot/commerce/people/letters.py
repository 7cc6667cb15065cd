"""What letters say: a subject and a text for each occasion. They greet nobody by name and hold nothing but a link. Pure."""

from collections.abc import Mapping

from msgspec import Struct

from entrepot.base.limits import ERASURE_GRACE_DAYS, LINK_SECONDS
from entrepot.sealing.terms import UNUSED_ACCOUNT_YEARS

SHOP = "Entrepôt"


class Occasion(Struct, frozen=True):
    """Why a letter is written. ``link`` is the purpose of the link that it holds; none holds none."""

    subject: str
    text: str
    link: str = ""


_NOT_YOU = "If it was not you, choose another password now and end the sessions that you do not know."
_IGNORE = (
    f"It is good for {LINK_SECONDS / 60:.0f} minutes, once, and in the browser that it was asked for in. If you did not ask "
    "for this, leave it alone: nothing will happen."
)

OCCASIONS: Mapping[str, Occasion] = {
    "verify": Occasion("Confirm your e-mail address", f"Open this link to finish: {{link}}\n\n{_IGNORE}", "verify"),
    "known": Occasion(
        "You have an account already",
        "Somebody, perhaps you, wanted to register with this address, which has an account already. Nothing was changed: sign "
        "in as you did before, or ask for a new password.",
    ),
    "reset": Occasion("Choose a new password", f"Open this link to choose one: {{link}}\n\n{_IGNORE}", "reset"),
    "sign_in": Occasion("Your link to sign in", f"Open this link to sign in: {{link}}\n\n{_IGNORE}", "sign_in"),
    "email": Occasion("Confirm your new e-mail address", f"Open this link to use it: {{link}}\n\n{_IGNORE}", "email"),
    "email_changed": Occasion("Your e-mail address was changed", f"Letters go to another address from now on. {_NOT_YOU}"),
    "password_changed": Occasion("Your password was changed", f"Every other session has ended. {_NOT_YOU}"),
    "credential_added": Occasion("A way to sign in was added", f"A passkey, a code or another provider. {_NOT_YOU}"),
    "credential_removed": Occasion("A way to sign in was removed", f"A passkey, a code or another provider. {_NOT_YOU}"),
    "recovery_code_used": Occasion("A recovery code was used", f"It is good no more. {_NOT_YOU}"),
    "unused": Occasion(
        "Your account will be closed",
        f"Nobody has used it for {UNUSED_ACCOUNT_YEARS} years: it, and what is known of you, will be forgotten in "
        f"{ERASURE_GRACE_DAYS} days. If you want to keep it, sign in and withdraw the erasure on the page of your privacy.",
    ),
    "new_device": Occasion("A new device has signed in", f"It is one that had not signed you in before. {_NOT_YOU}"),
}
