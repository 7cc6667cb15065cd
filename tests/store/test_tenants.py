"""A tenant has its own rows and nobody else's, by whatever statement, whatever connection, however many at once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from msgspec import structs

from entrepot.access.roles import ROLES
from entrepot.access.rows import AS_PLATFORM, AS_TENANT, as_tenant
from entrepot.base.errors import NotFoundError
from entrepot.base.principal import Membership, Principal
from entrepot.base.time import SystemClock
from entrepot.commerce.business import commands as business
from entrepot.commerce.business import negotiating
from entrepot.commerce.business.negotiating import NegotiationDraft
from entrepot.commerce.business.negotiation import WantedPieces
from entrepot.commerce.business.rules import BuyerDraft
from entrepot.commerce.marketplace import commands as marketplace
from entrepot.commerce.marketplace import query
from entrepot.commerce.marketplace.rules import Feed, FeedLine, SellerUnknownError
from entrepot.record.named import queries
from entrepot.record.transaction import Connection, Record, open_record
from tests.account import Account, open_account
from tests.conftest import working
from tests.sellers import open_market
from tests.trade import CELL

NOBODY = UUID(int=0)
SWITCHES, TASKS, TRANSACTIONS = 100_000, 40, 25

# Tables that every tenant reads whole (the catalogue), or not at all (who is whose).
EVERYBODYS, NOBODYS = {"catalog.sku"}, {"identity.membership", "fulfilment.waiting", "pricing.price_list", "pricing.past_list"}

PROTECTED = """
SELECT c.oid::regclass::text AS name,
       array_agg(DISTINCT a.privilege_type) FILTER (WHERE a.grantee = 'entrepot_tenant'::regrole) AS may
FROM pg_class AS c LEFT JOIN LATERAL aclexplode(c.relacl) AS a ON true WHERE c.relforcerowsecurity GROUP BY c.oid
"""


class EnoughSeenError(Exception):
    """Undoes a transaction of which enough was seen."""


def of_seller(code: str) -> Principal:
    """Return somebody of a seller's staff."""
    return Principal(kind="person", memberships=frozenset({Membership("seller_staff", f"seller/{code}")}))


def of_company(company: UUID) -> Principal:
    """Return somebody who buys for a company."""
    return Principal(kind="person", memberships=frozenset({Membership("company_buyer", f"company/{company}")}))


@pytest.fixture
async def shared(record: Record, migrated_url: str) -> Record:
    """Return a record in which each of two sellers, and two companies, has a row of everything, as its superuser fills it."""
    async with await open_record(migrated_url, connections=1) as superuser, superuser.committing() as connection:
        await connection.execute(Path(__file__).with_name("tenants.sql").read_text())
    return record


async def companies(record: Record) -> dict[str, UUID]:
    async with record.committing() as connection:
        return {row["name"]: row["id"] for row in await connection.fetch("SELECT name, id FROM business.company")}


async def everything(connection: Connection) -> dict[str, list[str]]:
    """Return the rows of every protected table that may be read, as text."""
    seen = {}
    for table in await connection.fetch(PROTECTED):
        if "SELECT" in (table["may"] or []):
            rows = await connection.fetch(f"SELECT t::text AS row FROM {table['name']} AS t")  # from the catalogue
            seen[table["name"]] = sorted(row["row"] for row in rows)
    return seen


async def test_no_tenant_means_no_rows(shared: Record) -> None:
    async with shared.as_tenant(Principal(kind="person")).reading() as connection:
        seen = await everything(connection)
    assert len(seen) > 20
    assert {name for name, rows in seen.items() if rows} == EVERYBODYS


async def test_two_tenants_see_no_row_in_common_and_together_all_that_tenants_may_see(shared: Record) -> None:
    ids = await companies(shared)
    seen = {}
    for who in (of_seller("a"), of_seller("b"), of_company(ids["a"]), of_company(ids["b"])):
        async with shared.as_tenant(who).reading() as connection:
            seen[who] = await everything(connection)
    async with shared.reading() as connection:
        names = [row["name"] for row in await connection.fetch(PROTECTED)]
    for name in set(names) - EVERYBODYS - NOBODYS:
        rows = [row for mine in seen.values() for row in mine.get(name, [])]
        assert rows, f"no tenant sees anything of {name}"
        assert len(rows) == len(set(rows)), f"two tenants see one row of {name}"


async def test_a_tenant_changes_nothing_of_another_by_any_statement(shared: Record) -> None:
    async with shared.reading() as connection:
        before = await everything(connection)
        tables = await connection.fetch(PROTECTED)
    for table in tables:
        for statement in ("UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0}", "INSERT INTO {0} SELECT * FROM {0}"):
            await attempted(shared, statement, table["name"])
    async with shared.reading() as connection:
        assert await everything(connection) == before


