"""Webhooks go to the hosts that the settings name, where they name any, and to nobody else: no name is even looked up."""

from pathlib import Path

import pytest

from entrepot.base.errors import BadInputError
from entrepot.partners.subscriber.http import HttpSender
from entrepot.partners.subscriber.port import Message
from entrepot.settings import load

SECRET = "whsec_b25seSBmb3IgdGVzdHM="  # noqa: S105  # nobody's


def settings(tmp_path: Path, to: str) -> tuple[str, ...]:
    return load({"ENTREPOT_HOME": str(tmp_path), "ENTREPOT_WEBHOOKS_TO": to}).webhooks_to


@pytest.mark.parametrize(
    ("host", "named"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("0.0.1", False),
        ("localhost.evil.invalid", False),
        ("evil.invalid", False),
    ],
)
async def test_no_host_is_sent_to_that_the_settings_do_not_name(tmp_path: Path, host: str, named: bool) -> None:
    sender = HttpSender(lambda _: False, settings(tmp_path, "LocalHost, *.0.0.1"))
    answer = await sender.send(f"http://{host}:1/", SECRET, Message("1", 1, b"{}"))
    await sender.close()
    assert answer.status is None
    assert ("none of ENTREPOT_WEBHOOKS_TO" in answer.why) is not named


def test_hosts_that_cannot_be_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="'https://a/b'"):
        settings(tmp_path, "hooks.example.com,https://a/b")
