CREATE SCHEMA catalog;

CREATE SCHEMA checkout;

CREATE SCHEMA jobs;

CREATE SCHEMA log;

CREATE SCHEMA marketplace;

CREATE SCHEMA ordering;

CREATE SCHEMA pricing;

CREATE SCHEMA stock;

CREATE TYPE checkout.outcome AS (
	place integer,
	outcome text,
	order_id uuid,
	line integer,
	available integer,
	txid bigint,
	seq bigint
);

CREATE TYPE ordering.account AS ENUM (
    'receivable',
    'sales',
    'sales_returns',
    'postage',
    'fees',
    'discounts',
    'adjustments',
    'donations',
    'tax',
    'gateway',
    'gateway_fees',
    'seller',
    'commission',
    'bank',
    'disputes',
    'rounding'
);

CREATE FUNCTION checkout.place_orders(in_cell integer, stamp bigint, acting text, order_ids uuid[], event_ids uuid[], keys text[], fingerprints bytea[], customers uuid[], markets text[], countries text[], currencies text[], placed_ats timestamp with time zone[], goods bigint[], charges bigint[], bodies text[], line_order integer[], line_number integer[], line_product uuid[], line_variant uuid[], line_sku text[], line_category uuid[], line_warehouse text[], line_quantity integer[], line_unit bigint[], line_amount bigint[], line_event uuid[], charge_order integer[], charge_number integer[], charge_kind text[], charge_amount bigint[], charge_note text[], charge_transfer uuid[]) RETURNS SETOF checkout.outcome
    LANGUAGE plpgsql
    AS $$
DECLARE
    orders CONSTANT integer := cardinality(order_ids);
    accepted boolean[] := array_fill(true, ARRAY[orders]);
    claimed integer;
    seen record;
    known_orders uuid[] := array_fill(NULL::uuid, ARRAY[orders]);
    known_events uuid[] := array_fill(NULL::uuid, ARRAY[orders]);
    reused boolean[] := array_fill(false, ARRAY[orders]);
    level_variant uuid[];
    level_warehouse text[];
    level_before integer[];
    level_left integer[];
    level_version bigint[];
    level_event uuid[];
    all_can_be_had boolean;
    refused_line integer[] := array_fill(NULL::integer, ARRAY[orders]);
    refused_left integer[] := array_fill(NULL::integer, ARRAY[orders]);
    line_level integer[];
    line_wanted integer[];
    line_of integer[];
    this integer;
    first_line integer := 1;
    next_line integer;
    lines CONSTANT integer := cardinality(line_order);
