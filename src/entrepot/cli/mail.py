"""`entrepot mail`: shows the letters that lie in the home folder, where no mail server is named."""

import email.policy
import os
from collections.abc import Sequence
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from entrepot.base.errors import NotFoundError
from entrepot.settings import load

NEWEST = "newest"


class LetterLine(Struct, frozen=True, kw_only=True):
    """A letter in the list."""

    id: str
    at: str
    to: str
    subject: str


def mail(which: str = "", *, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """List the letters that were written, or read one.

    Parameters
    ----------
    which
        The id of a letter, or "newest".
    json
        Print JSON.
    """
    paths = sorted((load(os.environ).home / "mail").glob("*.eml"), reverse=True)
    if which:
        _read(_found(paths, which), as_json=json)
        return
    lines = [_line(path) for path in paths]
    if json:
        print(msgspec.json.encode({"letters": lines}).decode())
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("id", "written", "to", "subject"):
        table.add_column(heading, no_wrap=heading == "id")
    for one in lines:
        table.add_row(one.id, one.at, one.to, one.subject)
    Console().print(table)


def _found(paths: Sequence[Path], which: str) -> Path:
    found = next((path for path in paths if which in {NEWEST, path.stem}), None)
    if found is None:
        raise NotFoundError(f"There is no letter {which!r}: 'entrepot mail' lists those that there are.")
    return found


def _read(path: Path, *, as_json: bool) -> None:
    line, text = _line(path), str(_message(path).get_content())
    if as_json:
        print(msgspec.json.encode({"letter": line, "text": text}).decode())
    else:
        print(f"To: {line.to}\nSubject: {line.subject}\n\n{text}", end="")


def _line(path: Path) -> LetterLine:
    message = _message(path)
    return LetterLine(id=path.stem, at=str(message["Date"]), to=str(message["To"]), subject=str(message["Subject"]))


def _message(path: Path) -> EmailMessage:
    return BytesParser(policy=email.policy.default).parsebytes(path.read_bytes())
