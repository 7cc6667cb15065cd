"""`entrepot people` and `entrepot mail`, as who runs the house uses them."""

import getpass
import json
from pathlib import Path

from entrepot.base.time import SystemClock
from entrepot.partners.mail.files import FileMail
from entrepot.partners.mail.port import Letter
from tests.command_line import entrepot, told

EMAIL = "ada@example.com"


async def test_people_are_let_in_given_roles_and_let_out_by_command(migrated_url: str, memory_url: str, tmp_path: Path) -> None:
    urls = {"RECORD_URL": migrated_url, "MEMORY_URL": memory_url}
    code, out, _ = await told(tmp_path, "people", "add-admin", EMAIL, "--json", **urls)
    link = json.loads(out)
    assert (code, link["roles"]) == (0, ["admin"])
    assert link["link"].startswith("http://localhost:8700/link#lnk_")
    assert await entrepot(tmp_path, "people", "grant", EMAIL, "support", **urls) == (0, f"{EMAIL} is now admin, support.")
    assert await entrepot(tmp_path, "people", "revoke", EMAIL, "admin", **urls) == (0, f"{EMAIL} is now support.")
    _, out, _ = await told(tmp_path, "people", "list", "--role", "support", "--json", **urls)
    assert [one["email"] for one in json.loads(out)["people"]] == [EMAIL]
    code, said = await entrepot(tmp_path, "people", "grant", EMAIL, "buyer", **urls)
    assert (code, said) == (2, "The role buyer is held for a company: give company/....")
    code, said = await entrepot(tmp_path, "people", "suspend", "eve@example.com", **urls)
    assert (code, said) == (3, "Nobody signs in by 'eve@example.com': 'entrepot people list' shows who does.")


async def test_a_verb_leaves_its_entry_and_names_itself_as_cause(
    migrated_url: str, memory_url: str, objects_url: str, tmp_path: Path
) -> None:
    urls = {"RECORD_URL": migrated_url, "MEMORY_URL": memory_url, "OBJECTS_URL": objects_url}
    await told(tmp_path, "people", "add-admin", "noted@example.com", **urls)
    await told(tmp_path, "people", "suspend", "nobody@example.com", **urls)
    _, out, _ = await told(tmp_path, "audit", "show", "--json", **urls)
    failed, done = [one for one in json.loads(out) if one["action"].startswith("entrepot people")][:2]
    assert (failed["action"], failed["status"], failed["problem"]) == ("entrepot people suspend", 404, "not-found")
    assert (done["action"], done["status"], done["actor"]) == ("entrepot people add-admin", 200, f"system/{getpass.getuser()}")
    assert "noted@example.com" not in out
    _, out, _ = await told(tmp_path, "audit", "show", "--request", done["id"], "--json", **urls)
    assert json.loads(out)["events"]


async def test_letters_are_listed_and_the_newest_is_read(tmp_path: Path) -> None:
    assert (await entrepot(tmp_path, "mail", "newest"))[0] == 3
    mail = FileMail(tmp_path / "mail", "shop@example.com", SystemClock())
    for place, subject in enumerate(("Confirm", "Sign in")):
        await mail.send(Letter(reference=f"019{place}", to=EMAIL, subject=subject, text=f"Letter {place}\n"))
    _, out, _ = await told(tmp_path, "mail", "--json")
    assert [one["subject"] for one in json.loads(out)["letters"]] == ["Sign in", "Confirm"]
    assert await entrepot(tmp_path, "mail", "newest") == (0, f"To: {EMAIL}\nSubject: Sign in\n\nLetter 1")