BEGIN
    -- 1. Claim the keys. A key that another call holds is waited for here, while we hold no stock.
    INSERT INTO log.idempotency (cell, key, fingerprint, event_id, subject_id)
    SELECT in_cell, k.key, k.fingerprint, k.event_id, k.order_id
    FROM unnest(keys, fingerprints, event_ids, order_ids) AS k (key, fingerprint, event_id, order_id)
    ORDER BY k.key
    ON CONFLICT (cell, key) DO NOTHING;
    GET DIAGNOSTICS claimed = ROW_COUNT;
    IF claimed < orders THEN
        FOR seen IN
            SELECT k.place, i.subject_id, i.event_id, i.fingerprint <> k.fingerprint AS other
            FROM unnest(keys, fingerprints, event_ids) WITH ORDINALITY AS k (key, fingerprint, event_id, place)
            JOIN log.idempotency AS i ON i.cell = in_cell AND i.key = k.key
            WHERE i.event_id <> k.event_id
        LOOP
            accepted[seen.place] := false;
            known_orders[seen.place] := seen.subject_id;
            known_events[seen.place] := seen.event_id;
            reused[seen.place] := seen.other;
        END LOOP;
    END IF;

    -- 2. Lock the levels in key order and sum what is wanted of each.
    SELECT array_agg(l.variant_id), array_agg(l.warehouse), array_agg(l.available), array_agg(l.available - l.wanted),
           array_agg(l.version), array_agg(l.event_id),
           coalesce(bool_and(l.available >= l.wanted) AND sum(l.wanted) = (SELECT sum(q) FROM unnest(line_quantity) AS q), false)
    INTO level_variant, level_warehouse, level_before, level_left, level_version, level_event, all_can_be_had
    FROM (
        SELECT s.variant_id, s.warehouse, s.available, s.version, w.event_id, w.wanted
        FROM (
            SELECT u.variant_id, u.warehouse, sum(u.quantity) AS wanted, (array_agg(u.event_id))[1] AS event_id
            FROM unnest(line_variant, line_warehouse, line_quantity, line_event)
                AS u (variant_id, warehouse, quantity, event_id)
            GROUP BY u.variant_id, u.warehouse
        ) AS w
        JOIN stock.level AS s ON s.cell = in_cell AND s.variant_id = w.variant_id AND s.warehouse = w.warehouse
        ORDER BY s.variant_id, s.warehouse
        FOR UPDATE OF s
    ) AS l;

    -- 3. Admit. When all can be had and every key is new, all are in; else one by one, as they came.
    IF claimed < orders OR NOT all_can_be_had THEN
        level_left := coalesce(level_before, '{}');
        SELECT array_agg(v.place ORDER BY u.place), array_agg(u.quantity ORDER BY u.place), array_agg(u.of ORDER BY u.place)
        INTO line_level, line_wanted, line_of
        FROM unnest(line_variant, line_warehouse, line_quantity, line_order) WITH ORDINALITY
            AS u (variant_id, warehouse, quantity, of, place)
        LEFT JOIN unnest(level_variant, level_warehouse) WITH ORDINALITY
            AS v (variant_id, warehouse, place) USING (variant_id, warehouse);
        FOR this IN 1 .. orders LOOP
            next_line := first_line;
            WHILE next_line <= lines AND line_of[next_line] = this LOOP
                IF accepted[this] THEN
                    IF line_level[next_line] IS NULL OR level_left[line_level[next_line]] < line_wanted[next_line] THEN
                        accepted[this] := false;
                        FOR given IN first_line .. next_line - 1 LOOP
                            level_left[line_level[given]] := level_left[line_level[given]] + line_wanted[given];
                        END LOOP;
                        refused_line[this] := line_number[next_line];
                        refused_left[this] := coalesce(level_left[line_level[next_line]], 0);
                    ELSE
                        level_left[line_level[next_line]] := level_left[line_level[next_line]] - line_wanted[next_line];
                    END IF;
                END IF;
                next_line := next_line + 1;
            END LOOP;
            first_line := next_line;
        END LOOP;
        -- A refused order leaves no trace: its key may be tried again.
        DELETE FROM log.idempotency AS i
        USING unnest(keys, event_ids, accepted) AS k (key, event_id, in_order)
        WHERE i.cell = in_cell AND i.key = k.key AND i.event_id = k.event_id AND NOT k.in_order;
    END IF;

    IF true = ANY (accepted) THEN
        -- 4. Take the stock: one decrement and one event per level, however many orders took from it.
        UPDATE stock.level AS s
        SET available = t.remaining, version = t.version + 1
        FROM unnest(level_variant, level_warehouse, level_before, level_left, level_version)
            AS t (variant_id, warehouse, had, remaining, version)
        WHERE s.cell = in_cell AND s.variant_id = t.variant_id AND s.warehouse = t.warehouse AND t.remaining < t.had;

        INSERT INTO log.event (cell, id, at, kind, key, version, body, actor)
        SELECT in_cell, t.event_id, stamp, 'stock.changed.v1', 'stock/' || t.variant_id || '/' || t.warehouse, t.version + 1,
               jsonb_build_object('variant_id', t.variant_id, 'warehouse', t.warehouse, 'available', t.remaining,
                                  'delta', t.remaining - t.had, 'reason', 'sold'), acting
        FROM unnest(level_variant, level_warehouse, level_before, level_left, level_version, level_event)
            AS t (variant_id, warehouse, had, remaining, version, event_id)
        WHERE t.remaining < t.had;

        -- 5. The orders, what they hold, what is owed for them, and the events that tell of them.
        INSERT INTO ordering.orders (cell, id, state, customer_id, market, country, currency, placed_at,
                                     goods_minor, charges_minor, total_minor, version)
        SELECT in_cell, o.id, 'placed', o.customer_id, o.market, o.country, o.currency, o.placed_at,
               o.goods, o.charges, o.goods + o.charges, 1
        FROM unnest(order_ids, customers, markets, countries, currencies, placed_ats, goods, charges, accepted)
            AS o (id, customer_id, market, country, currency, placed_at, goods, charges, in_order)
        WHERE o.in_order;

        INSERT INTO ordering.line (cell, order_id, line, product_id, variant_id, sku, category_id, warehouse, quantity,
                                   unit_minor, amount_minor)
        SELECT in_cell, order_ids[l.of], l.line, l.product_id, l.variant_id, l.sku, l.category_id, l.warehouse, l.quantity,
               l.unit_minor, l.amount_minor
        FROM unnest(line_order, line_number, line_product, line_variant, line_sku, line_category, line_warehouse,
                    line_quantity, line_unit, line_amount)
            AS l (of, line, product_id, variant_id, sku, category_id, warehouse, quantity, unit_minor, amount_minor)
        WHERE accepted[l.of];

        INSERT INTO ordering.transfer (cell, id, about_id, debit, credit, amount_minor, currency, booked_at)
        SELECT in_cell, o.id, o.id, 'receivable', 'sales', o.goods, o.currency, o.placed_at
        FROM unnest(order_ids, goods, currencies, placed_ats, accepted) AS o (id, goods, currency, placed_at, in_order)
        WHERE o.in_order AND o.goods > 0;

        IF cardinality(charge_order) > 0 THEN
            INSERT INTO ordering.charge (cell, order_id, charge, kind, amount_minor, note)
            SELECT in_cell, order_ids[c.of], c.charge, c.kind, c.amount_minor, c.note
            FROM unnest(charge_order, charge_number, charge_kind, charge_amount, charge_note)
                AS c (of, charge, kind, amount_minor, note)
            WHERE accepted[c.of];

            INSERT INTO ordering.transfer (cell, id, about_id, debit, credit, amount_minor, currency, booked_at)
            SELECT in_cell, c.id, order_ids[c.of],
                   CASE WHEN c.amount_minor > 0 THEN 'receivable' ELSE ordering.charge_account(c.kind) END,
                   CASE WHEN c.amount_minor > 0 THEN ordering.charge_account(c.kind) ELSE 'receivable' END,
                   abs(c.amount_minor), currencies[c.of], placed_ats[c.of]
            FROM unnest(charge_order, charge_transfer, charge_kind, charge_amount) AS c (of, id, kind, amount_minor)
            WHERE accepted[c.of] AND c.amount_minor <> 0;
        END IF;

        INSERT INTO log.event (cell, id, at, kind, key, version, body, subject, actor)
        SELECT in_cell, o.event_id, stamp, 'ordering.order_placed.v1', 'order/' || o.id, 1, o.body::jsonb, o.customer_id, acting
        FROM unnest(order_ids, event_ids, bodies, customers, accepted) AS o (id, event_id, body, customer_id, in_order)
        WHERE o.in_order;
    END IF;

    -- 6. Answer each on its own. The position is that of the batch's last event: who waits for it has seen every one.
    RETURN QUERY
    SELECT o.place::integer,
           CASE WHEN o.in_order THEN 'placed' WHEN o.reused THEN 'reused' WHEN o.known_order IS NOT NULL THEN 'repeated'
                ELSE 'refused' END,
           CASE WHEN o.in_order THEN o.id ELSE o.known_order END,
           o.refused_line, o.refused_left,
           CASE WHEN o.in_order THEN pg_current_xact_id()::text::bigint ELSE e.txid::text::bigint END,
           CASE WHEN o.in_order THEN currval('log.event_seq') ELSE e.seq END
    FROM unnest(order_ids, accepted, reused, known_orders, known_events, refused_line, refused_left) WITH ORDINALITY
        AS o (id, in_order, reused, known_order, known_event, refused_line, refused_left, place)
    LEFT JOIN log.event AS e ON e.cell = in_cell AND e.id = o.known_event AND NOT o.in_order;
