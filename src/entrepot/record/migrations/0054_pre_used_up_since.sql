-- Since when an allowance is used up, or is no longer: a cart that was filled before tells its buyer of a promotion that has gone.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

-- Empty: it has always been as it is.
ALTER TABLE checkout.allowance ADD COLUMN since timestamptz;

CREATE FUNCTION checkout.note_used_up() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.since := now();
    RETURN NEW;
END
$$;

-- By trigger, since three functions of the hot path take and give back; it is called for the last use alone, not for each.
CREATE TRIGGER used_up_allowance_says_since_when BEFORE UPDATE ON checkout.allowance
FOR EACH ROW WHEN ((OLD.used >= OLD.most) <> (NEW.used >= NEW.most)) EXECUTE FUNCTION checkout.note_used_up();
