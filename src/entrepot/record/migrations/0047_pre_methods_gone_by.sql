-- What shipping methods were before each change, and since when they are as they are: who put articles into a cart before is told
-- what sending them would have cost (see 0042). Whoever changes one keeps what it was, by trigger; after 35 days it goes.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE shipping.method ADD COLUMN since timestamptz;

CREATE TABLE shipping.past_method (
    code text NOT NULL,
    version bigint NOT NULL,
    definition jsonb NOT NULL,
    since timestamptz,
    until timestamptz NOT NULL,
    CONSTRAINT past_shipping_method_is_one_version PRIMARY KEY (code, version)
);

CREATE FUNCTION shipping.keep_past_method() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM shipping.past_method WHERE code = OLD.code AND until < NEW.since - interval '35 days';
    INSERT INTO shipping.past_method (code, version, definition, since, until)
    VALUES (OLD.code, OLD.version, OLD.definition, OLD.since, coalesce(NEW.since, now()));
    RETURN NULL;
END
$$;

CREATE TRIGGER changed_shipping_method_keeps_what_it_was AFTER UPDATE ON shipping.method
FOR EACH ROW WHEN (NEW.version > OLD.version) EXECUTE FUNCTION shipping.keep_past_method();
