"""Settings come from the environment, or from what ``entrepot up`` has remembered; a bad one refuses the start."""

from pathlib import Path

import pytest

from entrepot.base.errors import BadInputError
from entrepot.settings import given_roles, load, require


def environment(home: Path, **more: str) -> dict[str, str]:
    return {"ENTREPOT_HOME": str(home), **more}


def test_a_remembered_engine_is_used_where_the_environment_names_none(tmp_path: Path) -> None:
    (tmp_path / "engines.json").write_text('{"record": "postgresql://here/a", "memory": "redis://here"}')
    settings = load(environment(tmp_path, ENTREPOT_RECORD_URL="postgresql://there/b"))
    assert settings.engines.record == "postgresql://there/b"
    assert settings.engines.memory == "redis://here"
    assert given_roles(environment(tmp_path, ENTREPOT_RECORD_URL="postgresql://there/b")) == {"record"}


def test_a_url_is_taken_as_it_is_given(tmp_path: Path) -> None:
    url = "tantivy:///there/search"
    assert load(environment(tmp_path, ENTREPOT_SEARCH_URL=url)).engines.search == url


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("ENTREPOT_PORT", "eighty", "ENTREPOT_PORT is 'eighty'"),
        ("ENTREPOT_PORT", "70000", "1 to 65535"),
        ("ENTREPOT_CELL", "0", "ENTREPOT_CELL is '0'"),
        ("ENTREPOT_CELL", "1" * 5_000, "1 to 32767"),
        ("ENTREPOT_HOME", "/dev/null", "/dev/null, which is no folder"),
        ("ENTREPOT_RECORD_URL", "mysql://here", "scheme 'mysql'"),
        ("ENTREPOT_GRAPH_URL", "redis://here", "knows falkor"),
        ("ENTREPOT_PROJECTORS_READ", "kafka", "the 'record' or the 'stream'"),
        ("ENTREPOT_PROJECTORS_READ", "stream", "ENTREPOT_STREAM_URL names none"),
    ],
)
def test_a_bad_setting_is_named_with_its_value(tmp_path: Path, name: str, value: str, says: str) -> None:
    with pytest.raises(BadInputError, match=says):
        load(environment(tmp_path, **{name: value}))


@pytest.mark.parametrize("text", [b"{", b"[]", b"\xff\xfe", b'{"record": 5}'])
def test_a_damaged_memory_is_said(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "engines.json").write_bytes(text)
    with pytest.raises(BadInputError, match="is damaged"):
        load(environment(tmp_path))


def test_an_engine_that_is_needed_and_unknown_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="run 'entrepot up', or set ENTREPOT_RECORD_URL"):
        require(load(environment(tmp_path)), "record")
