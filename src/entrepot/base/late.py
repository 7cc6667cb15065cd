"""Packages that are loaded when something of them is first asked for, so that no command waits for what it does not use."""

from importlib import import_module
from types import ModuleType

_KNOWN: list["Late"] = []


class Late:
    """A package or module by its name; whoever names it says to the type checker that it is the module itself."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._module: ModuleType | None = None
        _KNOWN.append(self)

    def __getattr__(self, name: str) -> object:
        """Return what the module calls so, loading it the first time; ``AttributeError`` as the module's own."""
        if self._module is None:
            self._module = import_module(self._name)
        return getattr(self._module, name)

    def load(self) -> None:
        """Load it now."""
        self._module = import_module(self._name)


def load_all() -> None:
    """Load all that was left for later: for a process that answers requests, none of which shall wait for it."""
    for one in _KNOWN:
        one.load()
