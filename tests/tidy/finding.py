"""What a house rule finds, and where it looks: the files of this project. Owns no rule itself."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = {
    ".git",
    ".venv",
    ".entrepot",
    ".hypothesis",
    ".mypy_cache",
    ".ruff_cache",
    "__pycache__",
    "dist",
    "rejects",
    "vendor",
}


class Finding(NamedTuple):
    """One place where a rule is broken; prints as ``file:line: sentence``."""

    path: str
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.sentence}"


Rule = Callable[[str, str], Iterable[Finding]]
"""From a path inside the project and the text of that file to what is wrong with it."""


def files(*suffixes: str, under: str = ".") -> Iterator[str]:
    """Yield the project's files that end so, as paths inside the project, in a stable order."""
    for path in sorted((ROOT / under).rglob("*")):
        inside = path.relative_to(ROOT)
        if path.is_file() and path.name.endswith(suffixes) and not SKIPPED.intersection(inside.parts):
            yield inside.as_posix()


def text_of(path: str) -> str:
    """Return the text of one file of the project."""
    return (ROOT / path).read_text(encoding="utf-8")


def broken(rule: Rule, paths: Iterable[str]) -> str:
    """Return what the rule finds in these files, a line each: empty when all is well."""
    return "\n".join(str(finding) for path in paths for finding in _findings(rule, path))


def _findings(rule: Rule, path: str) -> list[Finding]:
    try:
        return list(rule(path, text_of(path)))
    except SyntaxError as error:
        return [Finding(path, error.lineno or 1, f"is no Python of the oldest version we run on: {error.msg}")]
