"""The command line as a person runs it: in a process of its own, in an environment of its own."""

import asyncio
import os
import sys
from pathlib import Path


async def entrepot(home: Path, *arguments: str, **given: str) -> tuple[int, str]:
    """Run the command line in a process of its own; return its exit code and all it said."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ENTREPOT_")}
    environ = inherited | {"ENTREPOT_HOME": str(home)} | {f"ENTREPOT_{name}": value for name, value in given.items()}
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "entrepot",
        *arguments,
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await child.communicate()
    assert child.returncode is not None
    assert b"Traceback" not in out
    return child.returncode, out.decode().strip()
