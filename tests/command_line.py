"""The command line as a person runs it: in a process of its own, in an environment of its own."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path


async def begin(home: Path, *arguments: str, **given: str) -> Process:
    """Start the command line in a process of its own; ``given`` are settings, without their prefix."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ENTREPOT_")}
    environ = inherited | {"ENTREPOT_HOME": str(home)} | {f"ENTREPOT_{name}": value for name, value in given.items()}
    command = (sys.executable, "-m", "entrepot", *arguments)
    return await asyncio.create_subprocess_exec(*command, env=environ, stdout=PIPE, stderr=PIPE)


async def told(home: Path, *arguments: str, **given: str) -> tuple[int, str, str]:
    """Run the command line; return its exit code, what it answered, and what it said beside that."""
    child = await begin(home, *arguments, **given)
    out, errors = await child.communicate()
    assert child.returncode is not None
    assert b"Traceback" not in out + errors
    return child.returncode, out.decode().strip(), errors.decode().strip()


async def entrepot(home: Path, *arguments: str, **given: str) -> tuple[int, str]:
    """Run the command line; return its exit code and all it said."""
    code, out, errors = await told(home, *arguments, **given)
    return code, f"{out}\n{errors}".strip()
