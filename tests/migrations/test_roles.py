"""What each role may do in a migrated database, walked in the catalogue: nobody has more than is written in ``grants.sql``."""

import asyncio

import asyncpg

from entrepot.record.migrate import migrate

ROLES = "('entrepot_platform', 'entrepot_tenant', 'entrepot_reader', 'entrepot_backup')"
OURS = "n.nspname !~ '^(pg_|information_schema$|public$)'"

# A column by which a table says whose a row is; `party` is a seller's id in the ledger.
TENANT_COLUMNS = "('seller_id', 'company_id', 'tenant', 'credit_party')"

# Functions that run with their owner's rights, each with its reason.
SECURITY_DEFINERS = {
    "audit.write_out(integer,integer)": "nobody else takes batches of entries away, and it writes out what it takes",
}


async def rows(url: str, sql: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        return {str(row[0]) for row in await connection.fetch(sql)}
    finally:
        await connection.close()


async def test_every_table_with_a_tenant_keeps_tenants_to_their_own_rows(migrated_url: str) -> None:
    unprotected = await rows(
        migrated_url,
        f"""
        SELECT c.oid::regclass::text FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_attribute AS a ON a.attrelid = c.oid
        WHERE {OURS} AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attname IN {TENANT_COLUMNS}
          AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (
              SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid AND NOT p.polpermissive AND p.polcmd = '*'
                AND p.polroles = ARRAY['entrepot_tenant'::regrole::oid]
          ))
        """,  # constants of this file
    )
    assert not unprotected, "call access.protect (migration 0034) for each of these in the migration that makes it"


async def test_every_table_that_a_tenant_may_touch_is_protected_or_the_same_for_all(migrated_url: str) -> None:
    open_to_all = await rows(
        migrated_url,
        f"""
        SELECT c.oid::regclass::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE {OURS} AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relforcerowsecurity
          AND has_table_privilege('entrepot_tenant', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
        """,  # constants of this file
    )
    assert open_to_all == {"business.issuer", "catalog.product_text", "log.event", "pricing.market"}


async def test_the_application_owns_nothing_makes_nothing_and_cannot_look_past_a_policy(migrated_url: str) -> None:
    owned = f"""
        SELECT oid::regclass::text FROM pg_class WHERE relowner::regrole::text IN {ROLES}
        UNION ALL SELECT oid::regprocedure::text FROM pg_proc WHERE proowner::regrole::text IN {ROLES}
        UNION ALL SELECT nspname FROM pg_namespace WHERE nspowner::regrole::text IN {ROLES}
    """
    making = f"""
        SELECT r.rolname || ' in ' || n.nspname FROM pg_namespace AS n CROSS JOIN pg_roles AS r
        WHERE r.rolname IN {ROLES} AND n.nspname !~ '^pg_' AND has_schema_privilege(r.oid, n.oid, 'CREATE')
    """  # constants of this file
    strong = f"""
        SELECT rolname FROM pg_roles WHERE rolname IN {ROLES} AND rolname <> 'entrepot_backup'
          AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)
    """  # constants of this file
    for sql in (owned, making, strong):
        assert not await rows(migrated_url, sql)


async def test_new_tables_are_read_by_the_platform_and_are_nobody_else_s(migrated_url: str) -> None:
    given = "SELECT DISTINCT acl::text FROM pg_default_acl AS d CROSS JOIN unnest(d.defaclacl) AS acl"
    assert {acl.partition("/")[0] for acl in await rows(migrated_url, given)} == {"entrepot_platform=r"}


async def test_no_function_is_everybody_s_and_none_but_those_named_run_with_their_owner_s_rights(migrated_url: str) -> None:
    ours = f"FROM pg_proc AS f JOIN pg_namespace AS n ON n.oid = f.pronamespace WHERE {OURS}"
    definers = await rows(migrated_url, f"SELECT f.oid::regprocedure::text {ours} AND f.prosecdef")
    assert definers == set(SECURITY_DEFINERS)
    reader = f"SELECT f.oid::regprocedure::text {ours} AND has_function_privilege('entrepot_reader', f.oid, 'EXECUTE')"
    assert not definers & await rows(migrated_url, reader)
    tenants = await rows(
        migrated_url,
        f"SELECT f.oid::regprocedure::text {ours} AND has_function_privilege('entrepot_tenant', f.oid, 'EXECUTE')",
    )
    assert tenants == {"access.companies()", "access.sellers()"}


async def test_what_a_role_has_been_given_beside_the_grants_is_taken_from_it_by_the_next_migration(migrated_url: str) -> None:
    connection = await asyncpg.connect(migrated_url)
    try:
        await connection.execute("GRANT SELECT ON identity.session, privacy.person_key TO entrepot_tenant, PUBLIC")
        await asyncio.to_thread(migrate, migrated_url)
        assert not await connection.fetchval("SELECT has_table_privilege('entrepot_tenant', 'identity.session', 'SELECT')")
    finally:
        await connection.close()


async def test_nobody_but_its_owner_rewrites_the_audit(migrated_url: str) -> None:
    connection = await asyncpg.connect(migrated_url)
    try:
        for table in ("audit.entry", "audit.entry_batch", "audit.link", "audit.root"):
            assert not await connection.fetchval(
                "SELECT has_table_privilege('entrepot_platform', $1, 'UPDATE, DELETE, TRUNCATE')", table
            )
    finally:
        await connection.close()
