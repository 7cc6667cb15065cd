"""The rejects file: one JSON line per row that became nothing, with its line number and the reason."""

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from entrepot.base.errors import BadInputError
from entrepot.importing.documents import Reject


class RejectsFile:
    """Writes what of a source is rejected, as it comes; a run that is repeated writes the file anew, with the same rejects."""

    def __init__(self, path: Path | None, source: Path) -> None:
        if path and path.is_dir():
            raise BadInputError(f"The rejects file {path} is a folder: name a file in it.", file=str(path))
        if path and path.exists() and path.samefile(source):
            raise BadInputError(f"{path} cannot be both what is imported and the rejects file: name another.", file=str(path))
        self._path = path
        self._partial = path.with_name(path.name + ".partial") if path else None
        self.written = 0

    def __enter__(self) -> Self:
        if self._partial:
            try:
                self._partial.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._partial.open("wb")
            except OSError as error:
                raise BadInputError(
                    f"The rejects file {self._path} cannot be written ({error.strerror}): name another."
                ) from error
        return self

    @property
    def name(self) -> str:
        """Where the rejects are to be found; empty when there are none."""
        return str(self._path) if self._path and self.written else ""

    def write(self, rejects: Iterable[Reject]) -> None:
        """Append rejects."""
        for reject in rejects:
            self.written += 1
            if self._partial:
                line = {"line": reject.line, "reason": reject.reason, "row": reject.raw}
                self._file.write(msgspec.json.encode(line, enc_hook=str) + b"\n")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._partial and self._path:
            try:
                self._file.close()
            except OSError:  # the disk is full: do not leave what filled it
                self._partial.unlink()
                raise
            if self.written:
                self._partial.replace(self._path)
                return
            self._partial.unlink()
            if error is None:  # a whole run without a reject: what an earlier one rejected is settled
                self._path.unlink(missing_ok=True)
