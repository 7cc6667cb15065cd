"""Ports to serve on: whether one may be listened on, told before anything is started."""

import contextlib
import errno
import socket
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from entrepot.base.errors import BadInputError

Port = Annotated[int, Parameter(validator=Number(gte=1, lte=65_535))]


class PortTakenError(BadInputError):
    """Another program listens there."""


def check_port(host: str, port: int) -> None:
    """Refuse an address that nobody can listen on now, and say why."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise _taken(host, port) from error
            if error.errno == errno.EACCES:
                why = "may not be used by this user: give a --port from 1024 on"
            else:
                why = f"cannot be listened on ({error.strerror or error}): set ENTREPOT_HOST to an address of this machine"
            raise BadInputError(f"{host}:{port} {why}.", host=host, port=port) from error


def free_port(host: str, wanted: int, tries: int) -> int:
    """Return the first port from this one on that is not taken; after so many, refuse the first."""
    for port in range(wanted, min(wanted + tries, 65_536)):
        with contextlib.suppress(PortTakenError):
            check_port(host, port)
            return port
    raise _taken(host, wanted)


def _taken(host: str, port: int) -> PortTakenError:
    return PortTakenError(f"{host}:{port} is taken: stop what listens there, or give another --port.", host=host, port=port)
