-- The catalogue and its prices: tables that grow with the number of products and do not age are partitioned by hash.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

CREATE SCHEMA catalog;

CREATE TABLE catalog.category (
    id uuid NOT NULL,
    code text NOT NULL,
    parent_id uuid,
    path uuid[] NOT NULL,
    names jsonb NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT category_id_is_unique PRIMARY KEY (id),
    CONSTRAINT category_code_is_unique UNIQUE (code),
    CONSTRAINT category_parent_exists FOREIGN KEY (parent_id) REFERENCES catalog.category (id),
    CONSTRAINT category_is_not_its_own_parent CHECK (parent_id IS DISTINCT FROM id),
    CONSTRAINT category_path_ends_with_itself CHECK (path[cardinality(path)] = id)
);

CREATE TABLE catalog.product_code (
    code text NOT NULL,
    product_id uuid NOT NULL,
    CONSTRAINT product_code_is_unique PRIMARY KEY (code),
    CONSTRAINT product_code_is_not_empty CHECK (code <> '')
) PARTITION BY HASH (code);

CREATE TABLE catalog.product (
    id uuid NOT NULL,
    code text NOT NULL,
    state text NOT NULL DEFAULT 'offered',
    brand text NOT NULL,
    attributes jsonb NOT NULL,
    released_on date,
    version bigint NOT NULL,
    digest bytea NOT NULL,
    CONSTRAINT product_id_is_unique PRIMARY KEY (id),
    CONSTRAINT product_state_is_known CHECK (state IN ('offered', 'withdrawn'))
) PARTITION BY HASH (id);

CREATE TABLE catalog.product_text (
    product_id uuid NOT NULL,
    locale text NOT NULL,
    title text NOT NULL,
    summary text NOT NULL,
    description text NOT NULL,
    CONSTRAINT one_text_per_product_and_locale PRIMARY KEY (product_id, locale),
    CONSTRAINT product_text_of_a_product FOREIGN KEY (product_id) REFERENCES catalog.product (id),
    CONSTRAINT product_title_is_not_empty CHECK (title <> '')
) PARTITION BY HASH (product_id);

CREATE TABLE catalog.product_category (
    product_id uuid NOT NULL,
    place integer NOT NULL,
    category_id uuid NOT NULL,
    CONSTRAINT product_categories_are_ordered PRIMARY KEY (product_id, place),
    CONSTRAINT product_category_of_a_product FOREIGN KEY (product_id) REFERENCES catalog.product (id),
    CONSTRAINT product_category_exists FOREIGN KEY (category_id) REFERENCES catalog.category (id)
) PARTITION BY HASH (product_id);

CREATE TABLE catalog.media (
    product_id uuid NOT NULL,
    place integer NOT NULL,
    url text NOT NULL,
    role text NOT NULL,
    alt text NOT NULL,
    CONSTRAINT media_are_ordered PRIMARY KEY (product_id, place),
    CONSTRAINT media_of_a_product FOREIGN KEY (product_id) REFERENCES catalog.product (id),
    CONSTRAINT media_role_is_known CHECK (role IN ('main', 'gallery', 'document'))
) PARTITION BY HASH (product_id);

CREATE TABLE catalog.variant (
    product_id uuid NOT NULL,
    id uuid NOT NULL,
    place integer NOT NULL,
    sku text NOT NULL,
    options jsonb NOT NULL,
    barcodes text[] NOT NULL,
    CONSTRAINT variant_id_is_unique_in_product PRIMARY KEY (product_id, id),
    CONSTRAINT variant_of_a_product FOREIGN KEY (product_id) REFERENCES catalog.product (id)
) PARTITION BY HASH (product_id);

-- The one place where a SKU is unique: a partitioned table can only be unique in its partition key.
CREATE TABLE catalog.sku (
    sku text NOT NULL,
    variant_id uuid NOT NULL,
    product_id uuid NOT NULL,
    category_id uuid,
    offered boolean NOT NULL DEFAULT true,
    CONSTRAINT sku_is_unique PRIMARY KEY (sku),
    CONSTRAINT sku_is_not_empty CHECK (sku <> '')
) PARTITION BY HASH (sku);

CREATE SCHEMA pricing;

CREATE TABLE pricing.market (
    code text NOT NULL,
    currency text NOT NULL,
    CONSTRAINT market_code_is_unique PRIMARY KEY (code),
    CONSTRAINT market_currency_is_iso_4217 CHECK (currency ~ '^[A-Z]{3}$')
);

CREATE TABLE pricing.product (
    product_id uuid NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT prices_of_a_product_are_one_aggregate PRIMARY KEY (product_id)
) PARTITION BY HASH (product_id);

CREATE TABLE pricing.price (
    variant_id uuid NOT NULL,
    market text NOT NULL,
    product_id uuid NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    CONSTRAINT one_price_per_variant_and_market PRIMARY KEY (variant_id, market),
    CONSTRAINT price_in_a_market FOREIGN KEY (market) REFERENCES pricing.market (code),
    CONSTRAINT price_never_negative CHECK (amount_minor >= 0)
) PARTITION BY HASH (variant_id);

CREATE INDEX price_by_product ON pricing.price (product_id);

DO $$
BEGIN
    PERFORM log.make_hash_partitions('catalog.product_code', 8, 100);
    PERFORM log.make_hash_partitions('catalog.product', 8, 90);
    PERFORM log.make_hash_partitions('catalog.product_text', 8, 90);
    PERFORM log.make_hash_partitions('catalog.product_category', 8, 90);
    PERFORM log.make_hash_partitions('catalog.media', 8, 90);
    PERFORM log.make_hash_partitions('catalog.variant', 8, 90);
    PERFORM log.make_hash_partitions('catalog.sku', 8, 100);
    PERFORM log.make_hash_partitions('pricing.product', 8, 90);
    PERFORM log.make_hash_partitions('pricing.price', 8, 90);
END
$$;
