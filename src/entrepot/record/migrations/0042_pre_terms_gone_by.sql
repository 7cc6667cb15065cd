-- What promotions, price lists and prices in them were before each change, and since when they are as they are: who put articles
-- into a cart before is told what they would have cost. Whoever changes one keeps what it was, by trigger; after 35 days it goes.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE promotion.promotion ADD COLUMN since timestamptz;
ALTER TABLE pricing.price_list ADD COLUMN since timestamptz;
ALTER TABLE pricing.list_price ADD COLUMN since timestamptz;

-- A promotion as it was from one change (none: from ever) until the next.
CREATE TABLE promotion.past (
    code text NOT NULL,
    version bigint NOT NULL,
    definition jsonb NOT NULL,
    since timestamptz,
    until timestamptz NOT NULL,
    CONSTRAINT past_promotion_is_one_version PRIMARY KEY (code, version)
);

-- A price list as it was, `definition` with the columns of `price_list`.
CREATE TABLE pricing.past_list (
    code text NOT NULL,
    version bigint NOT NULL,
    company_id uuid,
    definition jsonb NOT NULL,
    since timestamptz,
    until timestamptz NOT NULL,
    CONSTRAINT past_price_list_is_one_version PRIMARY KEY (code, version)
);
SELECT access.protect('pricing.past_list', 'company_id IS NULL OR company_id = ANY (access.companies())');

-- What a variant cost in a list.
CREATE TABLE pricing.past_list_price (
    variant_id uuid NOT NULL,
    list text NOT NULL,
    version bigint NOT NULL,
    from_quantities integer[] NOT NULL,
    amounts_minor bigint[] NOT NULL,
    since timestamptz,
    until timestamptz NOT NULL,
    CONSTRAINT past_list_price_is_one_version PRIMARY KEY (variant_id, list, version)
);

CREATE FUNCTION promotion.keep_past() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM promotion.past WHERE code = OLD.code AND until < NEW.since - interval '35 days';
    INSERT INTO promotion.past (code, version, definition, since, until)
    VALUES (OLD.code, OLD.version, OLD.definition, OLD.since, coalesce(NEW.since, now()));
    RETURN NULL;
END
$$;

CREATE FUNCTION pricing.keep_past_list() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM pricing.past_list WHERE code = OLD.code AND until < NEW.since - interval '35 days';
    INSERT INTO pricing.past_list (code, version, company_id, definition, since, until)
    VALUES (OLD.code, OLD.version, OLD.company_id, to_jsonb(OLD), OLD.since, coalesce(NEW.since, now()));
    RETURN NULL;
END
$$;

CREATE FUNCTION pricing.keep_past_list_price() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM pricing.past_list_price
    WHERE variant_id = OLD.variant_id AND list = OLD.list AND until < NEW.since - interval '35 days';
    INSERT INTO pricing.past_list_price (variant_id, list, version, from_quantities, amounts_minor, since, until)
    VALUES (OLD.variant_id, OLD.list, OLD.version, OLD.from_quantities, OLD.amounts_minor, OLD.since, coalesce(NEW.since, now()));
    RETURN NULL;
END
$$;

CREATE TRIGGER changed_promotion_keeps_what_it_was AFTER UPDATE ON promotion.promotion
FOR EACH ROW WHEN (NEW.version > OLD.version) EXECUTE FUNCTION promotion.keep_past();
CREATE TRIGGER changed_price_list_keeps_what_it_was AFTER UPDATE ON pricing.price_list
FOR EACH ROW WHEN (NEW.version > OLD.version) EXECUTE FUNCTION pricing.keep_past_list();
CREATE TRIGGER changed_list_price_keeps_what_it_was AFTER UPDATE ON pricing.list_price
FOR EACH ROW WHEN (NEW.version > OLD.version) EXECUTE FUNCTION pricing.keep_past_list_price();
