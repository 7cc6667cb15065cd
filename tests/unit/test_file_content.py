"""Files that are sold are what their names say, and nothing else besides."""

import io
import zipfile

import pytest

from entrepot.commerce.digital.content import KINDS, FileRefusedError, check_content, kind_of


def packed(first: str = "a.txt", text: str = "stars") -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as file:
        file.writestr(first, text)
    return kept.getvalue()


PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40 + b"\x00\x00\x00\x00IEND\xaeB`\x82"
WAV = b"RIFF" + (4 + 20).to_bytes(4, "little") + b"WAVE" + bytes(20)
PDF = b"%PDF-1.7\n1 0 obj\nendobj\ntrailer\n%%EOF\n"
RIGHT = {
    "a.pdf": PDF,
    "A.PDF": PDF,
    "a.zip": packed(),
    "a.epub": packed("mimetype", "application/epub+zip"),
    "a.png": PNG,
    "a.jpeg": b"\xff\xd8\xff\xe0" + bytes(30) + b"\xff\xd9",
    "a.gif": b"GIF89a" + bytes(30) + b";",
    "a.wav": WAV,
    "a.mp3": b"ID3" + bytes(30),
    "a.mp4": bytes(4) + b"ftypisom" + bytes(30),
    "a.txt": "Sterne über dem Meer".encode(),
    "a.json": b'{"stars": 9}',
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_file_that_is_what_its_name_says_is_taken(name: str) -> None:
    assert check_content(name, io.BytesIO(RIGHT[name])) == kind_of(name).media_type


@pytest.mark.parametrize("name", ["a.exe", "a.html", "a.svg", "noending", "a.pdf.js", ".htaccess"])
def test_a_kind_that_is_not_sold_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(FileRefusedError, match="of no kind that is sold here"):
        kind_of(name)


@pytest.mark.parametrize("ending", KINDS)
def test_a_program_is_taken_under_no_name(ending: str) -> None:
    with pytest.raises(FileRefusedError, match="not what its name says"):
        check_content(f"a.{ending}", io.BytesIO(b"MZ\x90\x00" + bytes(60)))


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("a.png", PNG + b"<script>1</script>"),
        ("a.jpg", b"\xff\xd8\xff\xe0" + packed()),
        ("a.wav", WAV + packed()),
        ("a.zip", b"#!/bin/sh\n" + packed()),
        ("a.pdf", b"GIF89a" + PDF),
        ("a.epub", packed()),
        ("a.txt", b"\xff\xfe\x00"),
    ],
)
def test_what_goes_on_after_its_end_or_begins_before_its_beginning_is_refused(name: str, held: bytes) -> None:
    with pytest.raises(FileRefusedError, match="not what its name says"):
        check_content(name, io.BytesIO(held))


@pytest.mark.parametrize(
    ("name", "held", "other"),
    [
        ("a.mp3", b"ID3" + packed(), "an archive"),
        ("a.mp4", bytes(4) + b"ftypisom" + PDF, "a PDF"),
        ("a.txt", b"<!DOCTYPE html><script>alert(1)</script>", "a page of the web"),
        ("a.gif", b"GIF89a/*<svg onload=1>*/;", "a page of the web"),
        ("a.pdf", PDF[:-6] + packed() + b"%%EOF", "an archive"),
        ("a.zip", packed("%PDF-1.7", "x"), "a PDF"),
    ],
)
def test_a_file_that_is_two_things_is_refused(name: str, held: bytes, other: str) -> None:
    with pytest.raises(FileRefusedError, match=f"is {other} as well"):
        check_content(name, io.BytesIO(held))
