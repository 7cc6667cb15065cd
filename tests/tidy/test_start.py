"""What a process loads before it does anything: no driver of an engine that it may not have, nor what few commands use."""

import subprocess
import sys

import pytest

# Drivers and what they bring along; Neo4j's brings pandas where that lies in the environment.
LATE = {"neo4j", "elasticsearch", "pymongo", "confluent_kafka", "pandas"}
# What some commands use, half a second each on two cores: a command that does not shall not wait for it.
ASKED_FOR = {"pyarrow", "numpy", "boto3", "botocore", "clickhouse_connect", "aiohttp", "httpx", "psycopg", "yoyo", "webauthn"}


def loaded_by(*verbs: str) -> set[str]:
    """Return all that a process has loaded which is about to run these commands."""
    script = f"import sys, {', '.join(f'entrepot.cli.{verb}' for verb in verbs)}; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True).stdout.split())


def test_no_process_loads_the_driver_of_an_engine_before_one_is_named() -> None:
    assert LATE & loaded_by("serve", "people", "project") == set()


@pytest.mark.parametrize("verb", ["people", "verify", "project", "keys"])
def test_a_command_loads_what_it_uses_when_it_uses_it(verb: str) -> None:
    assert ASKED_FOR & loaded_by(verb) == set()
