-- Companies that buy on net terms, what they negotiate and owe; plans and subscriptions.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

CREATE SCHEMA business;

-- Who writes the invoices of a cell: what the law wants on each of them.
CREATE TABLE business.issuer (
    cell integer NOT NULL,
    name text NOT NULL,
    address text NOT NULL,
    vat_id text NOT NULL,
    bank_account text NOT NULL,
    CONSTRAINT one_issuer_per_cell PRIMARY KEY (cell)
);

-- How much of the credit limit is used is told by `checkout.allowance` (credit/<company>), where the hot path decides it.
CREATE TABLE business.company (
    cell integer NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    address text NOT NULL,
    country text NOT NULL,
    vat_id text NOT NULL,
    currency text NOT NULL,
    credit_limit_minor bigint NOT NULL,
    terms_days integer NOT NULL,
    state text NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT company_id_is_unique PRIMARY KEY (cell, id),
    CONSTRAINT company_state_is_known CHECK (state IN ('active', 'blocked')),
    CONSTRAINT company_currency_is_iso_4217 CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT credit_limit_never_negative CHECK (credit_limit_minor >= 0),
    CONSTRAINT terms_days_never_negative CHECK (terms_days >= 0)
);

CREATE UNIQUE INDEX company_vat_id_is_unique ON business.company (cell, vat_id) WHERE vat_id <> '';

-- Who may buy for a company, and up to how much alone (NULL: without limit). Name and email are personal: never in an event.
CREATE TABLE business.buyer (
    cell integer NOT NULL,
    id uuid NOT NULL,
    company_id uuid NOT NULL,
    name text NOT NULL,
    email text NOT NULL,
    role text NOT NULL,
    order_limit_minor bigint,
    month_limit_minor bigint,
    state text NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT buyer_id_is_unique PRIMARY KEY (cell, id),
    CONSTRAINT buyer_of_a_company FOREIGN KEY (cell, company_id) REFERENCES business.company (cell, id),
    CONSTRAINT buyer_email_is_unique_in_its_company UNIQUE (cell, company_id, email),
    CONSTRAINT buyer_role_is_known CHECK (role IN ('buyer', 'approver')),
    CONSTRAINT buyer_state_is_known CHECK (state IN ('active', 'left')),
    CONSTRAINT buyer_limits_never_negative CHECK (order_limit_minor >= 0 AND month_limit_minor >= 0)
);

-- Prices of its own that a company and we agree on: the last proposal stands here, every round of it below.
CREATE TABLE business.negotiation (
    cell integer NOT NULL,
    id uuid NOT NULL,
    company_id uuid NOT NULL,
    buyer_id uuid NOT NULL,
    state text NOT NULL,
    market text NOT NULL,
    currency text NOT NULL,
    skus text[] NOT NULL,
    quantities integer[] NOT NULL,
    units_minor bigint[] NOT NULL,
    proposed_by text NOT NULL,
    valid_until timestamptz,
    version bigint NOT NULL,
    CONSTRAINT negotiation_id_is_unique PRIMARY KEY (cell, id),
    CONSTRAINT negotiation_of_a_company FOREIGN KEY (cell, company_id) REFERENCES business.company (cell, id),
    CONSTRAINT negotiation_state_is_known CHECK (
        state IN ('requested', 'offered', 'countered', 'accepted', 'ordered', 'declined', 'expired')
    ),
    CONSTRAINT negotiation_arrays_are_parallel CHECK (
        cardinality(skus) = cardinality(quantities) AND cardinality(units_minor) IN (0, cardinality(skus))
    ),
    CONSTRAINT offered_prices_never_negative CHECK (0 <= ALL (units_minor)),
    CONSTRAINT what_was_offered_says_until_when CHECK (
        state IN ('requested', 'declined') OR (valid_until IS NOT NULL AND cardinality(units_minor) > 0)
    )
);

CREATE INDEX negotiations_of_a_company ON business.negotiation (cell, company_id, id);
CREATE INDEX negotiations_that_may_expire ON business.negotiation (cell, valid_until)
    WHERE state IN ('offered', 'countered', 'accepted');

