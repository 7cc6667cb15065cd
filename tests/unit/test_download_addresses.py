"""Signed addresses of downloads: what we signed is read back, and whatever was changed in it is refused."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.commerce.digital import rules
from entrepot.commerce.digital.address import DownloadExpiredError, DownloadRefusedError, Grant, read, sign

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SECRET = b"only for tests, and long enough."


@given(st.uuids(), st.integers(1, 2**32 - 1), st.integers(1, 10**9))
def test_what_we_signed_is_read_back_until_its_time_is_over(order_id: UUID, line: int, seconds: int) -> None:
    grant = Grant(order_id, line, NOW + timedelta(seconds=seconds))
    token = sign(SECRET, grant)
    assert read(SECRET, token, NOW) == grant
    with pytest.raises(DownloadExpiredError):
        read(SECRET, token, grant.until)


@given(st.integers(0, 79), st.sampled_from("AZaz09-_"))
def test_an_address_that_was_changed_anywhere_is_refused(place: int, letter: str) -> None:
    token = sign(SECRET, Grant(UUID(int=1), 1, NOW + timedelta(hours=1)))
    changed = token[:place] + letter + token[place + 1 :]
    if changed != token:
        with pytest.raises(DownloadRefusedError):
            read(SECRET, changed, NOW)


@given(st.text(max_size=120))
def test_whatever_is_sent_as_an_address_is_refused_and_breaks_nothing(text: str) -> None:
    with pytest.raises(DownloadRefusedError):
        read(SECRET, text, NOW)


@given(st.integers(0, 1000), st.integers(0, 1000), st.integers(0, 1000))
def test_promises_never_exceed_licences_when_there_is_a_level_to_take_them_off(free: int, available: int, beside: int) -> None:
    over = rules.too_many(available + beside, free, available)
    assert 0 <= over <= available
    assert available + beside - over <= max(free, beside)
