"""The static files, read once: each under an address that names its content, so that it may be kept for ever."""

import gzip
import hashlib
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath
from msgspec import Struct

from entrepot.base.errors import NotFoundError

_TYPES = {
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
    "LICENSE": "text/plain",
}
_DIGEST_CHARS = 12


class Asset(Struct, frozen=True):
    """One file: its type, its content, the same compressed, and what names the content."""

    media_type: str
    content: bytes
    zipped: bytes
    digest: str


@lru_cache(maxsize=1)
def assets() -> dict[str, Asset]:
    """Return every static file by its name below ``static``."""
    return dict(_read(files("entrepot.console").joinpath("static"), ""))


def address(name: str) -> str:
    """Return the address of a file, which changes with its content."""
    return f"/assets/{name}?v={assets()[name].digest}"


@get("/assets/{name:path}", include_in_schema=False, opt={"permission": "docs.read"})
async def asset(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """Send a static file."""
    found = assets().get(name.lstrip("/"))
    if found is None:
        raise NotFoundError(f"There is no file {name}.", name=name)
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "ETag": f'"{found.digest}"', "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(b"", status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.zipped, media_type=found.media_type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(found.content, media_type=found.media_type, headers=headers)


def _read(folder: Traversable, prefix: str) -> list[tuple[str, Asset]]:
    found: list[tuple[str, Asset]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _read(entry, f"{prefix}{entry.name}/")
        else:
            content = entry.read_bytes()
            digest = hashlib.sha256(content).hexdigest()[:_DIGEST_CHARS]
            media_type = _TYPES.get(entry.name.rsplit(".", 1)[-1], "application/octet-stream")
            found.append((prefix + entry.name, Asset(media_type, content, gzip.compress(content, 9, mtime=0), digest)))
    return found
