-- Who may do what here: the whole of it, brought about again after each migration. What is so already is left alone, so that
-- processes that start at once do not meet; a role that has more than is written here loses it.
DO $grants$
DECLARE
    rooms CONSTANT text[] := ARRAY(
        SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema$|public$|bench$)' ORDER BY nspname
    );
    one record;
BEGIN
    FOR one IN
        -- A tenant's requests touch these, and of these only the rows that the policies leave (migration 0035).
        WITH tenant (relation, may) AS (VALUES
            ('business.buyer', '{SELECT,INSERT,UPDATE}'::text[]), ('business.company', '{SELECT,UPDATE}'),
            ('business.credit_note', '{SELECT}'), ('business.invoice', '{SELECT}'), ('business.issuer', '{SELECT}'),
            ('business.negotiation', '{SELECT,INSERT,UPDATE}'), ('business.negotiation_round', '{SELECT,INSERT}'),
            ('business.purchase', '{SELECT,INSERT,UPDATE}'), ('business.receipt', '{SELECT}'), ('business.settlement', '{SELECT}'),
            ('catalog.product_text', '{SELECT}'), ('catalog.sku', '{SELECT}'), ('checkout.allowance', '{SELECT}'),
            ('fulfilment.shipment', '{SELECT}'), ('fulfilment.shipment_line', '{SELECT}'),
            ('log.event', '{INSERT}'), ('log.idempotency', '{SELECT,INSERT,UPDATE}'),
            ('marketplace.payout', '{SELECT}'), ('marketplace.seller', '{SELECT,UPDATE}'),
            ('marketplace.seller_order', '{SELECT}'), ('marketplace.supplied', '{SELECT}'),
            ('marketplace.supply', '{SELECT,INSERT,UPDATE}'), ('marketplace.warehouse', '{SELECT,UPDATE}'),
            ('ordering.contact', '{SELECT}'), ('ordering.line', '{SELECT}'), ('ordering.orders', '{SELECT}'),
            ('ordering.returns', '{SELECT}'), ('ordering.transfer', '{SELECT}'), ('pricing.market', '{SELECT}'),
            ('stock.level', '{SELECT,INSERT,UPDATE}'), ('stock.warehouse', '{SELECT}')
        ), tables AS (
            SELECT c.oid, c.relacl, n.nspname || '.' || c.relname AS relation, n.nspname AS room, c.relispartition AS is_part
            FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname = ANY (rooms) AND c.relkind IN ('r', 'p', 'v', 'm')
               OR n.nspname = 'public' AND c.relname ~ 'yoyo' AND c.relkind = 'r'
        ), wanted AS (
            SELECT t.oid, t.relacl, r.role, CASE
                -- A partition is reached through the table it is a part of, by whose policies it is kept; who searches all there is
                -- for what was forgotten looks into each by itself, and into what the migrations note.
                WHEN t.is_part OR t.room = 'public' THEN CASE r.role WHEN 'entrepot_platform' THEN '{SELECT}'::text[] ELSE '{}' END
                ELSE CASE r.role WHEN 'entrepot_platform' THEN CASE
                    WHEN t.relation IN ('audit.entry', 'audit.entry_batch', 'audit.link', 'audit.root') THEN '{INSERT,SELECT}'::text[]
                    ELSE '{DELETE,INSERT,SELECT,UPDATE}' END
                -- Who reads reads no secrets: what signs somebody in, what opens what is sealed, what is sold as a secret.
                WHEN 'entrepot_reader' THEN CASE
                    WHEN t.room IN ('identity', 'privacy') OR t.relation IN ('audit.signing_key', 'digital.licence', 'digital.secret')
                    THEN '{}'::text[] ELSE '{SELECT}' END
                WHEN 'entrepot_tenant' THEN coalesce((SELECT x.may FROM tenant AS x WHERE x.relation = t.relation), '{}')
                ELSE '{}' END END AS may
            FROM tables AS t
            CROSS JOIN unnest(ARRAY['entrepot_platform', 'entrepot_tenant', 'entrepot_reader', 'entrepot_backup', '']) AS r (role)
        )
        SELECT w.oid::regclass AS what, coalesce(quote_ident(nullif(w.role, '')), 'PUBLIC') AS whom, w.may
        FROM wanted AS w
        WHERE ARRAY(SELECT unnest(w.may) ORDER BY 1) <> ARRAY(
            SELECT a.privilege_type FROM aclexplode(w.relacl) AS a
            WHERE a.grantee = coalesce((SELECT p.oid FROM pg_roles AS p WHERE p.rolname = w.role), 0) ORDER BY 1
        )
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %s', one.what, one.whom);
        IF one.may <> '{}' THEN
            EXECUTE format('GRANT %s ON %s TO %s', array_to_string(one.may, ', '), one.what, one.whom);
        END IF;
    END LOOP;

    -- Where an event went in the log is told to whoever appended it; what is in the log is not.
    IF NOT has_column_privilege('entrepot_tenant', 'log.event', 'seq', 'SELECT') THEN
        GRANT SELECT (seq, txid) ON log.event TO entrepot_tenant;
    END IF;

    FOR one IN
        SELECT r.role, n.nspname AS room FROM pg_namespace AS n
        CROSS JOIN unnest(ARRAY['entrepot_platform', 'entrepot_tenant', 'entrepot_reader']) AS r (role)
        WHERE n.nspname = ANY (rooms) AND NOT has_schema_privilege(r.role, n.oid, 'USAGE')
          AND (r.role <> 'entrepot_tenant' OR n.nspname = ANY (ARRAY['access', 'business', 'catalog', 'checkout', 'fulfilment', 'log',
                                                                     'marketplace', 'ordering', 'pricing', 'stock']))
    LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', one.room, one.role);
    END LOOP;

    FOR one IN
        SELECT n.nspname AS room FROM pg_namespace AS n
        WHERE n.nspname = ANY (rooms) AND NOT EXISTS (
            SELECT FROM pg_default_acl AS d WHERE d.defaclnamespace = n.oid AND d.defaclrole = current_user::regrole
        )
    LOOP
        -- Partitions that are made between two migrations.
        EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT ON TABLES TO entrepot_platform', one.room);
    END LOOP;

    FOR one IN
        SELECT c.oid::regclass AS what, r.role FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        CROSS JOIN unnest(ARRAY['entrepot_platform', 'entrepot_tenant']) AS r (role)
        WHERE n.nspname = ANY (rooms) AND c.relkind = 'S' AND NOT has_sequence_privilege(r.role, c.oid, 'USAGE')
          AND (r.role <> 'entrepot_tenant' OR c.oid = 'log.event_seq'::regclass)
    LOOP
        EXECUTE format('GRANT USAGE ON SEQUENCE %s TO %I', one.what, one.role);
    END LOOP;

    -- Functions run with the rights of whoever calls them, but the one that writes entries out with their owner's: it changes, so who
    -- reads does not call it. A tenant calls none of them but those that its policies are made of.
    FOR one IN
        SELECT f.oid::regprocedure AS what, f.prosecdef AS as_owner FROM pg_proc AS f JOIN pg_namespace AS n ON n.oid = f.pronamespace
        WHERE n.nspname = ANY (rooms)
          AND (f.proacl IS NULL OR NOT has_function_privilege('entrepot_platform', f.oid, 'EXECUTE'))
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', one.what);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO entrepot_platform', one.what);
        IF NOT one.as_owner THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO entrepot_reader', one.what);
        END IF;
    END LOOP;
    IF NOT has_function_privilege('entrepot_tenant', 'access.sellers()', 'EXECUTE') THEN
        GRANT EXECUTE ON FUNCTION access.sellers(), access.companies() TO entrepot_tenant;
    END IF;

    -- Where one and the same user migrates and runs the application, it is the platform too: else it would see no row.
    IF current_user NOT IN ('entrepot_owner', 'entrepot_platform') AND NOT pg_has_role('entrepot_platform', 'USAGE') THEN
        EXECUTE format('GRANT entrepot_platform TO %I', current_user);
    END IF;
END
$grants$;
