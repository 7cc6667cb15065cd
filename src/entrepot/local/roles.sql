-- The users of the system of record, each with no more than its work takes (docs/decisions/0011). May be run again.
-- Run as a superuser, in the database of the record; what each may do in it, `entrepot` grants when it migrates.
DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY['entrepot_owner', 'entrepot_platform', 'entrepot_tenant', 'entrepot_reader', 'entrepot_backup'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = one) THEN
            EXECUTE format('CREATE ROLE %I', one);
        END IF;
    END LOOP;
END
$$;

-- Migrates, makes partitions and drops what is archived: owns everything, and sees no row of a tenant.
ALTER ROLE entrepot_owner LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD '<entrepot_owner>';
-- The application on the platform's own behalf: the hot path, jobs, projections.
ALTER ROLE entrepot_platform LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD '<entrepot_platform>';
-- What sellers' staff and companies' buyers ask.
ALTER ROLE entrepot_tenant LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD '<entrepot_tenant>';
-- Reads, for people who look into it; no secrets.
ALTER ROLE entrepot_reader LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD '<entrepot_reader>';
-- pg_dump, which refuses to leave rows out: the one that sees past policies, and writes nothing.
ALTER ROLE entrepot_backup LOGIN NOSUPERUSER BYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD '<entrepot_backup>';
ALTER ROLE entrepot_reader SET default_transaction_read_only = on;
ALTER ROLE entrepot_backup SET default_transaction_read_only = on;
GRANT pg_read_all_data TO entrepot_backup;
GRANT entrepot_tenant TO entrepot_platform WITH INHERIT FALSE, SET TRUE;

DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO entrepot_platform, entrepot_tenant, entrepot_reader, entrepot_backup',
                   current_database());
END
$$;