async def attempted(record: Record, statement: str, table: str) -> None:
    """Have seller a try a statement on a table; what it touches, if it may at all, is told by how many rows are its own."""
    async with record.reading() as connection:
        column = await connection.fetchval(
            "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum = 1", table
        )
        own = await count_of(record, table)
    with contextlib.suppress(asyncpg.InsufficientPrivilegeError, asyncpg.UniqueViolationError, EnoughSeenError):
        async with record.as_tenant(of_seller("a")).transaction(1) as tx:
            done = await tx.connection.execute(statement.format(table, column))
            assert int(done.rpartition(" ")[2]) <= own, f"{done} of {table}, where seller b has rows too"
            raise EnoughSeenError


async def count_of(record: Record, table: str) -> int:
    """Return how many rows of a table seller a may see."""
    try:
        async with record.as_tenant(of_seller("a")).reading() as connection:
            return int(await connection.fetchval(f"SELECT count(*) FROM {table}"))  # from the catalogue
    except asyncpg.InsufficientPrivilegeError:
        return 0


async def test_a_tenant_cannot_give_a_row_to_another(shared: Record) -> None:
    async with shared.reading() as connection:
        other = await connection.fetchval("SELECT id FROM marketplace.seller WHERE code = 'b'")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with shared.as_tenant(of_seller("a")).transaction(1) as tx:
            await tx.connection.execute("UPDATE marketplace.warehouse SET seller_id = $1", other)


