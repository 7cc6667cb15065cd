"""Digital goods in the back office: which file comes with which article, and a form that takes one."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromQuery
from litestar.response import Redirect

from entrepot.api.cards import refuse_cards
from entrepot.api.parts import Parts
from entrepot.api.uploading import take_file
from entrepot.base.errors import BadInputError, EntrepotError
from entrepot.base.limits import FILE_BYTES_MAX
from entrepot.commerce.digital.query import articles
from entrepot.commerce.digital.rules import FileDraft
from entrepot.console.forms import key_of, text, whole_number
from entrepot.console.office import LIMIT, office_page

PART_BYTES = 1 << 20

Upload = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART)]


@get("/office/files", include_in_schema=False, opt={"permission": "stock.read"})
async def list_files(parts: NamedDependency[Parts], done: FromQuery[str] = "") -> Response[str]:
    """Show digital articles with their files."""
    return await _files_page(parts, done="The file is kept, for who buys it from now on." if done else "")


@post("/office/files", include_in_schema=False, request_max_body_size=FILE_BYTES_MAX, opt={"permission": "digital.write"})
async def send_file(parts: NamedDependency[Parts], data: Upload) -> Response[Any]:
    """Take a file for an article, or say why not; what was typed stays."""
    file = data.get("file")
    typed = {name: value for name, value in data.items() if isinstance(value, str)}
    try:
        for value in typed.values():  # the edge looks through no file, and these came with one
            refuse_cards("form", value.encode())
        if not isinstance(file, UploadFile) or not file.filename:
            raise BadInputError("No file was chosen.", field="file")
        draft = FileDraft(
            object="",
            file_name=text(typed, "file_name") or file.filename.replace("\\", "/").rpartition("/")[2],
            downloads_most=whole_number(typed, "downloads_most"),
            days=whole_number(typed, "days"),
        )
        await take_file(parts, text(typed, "sku"), draft, _content(file), key_of(typed, parts))
    except EntrepotError as error:
        return await _files_page(parts, wrong=str(error), typed=typed, status=error.status)
    return Redirect("/office/files?done=yes", status_code=303)


HANDLERS = [list_files, send_file]


async def _content(file: UploadFile) -> AsyncIterator[bytes]:
    while part := await file.read(PART_BYTES):
        yield part


async def _files_page(
    parts: Parts, *, done: str = "", wrong: str = "", typed: dict[str, str] | None = None, status: int = 200
) -> Response[str]:
    async with parts.record.committing() as connection:
        items = await articles(connection, parts.cell, LIMIT)
    context = {
        "items": items,
        "mebibytes": FILE_BYTES_MAX >> 20,
        "done": done,
        "wrong": wrong,
        "typed": typed or {},
        "key": parts.record.ids.fresh(),
    }
    return office_page("files.html", "files", context, status=status)
