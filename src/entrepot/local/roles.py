"""The users of a PostgreSQL server: the statements that make them, for the embedded server and for one of your own.

Which tables each may touch is not said here: ``record/grants.sql`` says it, after every migration.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable
from importlib.resources import files
from typing import Final

OWNER, PLATFORM, TENANT, READER, BACKUP = (
    *("entrepot_owner", "entrepot_platform", "entrepot_tenant"),
    *("entrepot_reader", "entrepot_backup"),
)
USERS: Final = (OWNER, PLATFORM, TENANT, READER, BACKUP)
DOCUMENTS: Final = "entrepot_documents"


def derived(secret: str, user: str) -> str:
    """Return the password of a user of the embedded server: from its secret, and no way back to it or to another's."""
    return urlsafe_b64encode(hmac.digest(secret.encode(), user.encode(), hashlib.sha256)).decode().rstrip("=")


def record_users(password: Callable[[str], str]) -> str:
    """Return what makes the users of the record and gives the owner what is there already."""
    text = files("entrepot.local").joinpath("roles.sql").read_text()
    for user in USERS:
        text = text.replace(f"<{user}>", password(user))
    return f"{text}\n{ownership(OWNER)}"


def ownership(owner: str) -> str:
    """Return what gives a database and everything in it to one user."""
    return files("entrepot.local").joinpath("takeover.sql").read_text().replace("<owner>", owner)
