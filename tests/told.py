"""Of whom the audit says that an answer told."""

from uuid import UUID

import httpx

from tests.house import House


async def told_of(house: House, answer: httpx.Response) -> set[UUID]:
    """Return of whom the entry says that an answer told."""
    async with house.app.record.committing() as connection:
        row = await connection.fetchrow(
            "SELECT subject, others FROM audit.every_entry WHERE id = $1", UUID(answer.headers["entrepot-request"])
        )
    assert row is not None
    return {row["subject"], *(row["others"] or ())} - {None}
