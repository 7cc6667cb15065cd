"""What every production server of the tests has: certificates of an authority of its own, and time to start in.

A server is an ``Engine`` (``entrepot.local.place``) as the embedded ones are, run by the same ``running``; each has a file
here. Passwords are those of its ``Place``; it listens on loopback only.
"""

import os
from pathlib import Path
from typing import ClassVar

import trustme
from msgspec import Struct

from entrepot.local.place import Engine, Place

# How Java servers run here: with the light compiler alone they are ready in a third of the time, and as quick after a minute as
# the other makes them after several; one that runs for days is left to both.
QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


class Certificates(Struct, frozen=True):
    """Where a server's key and certificate lie, and the authority that clients are told to trust."""

    authority: Path
    certificate: Path
    key: Path


class Server(Engine):
    """A production server: slower to start than an embedded engine, above all on a busy machine."""

    ready_seconds: ClassVar[float] = 240.0
    stop_seconds: ClassVar[float] = 60.0

    @classmethod
    def fetch(cls) -> None:
        """Have in the cache what it runs on, and make sure of the programs that it needs."""

    def prepare(self, place: Place) -> None:
        """Make the folder and the certificates."""
        super().prepare(place)
        certified(place)


def certificates(place: Place) -> Certificates:
    """Return where the certificates of a place are."""
    folder = place.data / "tls"
    return Certificates(folder / "ca.pem", folder / "server.pem", folder / "server.key")


def certified(place: Place) -> Certificates:
    """Make the certificates of a place, unless they are there."""
    made = certificates(place)
    if not made.authority.exists():
        made.key.parent.mkdir(parents=True, exist_ok=True)
        authority = trustme.CA()
        server = authority.issue_cert("127.0.0.1", "localhost")
        made.key.touch(mode=0o600)
        server.private_key_pem.write_to_path(str(made.key))
        made.certificate.write_bytes(b"".join(part.bytes() for part in server.cert_chain_pems))
        authority.cert_pem.write_to_path(str(made.authority))
    return made


def tethered(*command: str, unprivileged: bool = False) -> list[str]:
    """Return the command so that the server ends when the tests are killed.

    ``unprivileged``: for servers that refuse root; in a user namespace root has another number, and its own files still.
    """
    namespace = ["unshare", "--map-user=1000", "--map-group=1000"] if unprivileged and os.geteuid() == 0 else []
    return [*namespace, "setpriv", "--pdeathsig", "TERM", *command]
