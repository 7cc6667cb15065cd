"""Which keeper an address means."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from entrepot.base.errors import BadInputError
from entrepot.partners.keys.file import FileKeyring
from entrepot.partners.keys.kms import AwsKms
from entrepot.partners.keys.port import KeyProvider


def key_provider(url: str) -> KeyProvider:
    """Return the keeper at ``file:///absolute/path`` or ``awskms://key?region=...``; another address is refused."""
    parts = urlsplit(url)
    match parts.scheme:
        case "file" if parts.path and not parts.netloc:
            return FileKeyring(Path(unquote(parts.path)))
        case "awskms":
            return AwsKms(url)
        case _:
            raise BadInputError("ENTREPOT_KEYS_URL is no address of keys: give file:///path or awskms://<key id>?region=... .")
