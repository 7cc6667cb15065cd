"""What users with Docker are given is what Compose takes and what our settings take."""

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from jsonschema_rs import Draft7Validator

from entrepot.local.ping import address
from entrepot.settings import load
from tests.engines.against import GIVEN, given, variables
from tests.tidy.finding import ROOT

COMPOSE = msgspec.yaml.decode((ROOT / "deploy" / "compose.yaml").read_text())
SCHEMA = json.loads((ROOT / "tests" / "engines" / "schemas" / "compose-spec.json").read_text())
ENVIRONMENT = variables((ROOT / "deploy" / "engines.env").read_text())
URLS = {name: url for name, url in ENVIRONMENT.items() if name.endswith("_URL")}
PINNED = re.compile(r"[\w./-]+:v?\d+\.\d+[\w.-]*@sha256:[0-9a-f]{64}")
WITHOUT_DIGEST = {"elasticsearch"}  # none is known
PORT = re.compile(r"127\.0\.0\.1:(\d+):\d+")


def published() -> set[int]:
    """Return the ports of this machine that the services listen on; each must be on loopback."""
    ports = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert all(PORT.fullmatch(port) for port in ports), ports
    return {int(PORT.fullmatch(port)[1]) for port in ports if PORT.fullmatch(port)}  # type: ignore[index]  # asked beside it


def test_the_compose_file_keeps_the_specification() -> None:
    wrong = [
        f"{'/'.join(map(str, error.instance_path))}: {error.message}" for error in Draft7Validator(SCHEMA).iter_errors(COMPOSE)
    ]
    assert not wrong, "\n".join(wrong)


def test_every_service_is_pinned_bounded_and_asked_whether_it_is_well() -> None:
    for name, service in COMPOSE["services"].items():
        digest = f"@sha256:{'0' * 64}" if name in WITHOUT_DIGEST else ""
        assert PINNED.fullmatch(service["image"] + digest), f"{name} is not pinned"
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}, f"{name} has no limits"
        assert service["healthcheck"]["test"], f"{name} is not asked"


def test_every_volume_is_declared_and_used() -> None:
    mounted = {volume.partition(":")[0] for service in COMPOSE["services"].values() for volume in service.get("volumes", [])}
    assert mounted == COMPOSE["volumes"].keys()


def test_our_settings_take_every_url_and_each_leads_to_a_service(tmp_path: Path) -> None:
    settings = load({**ENVIRONMENT, "ENTREPOT_HOME": str(tmp_path)})
    for name, url in URLS.items():
        role = name.removeprefix("ENTREPOT_").removesuffix("_URL").lower()
        assert address(getattr(settings.engines, role)) == address(url)
        assert urlsplit(url).port in published(), f"{name} leads to no service"
    assert int(settings.pooler.rpartition(":")[2]) in published()


def test_the_suites_run_on_every_product_of_the_compose_file() -> None:
    assert given(ENVIRONMENT).keys() == set(GIVEN.values())


def test_the_password_stands_in_one_place_and_in_the_urls_alone() -> None:
    password = ENVIRONMENT["ENTREPOT_PASSWORD"]
    assert password not in (ROOT / "deploy" / "compose.yaml").read_text()
    with_users = [url for url in URLS.values() if "@" in url]
    assert all(urlsplit(url).password == password for url in with_users)
