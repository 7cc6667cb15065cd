-- Which groups a customer is of, for whom price lists and promotions hold: until now a buyer was of none, and what was for a group
-- could be looked at and not bought at.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

-- `previous` are the groups until `since`: who filled a cart before is told what has changed for them.
CREATE TABLE pricing.customer (
    customer_id uuid NOT NULL,
    customer_groups text[] NOT NULL,
    previous text[] NOT NULL DEFAULT '{}',
    since timestamptz NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT customer_is_grouped_once PRIMARY KEY (customer_id)
);
