"""Which files can be sold, and whether one is what its name says and nothing else besides. Pure: it looks at bytes.

A file that is two things at once (a picture that a browser takes for a page, an archive behind a picture) is refused: such
files are made to get past whoever looks at one of the two.
"""

import codecs
import re
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO

from msgspec import Struct

from entrepot.base.errors import BadInputError

HEAD_BYTES = 4_096
_TAIL_BYTES = 1 << 16
_PART_BYTES = 1 << 20
_PDF_BYTES = 1_024  # readers of PDF look for their mark so far

Check = Callable[[bytes, bytes, int], bool]
"""Says by a file's first bytes, its last ones and its size whether it is of a kind."""


class Kind(Struct, frozen=True):
    """A kind of file: what browsers are told that it is, and how its bytes show it. Without a check it is text."""

    media_type: str
    check: Check | None = None


class FileRefusedError(BadInputError):
    """A file is of no kind that is sold here, or its bytes are not what its name says."""

    slug = "file-refused"
    status = 415


def begins(*marks: bytes, at: int = 0) -> Check:
    """Return the check that a file begins with one of these marks."""
    return lambda head, _tail, _size: head[at:].startswith(marks)


def whole(mark: bytes, end: bytes) -> Check:
    """Return the check that a file begins with a mark and ends with another, nothing after it."""
    return lambda head, tail, _size: head.startswith(mark) and tail.endswith(end)


def riff(form: bytes) -> Check:
    """Return the check that a file is one RIFF of this form, to its last byte."""

    def check(head: bytes, _tail: bytes, size: int) -> bool:
        told = int.from_bytes(head[4:8], "little") + 8
        return head.startswith(b"RIFF") and head[8:12] == form and told <= size <= told + 1  # of odd size: one byte of nothing

    return check


def archive(head: bytes, tail: bytes, size: int) -> bool:
    """Say whether a file is a ZIP from its first byte to its last: its directory ends where the file does."""
    return head.startswith(b"PK\x03\x04") and _ends_as_archive(tail) and size > len(b"PK\x03\x04")


def book(head: bytes, tail: bytes, size: int) -> bool:
    """Say whether a file is an EPUB: a ZIP whose first entry says so."""
    return archive(head, tail, size) and b"mimetypeapplication/epub+zip" in head[:100]


def document(head: bytes, tail: bytes, _size: int) -> bool:
    """Say whether a file is a PDF from its first byte to its end mark."""
    return head.startswith(b"%PDF-") and tail.rstrip(b"\r\n \t\0").endswith(b"%%EOF")


_JPEG = whole(b"\xff\xd8\xff", b"\xff\xd9")
_MP4 = begins(b"ftyp", at=4)

KINDS: Mapping[str, Kind] = {
    "pdf": Kind("application/pdf", document),
    "epub": Kind("application/epub+zip", book),
    "zip": Kind("application/zip", archive),
    "png": Kind("image/png", whole(b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82")),
    "jpg": Kind("image/jpeg", _JPEG),
    "jpeg": Kind("image/jpeg", _JPEG),
    "gif": Kind("image/gif", lambda head, tail, _: head.startswith((b"GIF87a", b"GIF89a")) and tail.endswith(b";")),
    "webp": Kind("image/webp", riff(b"WEBP")),
    "wav": Kind("audio/wav", riff(b"WAVE")),
    "mp3": Kind("audio/mpeg", begins(b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")),
    "flac": Kind("audio/flac", begins(b"fLaC")),
    "ogg": Kind("audio/ogg", begins(b"OggS")),
    "m4a": Kind("audio/mp4", _MP4),
    "m4b": Kind("audio/mp4", _MP4),
    "mp4": Kind("video/mp4", _MP4),
    "webm": Kind("video/webm", begins(b"\x1a\x45\xdf\xa3")),
    "txt": Kind("text/plain; charset=utf-8"),
    "csv": Kind("text/csv; charset=utf-8"),
    "json": Kind("application/json"),
}

_PAGE = re.compile(rb"<(?:!doctype|html|head|body|script|svg|iframe)\b", re.IGNORECASE)
_ARCHIVES = {"zip", "epub"}
_END_OF_ARCHIVE = b"PK\x05\x06\0\0\0\0"  # of one volume


def kind_of(file_name: str) -> Kind:
    """Return the kind that a file's name says it is; one that is not sold here is refused."""
    ending = file_name.rpartition(".")[2].lower() if "." in file_name else ""
    if ending not in KINDS:
        raise FileRefusedError(
            f"{file_name[:80]!r} is of no kind that is sold here: {', '.join(sorted(KINDS))} (a program: as zip).", field="file"
        )
    return KINDS[ending]


def check_content(file_name: str, file: BinaryIO) -> str:
    """Return of which media type a file is; refuses one that is not what its name says, or something else as well."""
    kind = kind_of(file_name)
    head, tail, size = _ends_of(file)
    right = _is_text(file) if kind.check is None else kind.check(head, tail, size)
    if not right:
        raise FileRefusedError(f"What {file_name[:80]!r} holds is not what its name says: name it as what it is.", field="file")
    other = next(_others(kind, head, tail), "")
    if other:
        raise FileRefusedError(f"{file_name[:80]!r} is {other} as well: a file is sold that is one thing.", field="file")
    return kind.media_type


def _others(kind: Kind, head: bytes, tail: bytes) -> Iterator[str]:
    if kind is not KINDS["pdf"] and b"%PDF-" in head[:_PDF_BYTES]:
        yield "a PDF"
    if kind not in {KINDS[name] for name in _ARCHIVES} and _END_OF_ARCHIVE in tail:  # some programs skip what follows it
        yield "an archive"
    if _PAGE.search(head):
        yield "a page of the web"


def _ends_as_archive(tail: bytes) -> bool:
    """Say whether a ZIP's directory ends where the file does: its end mark, and a comment as long as it says."""
    at = tail.rfind(_END_OF_ARCHIVE)
    return at >= 0 and len(tail) - at >= 22 and at + 22 + int.from_bytes(tail[at + 20 : at + 22], "little") == len(tail)  # noqa: PLR2004  # the mark's fixed part has 22 bytes


def _ends_of(file: BinaryIO) -> tuple[bytes, bytes, int]:
    size = file.seek(0, 2)
    file.seek(max(size - _TAIL_BYTES - 22, 0))
    tail = file.read()
    file.seek(0)
    return file.read(HEAD_BYTES), tail, size


def _is_text(file: BinaryIO) -> bool:
    decode = codecs.getincrementaldecoder("utf-8")().decode
    file.seek(0)
    try:
        while part := file.read(_PART_BYTES):
            if "\0" in decode(part):
                return False
        decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
