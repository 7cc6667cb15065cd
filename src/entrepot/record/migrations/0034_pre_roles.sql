-- Who works in this database: five roles, none of which may do what another is for (docs/decisions/0011).
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

-- Roles belong to the server, not to this database: another one may have made them, or be making them now. They can sign in only
-- where `entrepot roles --sql`, or the embedded server, has given them passwords.
DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY['entrepot_owner', 'entrepot_platform', 'entrepot_tenant', 'entrepot_reader', 'entrepot_backup'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = one) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', one);
            EXCEPTION
                WHEN duplicate_object OR unique_violation THEN NULL;
                WHEN insufficient_privilege THEN
                    RAISE EXCEPTION 'The role % is not there and % may not make it', one, current_user
                        USING HINT = 'Run what ''entrepot roles --sql'' prints as a superuser first.', ERRCODE = 'insufficient_privilege';
            END;
        END IF;
    END LOOP;
    -- Who signs in for the application may become a tenant for one transaction, and has nothing of one until it does.
    IF NOT pg_has_role('entrepot_platform', 'entrepot_tenant', 'SET') THEN
        GRANT entrepot_tenant TO entrepot_platform WITH INHERIT FALSE, SET TRUE;
    END IF;
END
$$;

CREATE SCHEMA access;

-- The companies that the transaction acts for; none where none is set, also on a connection that served somebody before.
CREATE FUNCTION access.companies() RETURNS uuid[]
LANGUAGE sql STABLE PARALLEL SAFE
RETURN string_to_array(nullif(current_setting('entrepot.companies', true), ''), ',')::uuid[];

-- The codes of the sellers that the transaction acts for.
CREATE FUNCTION access.sellers() RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE
RETURN string_to_array(nullif(current_setting('entrepot.sellers', true), ''), ',');

-- Keeps a tenant to its own rows of a table, for its owner too: what a tenant may see is narrowed by `own`, whatever other
-- policies will ever allow. A condition that reads another protected table sees of that table only what the tenant may see.
CREATE FUNCTION access.protect(what regclass, own text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', what);
    EXECUTE format('CREATE POLICY platform_sees_every_row ON %s TO entrepot_platform USING (true) WITH CHECK (true)', what);
    EXECUTE format('CREATE POLICY reader_sees_every_row ON %s FOR SELECT TO entrepot_reader USING (true)', what);
    EXECUTE format('CREATE POLICY tenant_sees_some_rows ON %s TO entrepot_tenant USING (true) WITH CHECK (true)', what);
    EXECUTE format('CREATE POLICY tenant_sees_only_its_own ON %s AS RESTRICTIVE TO entrepot_tenant USING (%s) WITH CHECK (%s)',
                   what, own, own);
END
$$;
