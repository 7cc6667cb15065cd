"""What a process loads before it does anything: no driver of an engine that this house may not have."""

import subprocess
import sys

# Drivers and what they bring along; Neo4j's brings pandas where that lies in the environment.
LATE = {"neo4j", "elasticsearch", "pymongo", "confluent_kafka", "pandas"}


def test_no_process_loads_the_driver_of_an_engine_before_one_is_named() -> None:
    loaded = "import sys, entrepot.cli.serve, entrepot.cli.people, entrepot.cli.project; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", loaded], capture_output=True, check=True, text=True)
    assert LATE & set(said.stdout.split()) == set()
