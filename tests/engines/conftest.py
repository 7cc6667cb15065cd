"""The production servers for tests: each starts once a session, when it is first asked for, and goes away with its data."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from entrepot.local.process import running
from tests.conftest import SECRET
from tests.engines.elasticsearch import Elasticsearch


@pytest.fixture(scope="session")
async def elasticsearch_url(engines_home: Path) -> AsyncIterator[str]:
    async with running(Elasticsearch(), engines_home / "elasticsearch", SECRET) as urls:
        yield urls["search"]
