-- The accounts that selling needs beside those of the spine: tax, gateways, sellers, the bank.
-- transactional: true
-- (In a migration of its own: a value that was added to an enum can only be used after its transaction.)

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

ALTER TYPE ordering.account ADD VALUE IF NOT EXISTS 'tax' AFTER 'donations';
ALTER TYPE ordering.account ADD VALUE IF NOT EXISTS 'gateway' AFTER 'tax';
ALTER TYPE ordering.account ADD VALUE IF NOT EXISTS 'gateway_fees' AFTER 'gateway';
ALTER TYPE ordering.account ADD VALUE IF NOT EXISTS 'seller' AFTER 'gateway_fees';
ALTER TYPE ordering.account ADD VALUE IF NOT EXISTS 'commission' AFTER 'seller';
ALTER TYPE ordering.account ADD VALUE IF NOT EXISTS 'bank' AFTER 'commission';
ALTER TYPE ordering.account ADD VALUE IF NOT EXISTS 'disputes' AFTER 'bank';
ALTER TYPE ordering.account ADD VALUE IF NOT EXISTS 'rounding' AFTER 'disputes';
