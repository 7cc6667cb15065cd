"""The label of a parcel of ours, 4 by 6 inches, as a PDF or in ZPL (what label printers speak). Pure; keeps nothing.

Its code is a QR code of the number. The PDF is written by hand, for which no package is needed: one page, squares, and a font
that every reader has. That one knows the letters of Western Europe alone; whoever is called in others is printed by ZPL.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from entrepot.base.late import Late
from entrepot.partners.carrier.port import Consignment, LabelKind

if TYPE_CHECKING:
    import segno
else:
    segno = Late("segno")

_WIDTH, _HEIGHT = 288, 432  # points, 72 an inch
_DOTS = 203 / 72  # of a usual printer, a point


def drawn(parcel: Consignment, tracking: str, kind: LabelKind) -> bytes:
    """Return the label of a parcel under its number."""
    return _pdf(_lines(parcel), parcel.grams, tracking) if kind == "pdf" else _zpl(_lines(parcel), parcel.grams, tracking)


def _lines(parcel: Consignment) -> list[str]:
    to = parcel.to
    if to is None:
        return []
    place = " ".join(part for part in (to.postcode, to.city, to.region) if part)
    return [line.strip() for line in (to.name, *to.lines, place, to.country) if line.strip()]


def _zpl(lines: Sequence[str], grams: int, tracking: str) -> bytes:
    def text(y: int, size: int, what: str) -> str:
        return f"^FO40,{y}^A0N,{size},{size}^FB730,1^FH_^FD{_escaped(what)}^FS"

    fields = [text(60 + 50 * place, 40, line) for place, line in enumerate(lines)]
    fields += [f"^FO40,560^BQN,2,10^FDMA,{tracking}^FS", text(1_060, 44, tracking), text(1_120, 30, f"{grams} g")]
    size = f"^PW{round(_WIDTH * _DOTS)}^LL{round(_HEIGHT * _DOTS)}"
    return "\n".join(["^XA^CI28", size, *fields, "^XZ", ""]).encode()


def _escaped(text: str) -> str:
    """Return text in which nothing is a command: the printer reads ``_5E`` for ``^``."""
    return "".join(f"_{ord(one):02X}" if one in "^~_" else one for one in text if one.isprintable())


def _pdf(lines: Sequence[str], grams: int, tracking: str) -> bytes:
    shown = [(24, _HEIGHT - 40 - 20 * place, 14, line) for place, line in enumerate(lines)]
    shown += [(24, 56, 13, tracking), (24, 36, 10, f"{grams} g")]
    texts = [b"BT /F1 %d Tf %d %d Td (%b) Tj ET" % (size, x, y, _quoted(text)) for x, y, size, text in shown]
    rows = list(segno.make_qr(tracking, error="m").matrix)
    side = 168 / len(rows)
    squares = [
        b"%.2f %.2f %.2f %.2f re" % (24 + side * x, 80 + side * (len(rows) - 1 - y), side, side)
        for y, row in enumerate(rows)
        for x, dark in enumerate(row)
        if dark
    ]
    return _document(b"\n".join([*texts, *squares, b"f"]))


def _quoted(text: str) -> bytes:
    plain = text.encode("cp1252", errors="replace")
    return plain.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _document(content: bytes) -> bytes:
    """Return a PDF of one page: its objects, and where each begins."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
        % (_WIDTH, _HEIGHT),
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    document, starts = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        starts.append(len(document))
        document += b"%d 0 obj\n%b\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % start for start in starts)
    end = b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return document + end % (len(objects) + 1, table, len(objects) + 1, len(document))
