"""What the house tells of itself, on its pages and by its commands, holds no password, no key and nothing of its keyring."""

import json
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from msgspec import structs

from tests.command_line import entrepot
from tests.house import House

PLANTED = "s3cr3t-Planted"
PAGES = ("/healthz", "/readyz", "/metrics", "/engine-room", "/v1/projections", "/v1/openapi.json")


def secrets_of(house: House) -> set[str]:
    """Return every password and key in the settings of a house."""
    urls = [urlsplit(url) for url in structs.astuple(house.app.settings.engines) if url]
    keyring = json.loads((house.app.settings.home / "keyring.json").read_text())
    found = {unquote(url.password or url.username or "") for url in urls} | {one["key"] for one in keyring["keys"]}
    return {secret for secret in found if secret}


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_tells_no_secret_of_the_settings(house: House, page: str) -> None:
    answer = await house.client.get(page)
    told = answer.text + str(answer.headers)
    assert not [secret for secret in secrets_of(house) if secret in told]


@pytest.mark.parametrize("arguments", [("status", "--json"), ("status",), ("keys",), ("verify",), ("reconcile",)])
async def test_a_command_that_reaches_nobody_tells_no_secret(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    planted = {
        "RECORD_URL": f"postgresql://entrepot:{PLANTED}@127.0.0.1:1/x",
        "DOCUMENTS_URL": f"postgresql://entrepot:{PLANTED}@127.0.0.1:1/y",
        "MEMORY_URL": f"redis://:{PLANTED}@127.0.0.1:1",
        "GRAPH_URL": f"falkor://:{PLANTED}@127.0.0.1:1",
        "COLUMNS_URL": f"clickhouse://a:{PLANTED}@127.0.0.1:1/x",
        "OBJECTS_URL": f"s3://a:{PLANTED}@127.0.0.1:1/x",
        "GATEWAY_URL": f"sandbox://{PLANTED}@127.0.0.1:1",
        "SEARCH_URL": f"tantivy://{tmp_path}/search",
    }
    code, said = await entrepot(tmp_path, *arguments, **planted)
    assert code
    assert said
    assert PLANTED not in said
