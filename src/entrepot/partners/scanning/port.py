"""What can be asked of a scanner of files: whether it knows something malicious in one."""

from pathlib import Path
from typing import Protocol


class FileScanner(Protocol):
    """A scanner. ``EngineAwayError`` when it does not answer, or cannot say: what was not looked at is not clean."""

    async def found_in(self, path: Path) -> str:
        """Return what a file is known as; empty where nothing malicious is known in it."""
        ...
