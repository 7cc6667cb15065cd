-- When a promotion was switched off: who put articles into a cart before that is told what they would have cost.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE promotion.promotion ADD COLUMN off_at timestamptz;
