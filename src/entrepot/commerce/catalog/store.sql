-- name: claim_product_codes
-- Reserves ids for product codes that are new; known ones keep theirs.
INSERT INTO catalog.product_code (code, product_id)
SELECT c.code, c.id FROM unnest($1::text[], $2::uuid[]) AS c (code, id) ORDER BY c.code
ON CONFLICT (code) DO NOTHING;

-- name: product_ids
-- The id of each product code that is known.
SELECT code, product_id FROM catalog.product_code WHERE code = ANY ($1::text[]);

-- name: products_for_update
-- Locks products in id order and returns what decides about their change.
SELECT id, version, digest, state FROM catalog.product WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE;

-- name: claim_skus
-- Reserves variant ids for SKUs that are new; known ones keep theirs.
INSERT INTO catalog.sku (sku, variant_id, product_id)
SELECT s.sku, s.variant_id, s.product_id FROM unnest($1::text[], $2::uuid[], $3::uuid[]) AS s (sku, variant_id, product_id)
ORDER BY s.sku
ON CONFLICT (sku) DO NOTHING;

-- name: skus
-- The variant and product of each SKU that is known.
SELECT sku, variant_id, product_id, category_id, offered FROM catalog.sku WHERE sku = ANY ($1::text[]);

-- name: categories_by_code
-- The categories with these codes.
SELECT id, code, parent_id, path, names, version FROM catalog.category WHERE code = ANY ($1::text[]);

-- name: categories_for_update
-- Locks the categories with these codes, in id order.
SELECT id, code, parent_id, path, names, version FROM catalog.category WHERE code = ANY ($1::text[]) ORDER BY id FOR UPDATE;

-- name: put_categories
-- Writes categories as they now are.
INSERT INTO catalog.category (id, code, parent_id, path, names, version)
SELECT c.id, c.code, c.parent_id, c.path::uuid[], c.names::jsonb, c.version
FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::bigint[])
    AS c (id, code, parent_id, path, names, version)
ON CONFLICT (id) DO UPDATE SET names = excluded.names, version = excluded.version;

-- name: put_products
-- Writes products as they now are.
INSERT INTO catalog.product (id, code, state, brand, attributes, released_on, version, digest)
SELECT p.id, p.code, 'offered', p.brand, p.attributes::jsonb, p.released_on, p.version, p.digest
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::date[], $6::bigint[], $7::bytea[])
    AS p (id, code, brand, attributes, released_on, version, digest)
ON CONFLICT (id) DO UPDATE SET state = 'offered', brand = excluded.brand, attributes = excluded.attributes,
    released_on = excluded.released_on, version = excluded.version, digest = excluded.digest;

-- name: clear_texts
-- Removes the texts of products that are about to be written anew.
DELETE FROM catalog.product_text WHERE product_id = ANY ($1::uuid[]);

-- name: clear_categories
-- Takes products out of their categories, before they are put into their new ones.
DELETE FROM catalog.product_category WHERE product_id = ANY ($1::uuid[]);

-- name: clear_media
-- Removes the media of products that are about to be written anew.
DELETE FROM catalog.media WHERE product_id = ANY ($1::uuid[]);

-- name: clear_variants
-- Removes the variants of products that are about to be written anew; their SKUs stay reserved.
DELETE FROM catalog.variant WHERE product_id = ANY ($1::uuid[]);

-- name: put_texts
-- Writes what is said of products, one row per language.
INSERT INTO catalog.product_text (product_id, locale, title, summary, description)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[]);

-- name: put_product_categories
-- Puts products into categories, the first being the one they are counted under.
INSERT INTO catalog.product_category (product_id, place, category_id)
SELECT * FROM unnest($1::uuid[], $2::integer[], $3::uuid[]);

-- name: put_media
-- Writes the media references of products in their order.
INSERT INTO catalog.media (product_id, place, url, role, alt)
SELECT * FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::text[]);

-- name: put_variants
-- Writes the variants of products in their order.
INSERT INTO catalog.variant (product_id, id, place, sku, options, barcodes)
SELECT v.product_id, v.id, v.place, v.sku, v.options::jsonb, v.barcodes::text[]
FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $4::text[], $5::text[], $6::text[])
    AS v (product_id, id, place, sku, options, barcodes);

-- name: offer_skus
-- Opens the SKUs of changed products for sale, and those that a product no longer has are closed.
UPDATE catalog.sku AS s
SET offered = o.offered, category_id = o.category_id
FROM unnest($1::text[], $2::uuid[], $3::boolean[]) AS o (sku, category_id, offered)
WHERE s.sku = o.sku;

-- name: withdraw_product
-- Marks a product as withdrawn; the caller holds its row lock.
UPDATE catalog.product SET state = 'withdrawn', version = version + 1, digest = '' WHERE id = $1 RETURNING code, version;

-- name: close_skus
-- Closes every SKU of these products for sale.
UPDATE catalog.sku SET offered = false
WHERE sku IN (SELECT v.sku FROM catalog.variant AS v WHERE v.product_id = ANY ($1::uuid[]));

-- name: terms_for_update
-- Locks SKUs in order and returns how each is sold.
SELECT sku, variant_id, seller_id, tax_class, weight_grams, delivery, terms_version
FROM catalog.sku WHERE sku = ANY ($1::text[]) ORDER BY sku FOR UPDATE;

-- name: put_terms
-- Writes how SKUs are sold; the caller holds their locks.
UPDATE catalog.sku AS s
SET seller_id = t.seller_id, tax_class = t.tax_class, weight_grams = t.weight_grams, delivery = t.delivery, terms_version = t.version
FROM unnest($1::text[], $2::uuid[], $3::text[], $4::integer[], $5::text[], $6::bigint[])
    AS t (sku, seller_id, tax_class, weight_grams, delivery, version)
WHERE s.sku = t.sku;
