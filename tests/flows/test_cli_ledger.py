"""`entrepot ledger` and `entrepot approvals`, as an operator runs them."""

import json
from pathlib import Path

from tests.command_line import entrepot

EXIT_CONFLICT = 4


async def test_a_month_is_closed_compared_and_held_until_somebody_lets_it_be_reopened(
    migrated_url: str, tmp_path: Path
) -> None:
    code, said = await entrepot(tmp_path, "ledger", "close", "2026-01", "--json", RECORD_URL=migrated_url)
    assert (code, json.loads(said)["state"]) == (0, "closed"), said
    signed = json.loads(said)["digest"]
    code, said = await entrepot(tmp_path, "ledger", "balance", "--period", "2026-01", "--json", RECORD_URL=migrated_url)
    assert (code, json.loads(said)["digest"], json.loads(said)["differs"]) == (0, signed, [])
    code, said = await entrepot(tmp_path, "ledger", "reopen", "2026-01", RECORD_URL=migrated_url)
    assert (code, "takes the word of somebody else" in said) == (EXIT_CONFLICT, True)
    _, said = await entrepot(tmp_path, "approvals", "list", "--json", RECORD_URL=migrated_url)
    [waits] = json.loads(said)["approvals"]
    assert (waits["kind"], waits["asked_by"]) == ("reopening", None)


async def test_a_limit_is_set_shown_and_lifted(migrated_url: str, tmp_path: Path) -> None:
    code, said = await entrepot(tmp_path, "approvals", "limit", "refund", "EUR", "50000", RECORD_URL=migrated_url)
    assert (code, said) == (0, "refund of EUR takes two people above 50,000.")
    _, said = await entrepot(tmp_path, "approvals", "limits", "--json", RECORD_URL=migrated_url)
    assert json.loads(said)["limits"] == [{"kind": "refund", "scope": "EUR", "above": 50_000}]
    _, said = await entrepot(tmp_path, "approvals", "limit", "refund", "EUR", "--lift", RECORD_URL=migrated_url)
    assert said == "refund of EUR takes one person."
