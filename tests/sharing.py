"""Lets two runs of pytest share one list of test files, one from its front and one from its back, until they meet.

Each run has its engines to itself. Going towards each other keeps a folder's files in one run, as far as that goes, so that
few engines are started twice; where they meet differs from run to run, so that no test can come to lean on another file's.
"""

from itertools import chain, groupby
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("sharing")
    group.addoption("--claims", type=Path, help="the folder where runs that share these files claim them")
    group.addoption("--from-back", action="store_true", help="take the last file first")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--claims"):
        config.pluginmanager.register(Share(config.getoption("--claims")))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--from-back"):
        files = [list(tests) for _, tests in groupby(items, key=lambda item: item.path)]
        items[:] = chain.from_iterable(reversed(files))


class Share:
    """The files that this run has claimed; of the others it runs no test."""

    def __init__(self, claims: Path) -> None:
        self._claims = claims
        self._ours: dict[Path, bool] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """Pass over (True: this is done) a test whose file another run has claimed."""
        if item.path not in self._ours:
            self._ours[item.path] = self._claim(item.path.relative_to(item.config.rootpath))
        return None if self._ours[item.path] else True

    def _claim(self, file: Path) -> bool:
        try:
            (self._claims / str(file).replace("/", ".")).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True
