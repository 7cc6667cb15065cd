-- Where a person's rows may live, and when they were last here: what residency and retention decide by.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

-- Whoever is there already counts as seen now: nobody is forgotten for what was not written down.
ALTER TABLE identity.person ADD COLUMN region text NOT NULL DEFAULT '', ADD COLUMN seen_at timestamptz NOT NULL DEFAULT now();

-- In which region a cell is, and people of which regions it may hold; a cell without a row holds everybody.
CREATE TABLE identity.residence (
    cell integer NOT NULL,
    region text NOT NULL,
    takes text[] NOT NULL,
    CONSTRAINT cell_is_in_one_region PRIMARY KEY (cell),
    CONSTRAINT cell_takes_people_of_its_region CHECK (region = ANY (takes))
);

CREATE FUNCTION identity.check_residence() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF NEW.region <> '' AND EXISTS (SELECT FROM identity.residence AS r WHERE r.cell = NEW.cell AND NEW.region <> ALL (r.takes)) THEN
        RAISE EXCEPTION 'What belongs to people of % may not lie in cell %', NEW.region, NEW.cell
            USING ERRCODE = 'check_violation', CONSTRAINT = 'person_lives_where_their_region_allows';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER person_lives_where_their_region_allows BEFORE INSERT OR UPDATE OF region, cell ON identity.person
FOR EACH ROW WHEN (NEW.region <> '') EXECUTE FUNCTION identity.check_residence();