CREATE TABLE business.negotiation_round (
    cell integer NOT NULL,
    negotiation_id uuid NOT NULL,
    round integer NOT NULL,
    by_whom text NOT NULL,
    did text NOT NULL,
    units_minor bigint[] NOT NULL,
    valid_until timestamptz,
    note text NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT rounds_are_numbered PRIMARY KEY (cell, negotiation_id, round),
    CONSTRAINT round_of_a_negotiation FOREIGN KEY (cell, negotiation_id) REFERENCES business.negotiation (cell, id),
    CONSTRAINT round_is_of_one_of_the_two CHECK (by_whom IN ('company', 'merchant'))
);

-- What a buyer wants to buy on terms: ordered by itself when within the buyer's limits, else when somebody else approves.
-- `request` is what goes to the checkout, frozen; it names who receives the goods, so it is never in an event.
CREATE TABLE business.purchase (
    cell integer NOT NULL,
    id uuid NOT NULL,
    company_id uuid NOT NULL,
    buyer_id uuid NOT NULL,
    state text NOT NULL,
    purchase_order text NOT NULL,
    negotiation_id uuid,
    currency text NOT NULL,
    total_minor bigint NOT NULL,
    request jsonb NOT NULL,
    why text NOT NULL,
    asked_at timestamptz NOT NULL,
    decided_by uuid,
    decided_at timestamptz,
    order_id uuid,
    version bigint NOT NULL,
    CONSTRAINT purchase_id_is_unique PRIMARY KEY (cell, id),
    CONSTRAINT purchase_of_a_company FOREIGN KEY (cell, company_id) REFERENCES business.company (cell, id),
    CONSTRAINT purchase_by_a_buyer FOREIGN KEY (cell, buyer_id) REFERENCES business.buyer (cell, id),
    CONSTRAINT purchase_state_is_known CHECK (
        state IN ('pending', 'approved', 'ordered', 'refused', 'rejected', 'withdrawn')
    ),
    CONSTRAINT purchase_total_never_negative CHECK (total_minor >= 0),
    CONSTRAINT a_buyer_never_approves_their_own CHECK (decided_by <> buyer_id),
    CONSTRAINT decided_purchase_says_when CHECK ((state IN ('pending', 'withdrawn')) = (decided_at IS NULL)),
    CONSTRAINT ordered_purchase_names_its_order CHECK ((state = 'ordered') = (order_id IS NOT NULL))
);

CREATE INDEX purchases_of_a_company ON business.purchase (cell, company_id, id);
CREATE INDEX purchases_of_a_buyer ON business.purchase (cell, buyer_id, decided_at);
CREATE INDEX purchases_to_order ON business.purchase (cell, id) WHERE state = 'approved';
CREATE UNIQUE INDEX purchase_of_an_order ON business.purchase (cell, order_id) WHERE order_id IS NOT NULL;
CREATE UNIQUE INDEX negotiation_is_ordered_once ON business.purchase (cell, negotiation_id)
    WHERE negotiation_id IS NOT NULL AND state IN ('pending', 'approved', 'ordered');

-- The last number given in a series and year. A number is taken in the transaction of its document, so none is missing.
CREATE TABLE business.series (
    cell integer NOT NULL,
    code text NOT NULL,
    year integer NOT NULL,
    last integer NOT NULL,
    CONSTRAINT one_row_per_series_and_year PRIMARY KEY (cell, code, year)
);

-- `body` is the document as it was sent: parties, lines, taxes. What is open is total - paid - credited.
CREATE TABLE business.invoice (
    cell integer NOT NULL,
    id uuid NOT NULL,
    number text NOT NULL,
    state text NOT NULL,
    company_id uuid NOT NULL,
    order_id uuid NOT NULL,
    issued_at timestamptz NOT NULL,
    due_on date NOT NULL,
    currency text NOT NULL,
    total_minor bigint NOT NULL,
    paid_minor bigint NOT NULL DEFAULT 0,
    credited_minor bigint NOT NULL DEFAULT 0,
    body jsonb NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT invoice_id_is_unique PRIMARY KEY (cell, id),
    CONSTRAINT invoice_number_is_unique UNIQUE (cell, number),
    CONSTRAINT one_invoice_per_order UNIQUE (cell, order_id),
    CONSTRAINT invoice_of_a_company FOREIGN KEY (cell, company_id) REFERENCES business.company (cell, id),
    CONSTRAINT invoice_state_is_known CHECK (state IN ('open', 'part_paid', 'overdue', 'paid', 'credited')),
    CONSTRAINT invoice_never_overpaid CHECK (
        paid_minor >= 0 AND credited_minor >= 0 AND paid_minor + credited_minor <= total_minor
    ),
    CONSTRAINT settled_invoice_has_nothing_open CHECK (
        (state IN ('paid', 'credited')) = (paid_minor + credited_minor = total_minor)
    )
);