async def test_a_tenant_calls_no_function_of_ours_and_reads_no_log(shared: Record) -> None:
    for statement in (
        "SELECT ordering.ensure_room(now(), now())",
        "SELECT * FROM log.event",
        "SELECT * FROM identity.session",
        "CREATE TABLE access.mine (id integer)",
        "CREATE VIEW pg_temp.all_of_them AS SELECT * FROM audit.entry",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with shared.as_tenant(of_seller("a")).transaction(1) as tx:
                await tx.connection.fetch(statement)


async def test_a_hundred_thousand_switches_between_tenants_on_few_connections_show_no_row_of_another(
    shared: Record, migrated_url: str
) -> None:
    ids = await companies(shared)
    order = [ids["a"], ids["b"]]
    async with await open_record(working(migrated_url), connections=4) as record:
        told = [one for many in await asyncio.gather(*[switching(record, order) for _ in range(TASKS)]) for one in many]
    assert sum(seen for seen, _ in told) == 2 * SWITCHES
    assert sum(others for _, others in told) == 0


async def switching(record: Record, companies: list[UUID]) -> list[tuple[int, int]]:
    """Take a connection of the pool again and again, each time as another tenant, and switch on while it is held."""
    told = []
    for turn in range(TRANSACTIONS):
        who = of_seller("ab"[turn % 2])
        async with record.as_tenant(who).reading() as connection:
            assert [row["code"] for row in await connection.fetch("SELECT code FROM marketplace.seller")] == ["ab"[turn % 2]]
            row = await connection.fetchrow(
                "SELECT seen, foreign_rows FROM public.switched($1, $2)", SWITCHES // TASKS // TRANSACTIONS, companies
            )
            assert row is not None
            told.append((row["seen"], row["foreign_rows"]))
    return told


async def test_what_a_tenant_was_is_over_with_its_transaction(shared: Record, migrated_url: str) -> None:
    async with await open_record(working(migrated_url), connections=1) as record:
        async with record.as_tenant(of_seller("a")).reading():
            pass
        async with record.committing() as connection:
            row = await connection.fetchrow(
                "SELECT current_user = session_user AS is_itself, access.sellers() AS sellers, access.companies() AS companies"
            )
    assert row is not None
    assert tuple(row) == (True, None, None)


@pytest.mark.parametrize(
    ("package", "file"), [("entrepot.commerce.marketplace", "query.sql"), ("entrepot.commerce.business", "query.sql")]
)
async def test_every_read_of_sellers_and_companies_is_one_that_a_tenant_may_make(
    package: str, file: str, shared: Record
) -> None:
    for name, sql in queries(package, file).items():
        async with shared.as_tenant(of_seller("a")).reading() as connection:
            try:
                await connection.execute(f"EXPLAIN (GENERIC_PLAN) {sql}")
            except asyncpg.InsufficientPrivilegeError as error:
                pytest.fail(f"{package} {name}: {error}: grant it in record/grants.sql")


async def test_a_seller_reads_its_own_as_a_tenant_and_another_s_is_not_there(shared: Record) -> None:
    async with shared.reading() as connection:
        mine, other = [row["id"] for row in await connection.fetch("SELECT id FROM marketplace.seller ORDER BY code")]
    async with shared.as_tenant(of_seller("a")).reading() as connection:
        seen = await query.seller(connection, 1, mine, SystemClock())
        assert [one.code for one in seen.warehouses] == ["a"]
        assert [one.balance_minor for one in seen.balances] == [1]
        assert len(await query.orders(connection, 1, mine, None, 10)) == 1
        with pytest.raises(SellerUnknownError):
            await query.seller(connection, 1, other, SystemClock())


@pytest.mark.parametrize(
    ("role", "permission", "is_one"),
    [
        (Membership("seller_staff", "seller/a"), "sellers.read", True),
        (Membership("buyer", "company/1"), "invoices.read", True),
        (Membership("buyer", "company/1"), "purchases.ask", False),
        (Membership("seller_admin", "seller/a"), "sellers.sell", True),
        (Membership("finance"), "sellers.read", False),
        (Membership("seller_staff", "seller/a"), "catalogue.read", False),
    ],
)
def test_who_is_let_in_by_a_tenant_s_role_alone_reads_as_that_tenant(role: Membership, permission: str, is_one: bool) -> None:
    assert as_tenant(Principal(kind="person", id=NOBODY, memberships=frozenset({role})), permission) is is_one


def test_whatever_a_tenant_may_runs_as_the_tenant_or_says_why_not() -> None:
    held = {permission for role in ROLES.values() for permission in role.tenant}
    assert held == AS_TENANT | AS_PLATFORM.keys()
    assert not AS_TENANT & AS_PLATFORM.keys()


@pytest.fixture
async def account(record: Record, gateway_url: str) -> AsyncIterator[Account]:
    async with open_account(record, gateway_url) as opened:
        yield opened


async def test_a_company_runs_its_staff_its_decisions_and_its_negotiations_as_itself(account: Account) -> None:
    own = structs.replace(account, record=account.record.as_tenant(of_company(account.company)))
    new = account.record.ids.fresh()
    await own.do(lambda tx: business.save_buyer(tx, account.company, new, BuyerDraft(name="Dee", email="dee@kim.example")))
    asked = [await account.ask(account.ann, {"tea": 20}) for _ in range(2)]
    rejected = await own.do(lambda tx: business.reject_purchase(tx, asked[0].id, account.bea, "no need", account.now))
    approved = await own.do(lambda tx: business.approve_purchase(tx, asked[1].id, account.bea, account.now))
    assert (rejected.purchase.state, approved.purchase.state) == ("rejected", "approved")
    wanted = NegotiationDraft(buyer_id=new, market="uk", lines=[WantedPieces(sku="tea", quantity=100)])
    begun = await own.do(lambda tx: negotiating.request_prices(tx, account.company, wanted, account.now))
    ended = await own.do(lambda tx: negotiating.decline(tx, begun.negotiation.id, "company", "", account.now))
    assert ended.negotiation.state == "declined"


async def test_another_company_decides_nothing_of_it(account: Account) -> None:
    other = structs.replace(account, record=account.record.as_tenant(of_company(NOBODY)))
    asked = await account.ask(account.ann, {"tea": 20})
    with pytest.raises(NotFoundError):
        await other.do(lambda tx: business.approve_purchase(tx, asked.id, account.bea, account.now))
    with pytest.raises(NotFoundError):
        await other.do(
            lambda tx: business.save_buyer(tx, account.company, account.ann, BuyerDraft(name="X", email="x@x.example"))
        )


async def test_a_seller_feeds_its_own_warehouse_as_itself_and_no_other(record: Record, gateway_url: str) -> None:
    async with open_market(record, gateway_url) as market:
        feed = Feed(sequence=1_000, lines=[FeedLine(sku="cup", quantity=7, cost_minor=500)], currency="GBP")
        async with record.reading() as connection:
            supplier = await connection.fetchval("SELECT code FROM marketplace.seller WHERE id = $1", market.supplier)
        async with record.as_tenant(of_seller(supplier)).transaction(CELL) as tx:
            fed = await marketplace.apply_feed(tx, market.supplier, "near", feed)
        assert (fed.articles, fed.changed) == (1, 1)
        with pytest.raises(NotFoundError):
            async with record.as_tenant(of_seller("elsewhere")).transaction(CELL) as tx:
                await marketplace.apply_feed(tx, market.supplier, "far", feed)
