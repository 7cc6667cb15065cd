"""``entrepot down``: stop everything that runs for this home."""

import os

import msgspec

from entrepot import settings
from entrepot.local import control


async def down(*, json: bool = False) -> int:
    """Stop the embedded engines and their supervisor; what they keep stays.

    Parameters
    ----------
    json
        Print JSON instead of a sentence.
    """
    stopped = await control.stop(settings.load(os.environ))
    if json:
        print(msgspec.json.encode({"stopped": stopped}).decode())
    elif stopped:
        print("Stopped " + ", ".join(f"{role} ({pid})" for role, pid in stopped.items()) + ".")
    else:
        print("Nothing was running.")
    return 0