END
$$;

CREATE FUNCTION log.ensure_partitions(parent regclass, step text, first timestamp with time zone, last timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql
    AS $$
DECLARE
    lower_bound timestamptz := date_trunc(step, first, 'UTC');
    upper_bound timestamptz;
    parent_schema text := (SELECT nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = parent);
    parent_name text := (SELECT relname FROM pg_class WHERE oid = parent);
    child text;
    made integer := 0;
BEGIN
    WHILE lower_bound <= last LOOP
        upper_bound := lower_bound + ('1 ' || step)::interval;
        child := parent_name || '_' || to_char(lower_bound AT TIME ZONE 'UTC', CASE step WHEN 'month' THEN 'YYYYMM' ELSE 'YYYYMMDD' END);
        IF to_regclass(format('%I.%I', parent_schema, child)) IS NULL THEN
            PERFORM pg_advisory_xact_lock(hashtext('log.ensure_partitions'));
            IF to_regclass(format('%I.%I', parent_schema, child)) IS NULL THEN
                EXECUTE format('CREATE TABLE %I.%I (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', parent_schema, child, parent);
                EXECUTE format('ALTER TABLE %s ATTACH PARTITION %I.%I FOR VALUES FROM (%L) TO (%L)', parent, parent_schema, child,
                               log.uuid_at(lower_bound), log.uuid_at(upper_bound));
                made := made + 1;
            END IF;
        END IF;
        lower_bound := upper_bound;
    END LOOP;
    RETURN made;
END
$$;

CREATE FUNCTION log.make_hash_partitions(parent regclass, parts integer, fillfactor integer) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    FOR part IN 0 .. parts - 1 LOOP
        EXECUTE format('CREATE TABLE %s PARTITION OF %s FOR VALUES WITH (MODULUS %s, REMAINDER %s) WITH (fillfactor = %s)',
                       parent::text || '_' || part, parent, parts, part, fillfactor);
    END LOOP;
END
$$;

CREATE FUNCTION log.shard_of(key text, shards integer) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT mod(mod(hashtextextended(key, 0), shards) + shards, shards)::integer
$$;

CREATE FUNCTION log.uuid_at(moment timestamp with time zone) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

CREATE FUNCTION ordering.charge_account(kind text) RETURNS ordering.account
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT (CASE kind WHEN 'postage' THEN 'postage' WHEN 'fee' THEN 'fees' WHEN 'discount' THEN 'discounts' WHEN 'tax' THEN 'tax'
                      WHEN 'voucher' THEN 'discounts' WHEN 'donation' THEN 'donations' ELSE 'adjustments' END)::ordering.account
$$;

CREATE FUNCTION ordering.ensure_room(first timestamp with time zone, last timestamp with time zone) RETURNS integer
    LANGUAGE sql
    AS $$
    SELECT log.ensure_partitions('ordering.orders', 'month', first, last)
         + log.ensure_partitions('ordering.line', 'month', first, last)
         + log.ensure_partitions('ordering.charge', 'month', first, last)
         + log.ensure_partitions('ordering.contact', 'month', first, last)
         + log.ensure_partitions('ordering.tax_line', 'month', first, last)
         + log.ensure_partitions('ordering.returns', 'month', first, last)
         + log.ensure_partitions('ordering.return_line', 'month', first, last)
         + log.ensure_partitions('ordering.return_charge', 'month', first, last)
         + log.ensure_partitions('ordering.transfer', 'month', first, last)
$$;

CREATE TABLE catalog.category (
    id uuid NOT NULL,
    code text NOT NULL,
    parent_id uuid,
    path uuid[] NOT NULL,
    names jsonb NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT category_is_not_its_own_parent CHECK ((parent_id IS DISTINCT FROM id)),
    CONSTRAINT category_path_ends_with_itself CHECK ((path[cardinality(path)] = id))
);

CREATE TABLE catalog.media (
    product_id uuid NOT NULL,
    place integer NOT NULL,
    url text NOT NULL,
    role text NOT NULL,
    alt text NOT NULL,
    CONSTRAINT media_role_is_known CHECK ((role = ANY (ARRAY['main'::text, 'gallery'::text, 'document'::text])))
)
PARTITION BY HASH (product_id);

CREATE TABLE catalog.product (
    id uuid NOT NULL,
    code text NOT NULL,
    state text DEFAULT 'offered'::text NOT NULL,
    brand text NOT NULL,
    attributes jsonb NOT NULL,
    released_on date,
    version bigint NOT NULL,
    digest bytea NOT NULL,
    CONSTRAINT product_state_is_known CHECK ((state = ANY (ARRAY['offered'::text, 'withdrawn'::text])))
)
PARTITION BY HASH (id);

CREATE TABLE catalog.product_category (
    product_id uuid NOT NULL,
    place integer NOT NULL,
    category_id uuid NOT NULL
)
PARTITION BY HASH (product_id);

CREATE TABLE catalog.product_code (
    code text NOT NULL,
    product_id uuid NOT NULL,
    CONSTRAINT product_code_is_not_empty CHECK ((code <> ''::text))
)
PARTITION BY HASH (code);

CREATE TABLE catalog.product_text (
    product_id uuid NOT NULL,
    locale text NOT NULL,
    title text NOT NULL,
    summary text NOT NULL,
    description text NOT NULL,
    CONSTRAINT product_title_is_not_empty CHECK ((title <> ''::text))
)
PARTITION BY HASH (product_id);

CREATE TABLE catalog.sku (
    sku text NOT NULL,
    variant_id uuid NOT NULL,
    product_id uuid NOT NULL,
    category_id uuid,
    offered boolean DEFAULT true NOT NULL,
    seller_id uuid,
    tax_class text DEFAULT 'standard'::text NOT NULL,
    weight_grams integer DEFAULT 0 NOT NULL,
    delivery text DEFAULT 'ship'::text NOT NULL,
    CONSTRAINT sku_is_not_empty CHECK ((sku <> ''::text))
)
PARTITION BY HASH (sku);

CREATE TABLE catalog.variant (
    product_id uuid NOT NULL,
    id uuid NOT NULL,
    place integer NOT NULL,
    sku text NOT NULL,
    options jsonb NOT NULL,
    barcodes text[] NOT NULL
)
PARTITION BY HASH (product_id);

CREATE TABLE checkout.allowance (
    cell integer NOT NULL,
    name text NOT NULL,
    used bigint DEFAULT 0 NOT NULL,
    most bigint NOT NULL,
    CONSTRAINT allowance_never_exceeded CHECK ((used <= most)),
    CONSTRAINT allowance_never_negative CHECK ((used >= 0))
)
PARTITION BY HASH (name);

CREATE TABLE jobs.cursor (
    cell integer NOT NULL,
    name text NOT NULL,
    txid bigint NOT NULL,
    seq bigint NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='50');

CREATE TABLE jobs.run (
    name text NOT NULL,
    at timestamp with time zone NOT NULL,
    done bigint NOT NULL,
    seconds double precision NOT NULL,
    error text
)
WITH (fillfactor='50');

CREATE TABLE log.archive (
    cell integer NOT NULL,
    partition text NOT NULL,
    object text NOT NULL,
    rows bigint NOT NULL,
    first_txid bigint NOT NULL,
    first_seq bigint NOT NULL,
    last_txid bigint NOT NULL,
    last_seq bigint NOT NULL,
    sha256 text NOT NULL,
    bytes bigint NOT NULL,
    dropped boolean DEFAULT false NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE SEQUENCE log.event_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE log.event (
    cell integer NOT NULL,
    id uuid NOT NULL,
    seq bigint DEFAULT nextval('log.event_seq'::regclass) NOT NULL,
    txid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    at bigint NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    version bigint NOT NULL,
    body jsonb NOT NULL,
    sealed bytea,
    subject uuid,
    actor text NOT NULL,
    cause uuid,
    CONSTRAINT event_version_counts_from_one CHECK ((version >= 1))
)
PARTITION BY RANGE (id);

CREATE TABLE log.generation (
    projection text NOT NULL,
    generation integer NOT NULL,
    version integer NOT NULL,
    shards integer NOT NULL,
    state text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    live_at timestamp with time zone,
    retired_at timestamp with time zone,
    CONSTRAINT generation_state_is_known CHECK ((state = ANY (ARRAY['building'::text, 'live'::text, 'retired'::text, 'dropped'::text])))
);

CREATE TABLE log.idempotency (
    cell integer NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    event_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    answer jsonb,
    at timestamp with time zone DEFAULT now() NOT NULL
)
PARTITION BY HASH (key);

CREATE TABLE log.lease (
    name text NOT NULL,
    holder text NOT NULL,
    fence bigint NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

CREATE TABLE log.progress (
    projection text NOT NULL,
    generation integer NOT NULL,
    cell integer NOT NULL,
    shard integer NOT NULL,
    txid bigint NOT NULL,
    seq bigint NOT NULL,
    passed bigint NOT NULL,
    stamp bigint NOT NULL,
    events bigint NOT NULL,
    items bigint NOT NULL,
    rate double precision NOT NULL,
    error text,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='50');

CREATE TABLE log.projection (
    name text NOT NULL,
    live integer
);

CREATE TABLE log.quarantine (
    projection text NOT NULL,
    generation integer NOT NULL,
    cell integer NOT NULL,
    shard integer NOT NULL,
    key text NOT NULL,
    event_id uuid NOT NULL,
    txid bigint NOT NULL,
    seq bigint NOT NULL,
    kind text NOT NULL,
    error text,
    replay boolean DEFAULT false NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE log.verification (
    id bigint NOT NULL,
    projection text NOT NULL,
    generation integer NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    checked bigint NOT NULL,
    differing bigint NOT NULL,
    repaired bigint NOT NULL,
    seconds double precision NOT NULL,
    report jsonb NOT NULL
);

ALTER TABLE log.verification ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME log.verification_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE marketplace.seller (
    id uuid NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    state text DEFAULT 'active'::text NOT NULL,
    country text NOT NULL,
    commission_permille integer NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT commission_is_a_share CHECK (((commission_permille >= 0) AND (commission_permille <= 1000))),
    CONSTRAINT seller_kind_is_known CHECK ((kind = ANY (ARRAY['marketplace'::text, 'supplier'::text]))),
    CONSTRAINT seller_state_is_known CHECK ((state = ANY (ARRAY['active'::text, 'paused'::text, 'closed'::text])))
);

CREATE TABLE ordering.charge (
    cell integer NOT NULL,
    order_id uuid NOT NULL,
    charge integer NOT NULL,
    kind text NOT NULL,
    amount_minor bigint NOT NULL,
    note text NOT NULL
)
PARTITION BY RANGE (order_id);

CREATE TABLE ordering.contact (
    cell integer NOT NULL,
    order_id uuid NOT NULL,
    email text NOT NULL,
    name text NOT NULL,
    phone text NOT NULL,
    address jsonb NOT NULL
)
PARTITION BY RANGE (order_id);

CREATE TABLE ordering.line (
    cell integer NOT NULL,
    order_id uuid NOT NULL,
    line integer NOT NULL,
    product_id uuid NOT NULL,
    variant_id uuid NOT NULL,
    sku text NOT NULL,
    category_id uuid,
    warehouse text NOT NULL,
    quantity integer NOT NULL,
    returned integer DEFAULT 0 NOT NULL,
    unit_minor bigint NOT NULL,
    amount_minor bigint NOT NULL,
    seller_id uuid,
    delivery text DEFAULT 'ship'::text NOT NULL,
    list_minor bigint,
    discount_minor bigint DEFAULT 0 NOT NULL,
    tax_minor bigint DEFAULT 0 NOT NULL,
    commission_minor bigint DEFAULT 0 NOT NULL,
    shipped integer DEFAULT 0 NOT NULL,
    cancelled integer DEFAULT 0 NOT NULL,
    CONSTRAINT line_amount_never_negative CHECK ((amount_minor >= 0)),
    CONSTRAINT line_quantity_is_positive CHECK ((quantity > 0)),
    CONSTRAINT returned_within_ordered CHECK (((returned >= 0) AND (returned <= quantity)))
)
PARTITION BY RANGE (order_id);

CREATE TABLE ordering.orders (
    cell integer NOT NULL,
    id uuid NOT NULL,
    state text NOT NULL,
    customer_id uuid,
    market text NOT NULL,
    country text NOT NULL,
    currency text NOT NULL,
    placed_at timestamp with time zone NOT NULL,
    goods_minor bigint NOT NULL,
    charges_minor bigint NOT NULL,
    total_minor bigint NOT NULL,
    cancelled_at timestamp with time zone,
    cancelled_for text,
    version bigint NOT NULL,
    channel text DEFAULT 'direct'::text NOT NULL,
    paid_by text DEFAULT 'open'::text NOT NULL,
    company_id uuid,
    tax_minor bigint DEFAULT 0 NOT NULL,
    CONSTRAINT cancelled_order_says_when_and_why CHECK (((state = 'cancelled'::text) = ((cancelled_at IS NOT NULL) AND (cancelled_for IS NOT NULL)))),
    CONSTRAINT order_currency_is_iso_4217 CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT order_total_is_goods_plus_charges CHECK ((total_minor = (goods_minor + charges_minor)))
)
PARTITION BY RANGE (id);

CREATE TABLE ordering.return_charge (
    cell integer NOT NULL,
    return_id uuid NOT NULL,
    charge integer NOT NULL,
    kind text NOT NULL,
    amount_minor bigint NOT NULL,
    note text NOT NULL
)
PARTITION BY RANGE (return_id);

CREATE TABLE ordering.return_line (
    cell integer NOT NULL,
    return_id uuid NOT NULL,
    line integer NOT NULL,
    product_id uuid NOT NULL,
    variant_id uuid NOT NULL,
    sku text NOT NULL,
    category_id uuid,
    warehouse text NOT NULL,
    quantity integer NOT NULL,
    unit_minor bigint NOT NULL,
    amount_minor bigint NOT NULL,
    CONSTRAINT return_amount_never_negative CHECK ((amount_minor >= 0)),
    CONSTRAINT return_quantity_is_positive CHECK ((quantity > 0))
)
PARTITION BY RANGE (return_id);

CREATE TABLE ordering.returns (
    cell integer NOT NULL,
    id uuid NOT NULL,
    order_id uuid,
    customer_id uuid,
    market text NOT NULL,
    country text NOT NULL,
    currency text NOT NULL,
    returned_at timestamp with time zone NOT NULL,
    reason text NOT NULL,
    restocked boolean NOT NULL,
    total_minor bigint NOT NULL
)
PARTITION BY RANGE (id);

CREATE TABLE ordering.tax_line (
    cell integer NOT NULL,
    order_id uuid NOT NULL,
    place integer NOT NULL,
    line integer,
    jurisdiction text NOT NULL,
    name text NOT NULL,
    rate_ppm integer NOT NULL,
    base_minor bigint NOT NULL,
    tax_minor bigint NOT NULL,
    included boolean NOT NULL,
    CONSTRAINT tax_rate_is_a_share CHECK (((rate_ppm >= 0) AND (rate_ppm <= 1000000)))
)
PARTITION BY RANGE (order_id);

CREATE TABLE ordering.transfer (
    cell integer NOT NULL,
    id uuid NOT NULL,
    about_id uuid NOT NULL,
    debit ordering.account NOT NULL,
    credit ordering.account NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    booked_at timestamp with time zone NOT NULL,
    debit_party text DEFAULT ''::text NOT NULL,
    credit_party text DEFAULT ''::text NOT NULL,
    CONSTRAINT transfer_amount_is_positive CHECK ((amount_minor > 0))
)
PARTITION BY RANGE (id);

CREATE TABLE pricing.market (
    code text NOT NULL,
    currency text NOT NULL,
    CONSTRAINT market_currency_is_iso_4217 CHECK ((currency ~ '^[A-Z]{3}$'::text))
);

CREATE TABLE pricing.price (
    variant_id uuid NOT NULL,
    market text NOT NULL,
    product_id uuid NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    CONSTRAINT price_never_negative CHECK ((amount_minor >= 0))
)
PARTITION BY HASH (variant_id);

CREATE TABLE pricing.product (
    product_id uuid NOT NULL,
    version bigint NOT NULL
)
PARTITION BY HASH (product_id);

CREATE TABLE stock.level (
    cell integer NOT NULL,
    variant_id uuid NOT NULL,
    warehouse text NOT NULL,
    available integer NOT NULL,
    version bigint NOT NULL,
    reserved integer DEFAULT 0 NOT NULL,
    CONSTRAINT stock_never_negative CHECK ((available >= 0))
)
PARTITION BY HASH (variant_id);

CREATE TABLE stock.reservation (
    cell integer NOT NULL,
    id uuid NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    variants uuid[] NOT NULL,
    warehouses text[] NOT NULL,
    quantities integer[] NOT NULL,
    CONSTRAINT reservation_arrays_are_parallel CHECK (((cardinality(variants) = cardinality(warehouses)) AND (cardinality(variants) = cardinality(quantities))))
)
WITH (fillfactor='70');

CREATE TABLE stock.warehouse (
    cell integer NOT NULL,
    code text NOT NULL,
    rank integer NOT NULL,
    kind text DEFAULT 'own'::text NOT NULL,
    country text DEFAULT ''::text NOT NULL,
    expected_on date
);

ALTER TABLE ONLY catalog.category
    ADD CONSTRAINT category_code_is_unique UNIQUE (code);

ALTER TABLE ONLY catalog.category
    ADD CONSTRAINT category_id_is_unique PRIMARY KEY (id);

ALTER TABLE ONLY catalog.media
    ADD CONSTRAINT media_are_ordered PRIMARY KEY (product_id, place);

ALTER TABLE ONLY catalog.product_text
    ADD CONSTRAINT one_text_per_product_and_locale PRIMARY KEY (product_id, locale);

ALTER TABLE ONLY catalog.product_category
    ADD CONSTRAINT product_categories_are_ordered PRIMARY KEY (product_id, place);

ALTER TABLE ONLY catalog.product_code
    ADD CONSTRAINT product_code_is_unique PRIMARY KEY (code);

ALTER TABLE ONLY catalog.product
    ADD CONSTRAINT product_id_is_unique PRIMARY KEY (id);

ALTER TABLE catalog.sku
    ADD CONSTRAINT sku_delivery_is_known CHECK ((delivery = ANY (ARRAY['ship'::text, 'digital'::text, 'service'::text]))) NOT VALID;

ALTER TABLE ONLY catalog.sku
    ADD CONSTRAINT sku_is_unique PRIMARY KEY (sku);

ALTER TABLE catalog.sku
    ADD CONSTRAINT sku_weight_never_negative CHECK ((weight_grams >= 0)) NOT VALID;

ALTER TABLE ONLY catalog.variant
    ADD CONSTRAINT variant_id_is_unique_in_product PRIMARY KEY (product_id, id);

ALTER TABLE ONLY checkout.allowance
    ADD CONSTRAINT allowance_name_is_unique PRIMARY KEY (cell, name);

ALTER TABLE ONLY jobs.cursor
    ADD CONSTRAINT one_cursor_per_reaction PRIMARY KEY (cell, name);

ALTER TABLE ONLY jobs.run
    ADD CONSTRAINT one_row_per_job PRIMARY KEY (name);

ALTER TABLE ONLY log.archive
    ADD CONSTRAINT archive_holds_a_partition_once PRIMARY KEY (cell, partition);

ALTER TABLE ONLY log.event
    ADD CONSTRAINT event_id_is_unique PRIMARY KEY (cell, id);

ALTER TABLE ONLY log.quarantine
    ADD CONSTRAINT event_is_quarantined_once PRIMARY KEY (projection, generation, cell, event_id);

ALTER TABLE ONLY log.generation
    ADD CONSTRAINT generation_is_unique PRIMARY KEY (projection, generation);

ALTER TABLE ONLY log.idempotency
    ADD CONSTRAINT one_answer_per_key PRIMARY KEY (cell, key);

ALTER TABLE ONLY log.lease
    ADD CONSTRAINT one_holder_per_lease PRIMARY KEY (name);

ALTER TABLE ONLY log.progress
    ADD CONSTRAINT progress_per_slot PRIMARY KEY (projection, generation, cell, shard);

ALTER TABLE ONLY log.projection
    ADD CONSTRAINT projection_name_is_unique PRIMARY KEY (name);

ALTER TABLE ONLY log.verification
    ADD CONSTRAINT verification_id_is_unique PRIMARY KEY (id);

ALTER TABLE ONLY marketplace.seller
    ADD CONSTRAINT seller_code_is_unique UNIQUE (code);

ALTER TABLE ONLY marketplace.seller
    ADD CONSTRAINT seller_id_is_unique PRIMARY KEY (id);

ALTER TABLE ordering.charge
    ADD CONSTRAINT charge_kind_is_known CHECK ((kind = ANY (ARRAY['postage'::text, 'fee'::text, 'discount'::text, 'adjustment'::text, 'donation'::text, 'sample'::text, 'voucher'::text, 'tax'::text]))) NOT VALID;

ALTER TABLE ordering.line
    ADD CONSTRAINT commission_within_amount CHECK (((commission_minor >= 0) AND (commission_minor <= amount_minor))) NOT VALID;

ALTER TABLE ONLY ordering.contact
    ADD CONSTRAINT one_contact_per_order PRIMARY KEY (cell, order_id);

ALTER TABLE ONLY ordering.charge
    ADD CONSTRAINT order_charges_are_numbered PRIMARY KEY (cell, order_id, charge);

ALTER TABLE ONLY ordering.orders
    ADD CONSTRAINT order_id_is_unique PRIMARY KEY (cell, id);

ALTER TABLE ordering.orders
    ADD CONSTRAINT order_is_paid_in_a_known_way CHECK ((paid_by = ANY (ARRAY['open'::text, 'card'::text, 'terms'::text, 'none'::text]))) NOT VALID;

ALTER TABLE ONLY ordering.line
    ADD CONSTRAINT order_lines_are_numbered PRIMARY KEY (cell, order_id, line);

ALTER TABLE ordering.orders
    ADD CONSTRAINT order_state_is_known CHECK ((state = ANY (ARRAY['placed'::text, 'part_shipped'::text, 'shipped'::text, 'delivered'::text, 'cancelled'::text]))) NOT VALID;

ALTER TABLE ordering.return_charge
    ADD CONSTRAINT return_charge_kind_is_known CHECK ((kind = ANY (ARRAY['postage'::text, 'fee'::text, 'discount'::text, 'adjustment'::text, 'donation'::text, 'sample'::text, 'voucher'::text, 'tax'::text]))) NOT VALID;

ALTER TABLE ONLY ordering.return_charge
    ADD CONSTRAINT return_charges_are_numbered PRIMARY KEY (cell, return_id, charge);

ALTER TABLE ONLY ordering.returns
    ADD CONSTRAINT return_id_is_unique PRIMARY KEY (cell, id);

ALTER TABLE ONLY ordering.return_line
    ADD CONSTRAINT return_lines_are_numbered PRIMARY KEY (cell, return_id, line);

ALTER TABLE ordering.line
    ADD CONSTRAINT shipped_and_cancelled_within_ordered CHECK (((shipped >= 0) AND (cancelled >= 0) AND ((shipped + cancelled) <= quantity))) NOT VALID;

ALTER TABLE ONLY ordering.tax_line
    ADD CONSTRAINT tax_lines_are_numbered PRIMARY KEY (cell, order_id, place);

ALTER TABLE ONLY ordering.transfer
    ADD CONSTRAINT transfer_id_is_unique PRIMARY KEY (cell, id);

ALTER TABLE ordering.transfer
    ADD CONSTRAINT transfer_names_two_accounts CHECK (((debit <> credit) OR (debit_party <> credit_party))) NOT VALID;

ALTER TABLE ONLY pricing.market
    ADD CONSTRAINT market_code_is_unique PRIMARY KEY (code);

ALTER TABLE ONLY pricing.price
    ADD CONSTRAINT one_price_per_variant_and_market PRIMARY KEY (variant_id, market);

ALTER TABLE ONLY pricing.product
    ADD CONSTRAINT prices_of_a_product_are_one_aggregate PRIMARY KEY (product_id);

ALTER TABLE ONLY stock.level
    ADD CONSTRAINT one_level_per_variant_and_warehouse PRIMARY KEY (cell, variant_id, warehouse);

ALTER TABLE ONLY stock.reservation
    ADD CONSTRAINT one_reservation_per_checkout PRIMARY KEY (cell, id);

ALTER TABLE stock.level
    ADD CONSTRAINT reserved_never_negative CHECK ((reserved >= 0)) NOT VALID;

ALTER TABLE ONLY stock.warehouse
    ADD CONSTRAINT warehouse_code_is_unique PRIMARY KEY (cell, code);

ALTER TABLE stock.warehouse
    ADD CONSTRAINT warehouse_kind_is_known CHECK ((kind = ANY (ARRAY['own'::text, 'supplier'::text, 'backorder'::text, 'preorder'::text, 'digital'::text]))) NOT VALID;

CREATE INDEX event_in_commit_order ON ONLY log.event USING btree (cell, txid, seq);

CREATE UNIQUE INDEX one_building_generation_per_projection ON log.generation USING btree (projection) WHERE (state = 'building'::text);

CREATE INDEX quarantine_in_log_order ON log.quarantine USING btree (projection, generation, cell, shard, txid, seq);

CREATE INDEX verification_newest_first ON log.verification USING btree (projection, id DESC);

CREATE INDEX orders_of_a_customer ON ONLY ordering.orders USING btree (cell, customer_id, id) WHERE (customer_id IS NOT NULL);

CREATE INDEX returns_of_an_order ON ONLY ordering.returns USING btree (cell, order_id);

CREATE INDEX price_by_product ON ONLY pricing.price USING btree (product_id);

CREATE INDEX reservation_by_end ON stock.reservation USING btree (cell, expires_at);

ALTER TABLE ONLY catalog.category
    ADD CONSTRAINT category_parent_exists FOREIGN KEY (parent_id) REFERENCES catalog.category(id);

ALTER TABLE catalog.media
    ADD CONSTRAINT media_of_a_product FOREIGN KEY (product_id) REFERENCES catalog.product(id);

ALTER TABLE catalog.product_category
    ADD CONSTRAINT product_category_exists FOREIGN KEY (category_id) REFERENCES catalog.category(id);

ALTER TABLE catalog.product_category
    ADD CONSTRAINT product_category_of_a_product FOREIGN KEY (product_id) REFERENCES catalog.product(id);

ALTER TABLE catalog.product_text
    ADD CONSTRAINT product_text_of_a_product FOREIGN KEY (product_id) REFERENCES catalog.product(id);

ALTER TABLE catalog.variant
    ADD CONSTRAINT variant_of_a_product FOREIGN KEY (product_id) REFERENCES catalog.product(id);

ALTER TABLE ONLY log.generation
    ADD CONSTRAINT generation_of_a_projection FOREIGN KEY (projection) REFERENCES log.projection(name);

ALTER TABLE ordering.return_charge
    ADD CONSTRAINT charge_of_a_return FOREIGN KEY (cell, return_id) REFERENCES ordering.returns(cell, id);

ALTER TABLE ordering.charge
    ADD CONSTRAINT charge_of_an_order FOREIGN KEY (cell, order_id) REFERENCES ordering.orders(cell, id);

ALTER TABLE ordering.return_line
    ADD CONSTRAINT line_of_a_return FOREIGN KEY (cell, return_id) REFERENCES ordering.returns(cell, id);

ALTER TABLE ordering.line
    ADD CONSTRAINT line_of_an_order FOREIGN KEY (cell, order_id) REFERENCES ordering.orders(cell, id);

ALTER TABLE ordering.returns
    ADD CONSTRAINT return_of_an_order FOREIGN KEY (cell, order_id) REFERENCES ordering.orders(cell, id);

ALTER TABLE pricing.price
    ADD CONSTRAINT price_in_a_market FOREIGN KEY (market) REFERENCES pricing.market(code);

ALTER TABLE stock.level
    ADD CONSTRAINT level_in_a_warehouse FOREIGN KEY (cell, warehouse) REFERENCES stock.warehouse(cell, code);
