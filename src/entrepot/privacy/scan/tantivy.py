"""Every document and every term of every tantivy index in a folder, and the files themselves."""

import asyncio
import json
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec
from tantivy import Index, Query

from entrepot.privacy.scan.files import look_at_files
from entrepot.privacy.scan.looking import Looked, Looking
from entrepot.privacy.scan.needles import Needles

_META = "meta.json"


async def search(source: str, url: str, needles: Needles) -> Looked:
    """Search the folder that a URL names."""
    return await asyncio.to_thread(_search, source, Path(unquote(urlsplit(url).path)), needles)


def _search(source: str, folder: Path, needles: Needles) -> Looked:
    looking = Looking(source, needles, ids=True)
    for meta in sorted(folder.rglob(_META)):
        _look_at_index(looking, meta)
    look_at_files(looking, [folder])
    return looking.end()


def _look_at_index(looking: Looking, meta: Path) -> None:
    index, name = Index.open(str(meta.parent)), meta.parent.name
    searcher = index.searcher()
    if searcher.num_docs:
        for _, address in searcher.search(Query.all_query(), limit=searcher.num_docs, count=False).hits:
            looking.look(name, msgspec.json.encode(searcher.doc(address).to_dict(), enc_hook=str) + b"\n")
            for value in searcher.doc(address).to_dict().values():
                for one in value:
                    if isinstance(one, (bytes, list)):
                        looking.look(name, bytes(one))
    for field in json.loads(meta.read_text())["schema"]:
        if field["type"] == "text":
            terms = searcher.terms_with_prefix(field["name"], "")
            looking.look(f"{name}: terms of {field['name']}", "\n".join(term for term, _ in terms).encode())
