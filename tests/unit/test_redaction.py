"""Secrets are not told: neither by the name of a field, nor in a URL, nor in what an error says."""

import io
import logging
import sys
from urllib.parse import urlsplit

import pytest
import structlog

from entrepot.base.errors import EngineAwayError
from entrepot.base.redaction import REDACTED, redact
from entrepot.cli import explain
from entrepot.cli.logs import to_stderr
from entrepot.local.ping import address

PLANTED = "s3cr3t-Planted"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://entrepot:{PLANTED}@db:5432/entrepot",
        f"redis://:{PLANTED}@cache:6379",
        f"rediss://user:{PLANTED}@cache:6379/0?ca=/etc/ca.pem",
        f"clickhouses://writer:{PLANTED}@columns:8443/facts",
        f"s3s://AKIA:{PLANTED}@objects/bucket?region=x",
        f"sandbox://{PLANTED}@gateway:9000",
    ],
)
def test_a_url_is_told_without_its_password(url: str) -> None:
    told = redact(f"could not connect to {url!r}: no answer")
    assert PLANTED not in told
    assert REDACTED in told
    assert "no answer" in told


@pytest.mark.parametrize(
    "url", [f"postgresql://entrepot:{PLANTED}@db/x", f"redis://:{PLANTED}@c:1", f"sandbox://{PLANTED}@g:2"]
)
def test_the_address_of_an_engine_is_shown_without_its_secret(url: str) -> None:
    assert PLANTED not in address(url)
    assert str(urlsplit(url).hostname) in address(url)


def test_what_has_no_password_is_told_as_it_is() -> None:
    assert (
        redact("see https://example.org/a@b and mail ada@example.org") == "see https://example.org/a@b and mail ada@example.org"
    )


def test_a_log_line_tells_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    was = structlog.get_config()
    try:
        to_stderr(logging.INFO)
        structlog.get_logger().info(
            "engine.lost", why=f"redis://:{PLANTED}@h", session_token=PLANTED, urls=[f"s3://a:{PLANTED}@h"]
        )
        structlog.get_logger().info("engine.away", exc_info=ValueError(f"postgresql://a:{PLANTED}@h refused"))
    finally:
        structlog.configure(**was)
    told = capsys.readouterr().err
    assert "engine.lost" in told
    assert PLANTED not in told


def test_the_command_line_explains_an_error_without_its_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    said = io.StringIO()
    monkeypatch.setattr(sys, "stderr", said)
    explain(EngineAwayError("record", f"postgresql://a:{PLANTED}@h refused"))
    assert "refused" in said.getvalue()
    assert PLANTED not in said.getvalue()