CREATE INDEX invoices_of_a_company ON business.invoice (cell, company_id, id);
CREATE INDEX invoices_to_become_overdue ON business.invoice (cell, due_on) WHERE state IN ('open', 'part_paid');

-- What we owe a company of an invoice: for an order that was cancelled, or goods that came back (`about_id`).
CREATE TABLE business.credit_note (
    cell integer NOT NULL,
    id uuid NOT NULL,
    number text NOT NULL,
    company_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    about_id uuid NOT NULL,
    issued_at timestamptz NOT NULL,
    currency text NOT NULL,
    total_minor bigint NOT NULL,
    used_minor bigint NOT NULL DEFAULT 0,
    body jsonb NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT credit_note_id_is_unique PRIMARY KEY (cell, id),
    CONSTRAINT credit_note_number_is_unique UNIQUE (cell, number),
    CONSTRAINT one_credit_note_per_cause UNIQUE (cell, about_id),
    CONSTRAINT credit_note_of_an_invoice FOREIGN KEY (cell, invoice_id) REFERENCES business.invoice (cell, id),
    CONSTRAINT credit_note_never_used_beyond_itself CHECK (used_minor BETWEEN 0 AND total_minor)
);

CREATE INDEX credit_notes_of_a_company ON business.credit_note (cell, company_id, id);

-- Money that came to the bank. Without a company it waits for somebody to say whose it is.
CREATE TABLE business.receipt (
    cell integer NOT NULL,
    id uuid NOT NULL,
    bank_reference text NOT NULL,
    company_id uuid,
    remittance text NOT NULL,
    received_on date NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    used_minor bigint NOT NULL DEFAULT 0,
    version bigint NOT NULL,
    CONSTRAINT receipt_id_is_unique PRIMARY KEY (cell, id),
    CONSTRAINT bank_reference_is_unique UNIQUE (cell, bank_reference),
    CONSTRAINT receipt_amount_is_positive CHECK (amount_minor > 0),
    CONSTRAINT receipt_never_used_beyond_itself CHECK (used_minor BETWEEN 0 AND amount_minor),
    CONSTRAINT used_receipt_names_its_company CHECK (used_minor = 0 OR company_id IS NOT NULL)
);

CREATE INDEX receipts_to_match ON business.receipt (cell, id) WHERE used_minor < amount_minor;

-- So much of an invoice was settled by a receipt or a credit note.
CREATE TABLE business.settlement (
    cell integer NOT NULL,
    id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    receipt_id uuid,
    credit_note_id uuid,
    amount_minor bigint NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT settlement_id_is_unique PRIMARY KEY (cell, id),
    CONSTRAINT settlement_of_an_invoice FOREIGN KEY (cell, invoice_id) REFERENCES business.invoice (cell, id),
    CONSTRAINT settled_by_a_receipt FOREIGN KEY (cell, receipt_id) REFERENCES business.receipt (cell, id),
    CONSTRAINT settled_by_a_credit_note FOREIGN KEY (cell, credit_note_id) REFERENCES business.credit_note (cell, id),
    CONSTRAINT settled_by_one_of_the_two CHECK (num_nonnulls(receipt_id, credit_note_id) = 1),
    CONSTRAINT settlement_amount_is_positive CHECK (amount_minor > 0)
);

CREATE INDEX settlements_of_an_invoice ON business.settlement (cell, invoice_id);

CREATE SCHEMA subscription;

-- What can be subscribed to: so many pieces of an article again and again, at a price per market (parallel arrays).
CREATE TABLE subscription.plan (
    code text NOT NULL,
    title text NOT NULL,
    sku text NOT NULL,
    delivery text NOT NULL,
    unit text NOT NULL,
    units integer NOT NULL,
    trial_days integer NOT NULL,
    markets text[] NOT NULL,
    currencies text[] NOT NULL,
    amounts_minor bigint[] NOT NULL,
    offered boolean NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT plan_code_is_unique PRIMARY KEY (code),
    CONSTRAINT plan_unit_is_known CHECK (unit IN ('day', 'week', 'month', 'year')),
    CONSTRAINT plan_units_are_positive CHECK (units > 0),
    CONSTRAINT trial_days_never_negative CHECK (trial_days >= 0),
    CONSTRAINT plan_prices_are_parallel CHECK (
        cardinality(markets) = cardinality(currencies) AND cardinality(markets) = cardinality(amounts_minor)
    ),
    CONSTRAINT plan_price_never_negative CHECK (0 <= ALL (amounts_minor))
);

