"""Letters as files: one ``.eml`` each, in a folder that only its owner reads. For a laptop; ``entrepot mail`` shows them."""

import asyncio
import os
from pathlib import Path

from entrepot.base.errors import EngineAwayError
from entrepot.base.time import Clock
from entrepot.partners.mail.message import message
from entrepot.partners.mail.port import Letter


class FileMail:
    """Puts letters into a folder; the same letter again is the same file."""

    def __init__(self, folder: Path, sender: str, clock: Clock) -> None:
        self._folder, self._sender, self._clock = folder, sender, clock

    async def send(self, letter: Letter) -> None:
        """Write a letter, whole or not at all."""
        try:
            await asyncio.to_thread(self._write, letter)
        except OSError as error:
            raise EngineAwayError("mail", str(error)) from error

    def _write(self, letter: Letter) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / f"{letter.reference}.eml"
        part = path.with_suffix(".part")
        part.touch(mode=0o600)
        with part.open("wb") as file:
            file.write(message(letter, self._sender, self._clock).as_bytes())
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
