-- Room for what is sealed, beside what was plain: written sealed from now on; `entrepot keys seal-existing` moves the rest.
-- The plain columns may be empty from now on (hence the opt-outs): code of before reads no contact of an order placed after.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE ordering.contact ADD COLUMN subject uuid;
ALTER TABLE ordering.contact ADD COLUMN sealed bytea;
-- squawk-ignore ban-drop-not-null
ALTER TABLE ordering.contact ALTER COLUMN email DROP NOT NULL;
-- squawk-ignore ban-drop-not-null
ALTER TABLE ordering.contact ALTER COLUMN name DROP NOT NULL;
-- squawk-ignore ban-drop-not-null
ALTER TABLE ordering.contact ALTER COLUMN phone DROP NOT NULL;
-- squawk-ignore ban-drop-not-null
ALTER TABLE ordering.contact ALTER COLUMN address DROP NOT NULL;
ALTER TABLE ordering.contact ADD CONSTRAINT sealed_contact_has_a_subject CHECK ((sealed IS NULL) = (subject IS NULL)) NOT VALID;

ALTER TABLE subscription.contact ADD COLUMN subject uuid;
ALTER TABLE subscription.contact ADD COLUMN sealed bytea;
-- squawk-ignore ban-drop-not-null
ALTER TABLE subscription.contact ALTER COLUMN contact DROP NOT NULL;
ALTER TABLE subscription.contact ADD CONSTRAINT sealed_contact_has_a_subject CHECK ((sealed IS NULL) = (subject IS NULL)) NOT VALID;

-- A buyer is found by the blind index of the email, within the company.
ALTER TABLE business.buyer ADD COLUMN name_sealed bytea;
ALTER TABLE business.buyer ADD COLUMN email_sealed bytea;
ALTER TABLE business.buyer ADD COLUMN email_blind bytea;
-- squawk-ignore ban-drop-not-null
ALTER TABLE business.buyer ALTER COLUMN name DROP NOT NULL;
-- squawk-ignore ban-drop-not-null
ALTER TABLE business.buyer ALTER COLUMN email DROP NOT NULL;

ALTER TABLE business.purchase ADD COLUMN contact_sealed bytea;

ALTER TABLE webhook.endpoint ADD COLUMN secret_sealed bytea;
-- squawk-ignore ban-drop-not-null
ALTER TABLE webhook.endpoint ALTER COLUMN secret DROP NOT NULL;

ALTER TABLE digital.secret ADD COLUMN sealed bytea;
-- squawk-ignore ban-drop-not-null
ALTER TABLE digital.secret ALTER COLUMN secret DROP NOT NULL;