-- A period begins at anchor + (period - anchor_period) intervals, so that the 31st stays the 31st after a February.
-- `next_at` is when the job must look at it again (NULL: never by itself); `credit_minor` is taken off the next charges.
CREATE TABLE subscription.subscription (
    cell integer NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    plan text NOT NULL,
    next_plan text NOT NULL,
    quantity integer NOT NULL,
    market text NOT NULL,
    currency text NOT NULL,
    price_minor bigint NOT NULL,
    state text NOT NULL,
    period integer NOT NULL,
    period_start timestamptz NOT NULL,
    period_end timestamptz NOT NULL,
    anchor timestamptz NOT NULL,
    anchor_period integer NOT NULL,
    credit_minor bigint NOT NULL,
    paused_at timestamptz,
    failed_at timestamptz,
    attempt integer NOT NULL,
    charging boolean NOT NULL,
    noticed_period integer NOT NULL,
    next_at timestamptz,
    why text NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT subscription_id_is_unique PRIMARY KEY (cell, id),
    CONSTRAINT subscription_to_a_plan FOREIGN KEY (plan) REFERENCES subscription.plan (code),
    CONSTRAINT subscription_state_is_known CHECK (
        state IN ('trialing', 'active', 'paused', 'past_due', 'cancelled', 'ended')
    ),
    CONSTRAINT subscription_quantity_is_positive CHECK (quantity > 0),
    CONSTRAINT subscription_price_never_negative CHECK (price_minor >= 0),
    CONSTRAINT subscription_credit_never_negative CHECK (credit_minor >= 0),
    CONSTRAINT period_ends_after_it_begins CHECK (period_end >= period_start),
    CONSTRAINT paused_subscription_says_since_when CHECK ((state = 'paused') = (paused_at IS NOT NULL)),
    CONSTRAINT past_due_subscription_says_since_when CHECK ((state = 'past_due') = (failed_at IS NOT NULL)),
    CONSTRAINT ended_subscription_is_left_alone CHECK (state <> 'ended' OR (next_at IS NULL AND NOT charging))
);

CREATE INDEX subscriptions_due ON subscription.subscription (cell, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX subscriptions_of_a_customer ON subscription.subscription (cell, customer_id, id);

-- To whom it goes and what pays for it: the personal part, apart from all else, never in an event.
CREATE TABLE subscription.contact (
    cell integer NOT NULL,
    subscription_id uuid NOT NULL,
    contact jsonb NOT NULL,
    method text NOT NULL,
    CONSTRAINT one_contact_per_subscription PRIMARY KEY (cell, subscription_id)
);

-- Each attempt to charge a period: written down before the checkout is asked, so that nothing that happens in between can
-- charge twice. Its checkout's key is subscription/<id>/<period>, and from the second attempt on /<attempt> behind it.
CREATE TABLE subscription.charge (
    cell integer NOT NULL,
    subscription_id uuid NOT NULL,
    period integer NOT NULL,
    attempt integer NOT NULL,
    state text NOT NULL,
    plan text NOT NULL,
    price_minor bigint NOT NULL,
    credit_used_minor bigint NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    period_start timestamptz NOT NULL,
    period_end timestamptz NOT NULL,
    asked_at timestamptz NOT NULL,
    order_id uuid,
    why text NOT NULL,
    CONSTRAINT one_charge_per_period_and_attempt PRIMARY KEY (cell, subscription_id, period, attempt),
    CONSTRAINT charge_state_is_known CHECK (state IN ('asked', 'paid', 'declined')),
    CONSTRAINT charge_never_negative CHECK (amount_minor >= 0 AND credit_used_minor >= 0)
);

CREATE UNIQUE INDEX a_period_is_paid_once ON subscription.charge (cell, subscription_id, period) WHERE state = 'paid';
