"""Takes a file that is sold: into the objects engine first, then offered with its article; what is refused leaves none."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from msgspec import structs

from entrepot.api.catalogue import Done, done
from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError
from entrepot.commerce.digital import commands, content, rules
from entrepot.commerce.digital.content import FileRefusedError
from entrepot.commerce.digital.rules import FileDraft
from entrepot.partners.scanning.port import FileScanner
from entrepot.record.transaction import Transaction


async def take_file(parts: Parts, sku: str, draft: FileDraft, sent: AsyncIterator[bytes], key: str | None) -> Done:
    """Keep a file under a key of its own and offer it with its article; who has bought an earlier one keeps that.

    ``draft.object`` is not known before, and is left empty; of which type it is, its bytes say.
    """
    draft = structs.replace(draft, object=f"{rules.OBJECTS}{parts.record.ids.fresh()}")
    await _check(parts, sku, draft)
    handle, name = tempfile.mkstemp(prefix="entrepot-upload-")
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            async for part in sent:
                await asyncio.to_thread(file.write, part)
        if not path.stat().st_size:  # noqa: ASYNC240  # one look at a file of this machine
            raise BadInputError("The file is empty: send what is to be downloaded.", field="file")
        draft = structs.replace(draft, media_type=await asyncio.to_thread(_media_type, draft.file_name, path))
        await _scan(parts.scanner, draft.file_name, path)
        await parts.objects.put(draft.object, path)
    finally:
        await asyncio.to_thread(path.unlink)

    used = False

    async def act(tx: Transaction) -> Done:
        nonlocal used
        used = True
        return done(await commands.offer_file(tx, sku, draft))

    try:
        answer = await parts.run(act, Done, key, f"{sku} {draft.file_name}".encode())
    except BaseException:
        await parts.objects.delete(draft.object)
        raise
    if not used:  # sent again with the same key: the file of the first time is the one that is offered
        await parts.objects.delete(draft.object)
    return answer


async def _scan(scanner: FileScanner | None, file_name: str, path: Path) -> None:
    """Refuse a file in which the scanner knows something malicious; it is kept nowhere."""
    if scanner is not None and (known := await scanner.found_in(path)):
        raise FileRefusedError(f"{file_name[:80]!r} is known as malicious ({known[:80]}): it is not taken.", field="file")


def _media_type(file_name: str, path: Path) -> str:
    with path.open("rb") as file:
        return content.check_content(file_name, file)


async def _check(parts: Parts, sku: str, draft: FileDraft) -> None:
    """Refuse before a byte is taken what would be refused afterwards."""
    rules.check_file(draft)
    content.kind_of(draft.file_name)
    async with parts.record.committing() as connection:
        await commands.check_article(connection, sku)
