-- Which rows are a tenant's, table by table; a table with a seller or a company and no line here fails a test.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

DO $$
BEGIN
    -- Tenants themselves: everything else follows from what a tenant sees of these two.
    PERFORM access.protect('marketplace.seller', 'code = ANY (access.sellers())');
    PERFORM access.protect('business.company', 'id = ANY (access.companies())');

    -- A seller's.
    PERFORM access.protect(what, 'seller_id IN (SELECT id FROM marketplace.seller)')
    FROM unnest('{marketplace.payout, marketplace.seller_order, marketplace.supplied, marketplace.warehouse, fulfilment.waiting}'::regclass[])
        AS t (what);
    PERFORM access.protect(what, '(cell, warehouse) IN (SELECT w.cell, w.code FROM marketplace.warehouse AS w)')
    FROM unnest('{marketplace.supply, stock.level}'::regclass[]) AS t (what);
    PERFORM access.protect('stock.warehouse', '(cell, code) IN (SELECT w.cell, w.code FROM marketplace.warehouse AS w)');
    PERFORM access.protect('ordering.transfer',
        '(debit = ''seller'' AND debit_party IN (SELECT s.id::text FROM marketplace.seller AS s))'
        ' OR (credit = ''seller'' AND credit_party IN (SELECT s.id::text FROM marketplace.seller AS s))');
    PERFORM access.protect(what,
        'seller_id IN (SELECT s.id FROM marketplace.seller AS s)'
        ' OR (cell, warehouse) IN (SELECT w.cell, w.code FROM marketplace.warehouse AS w)')
    FROM unnest('{ordering.line, fulfilment.shipment}'::regclass[]) AS t (what);
    PERFORM access.protect('fulfilment.shipment_line',
        'EXISTS (SELECT FROM fulfilment.shipment AS p WHERE p.cell = shipment_line.cell AND p.id = shipment_line.shipment_id)');

    -- An order is of the company that bought it, and of every seller with a line in it; whom to send to is told while something is to
    -- be sent (as in marketplace/query.py).
    PERFORM access.protect('ordering.orders',
        'company_id = ANY (access.companies())'
        ' OR EXISTS (SELECT FROM ordering.line AS l WHERE l.cell = orders.cell AND l.order_id = orders.id)');
    PERFORM access.protect('ordering.returns',
        'EXISTS (SELECT FROM ordering.orders AS o WHERE o.cell = returns.cell AND o.id = returns.order_id)');
    PERFORM access.protect('ordering.contact',
        'EXISTS (SELECT FROM marketplace.seller_order AS s WHERE s.cell = contact.cell AND s.order_id = contact.order_id'
        ' AND s.state IN (''placed'', ''part_shipped''))');

    -- A company's.
    PERFORM access.protect(what, 'company_id = ANY (access.companies())')
    FROM unnest('{business.buyer, business.credit_note, business.invoice, business.negotiation, business.purchase, business.receipt}'::regclass[])
        AS t (what);
    PERFORM access.protect('business.negotiation_round',
        'EXISTS (SELECT FROM business.negotiation AS n WHERE n.cell = negotiation_round.cell AND n.id = negotiation_round.negotiation_id)');
    PERFORM access.protect('business.settlement',
        'EXISTS (SELECT FROM business.invoice AS i WHERE i.cell = settlement.cell AND i.id = settlement.invoice_id)');
    PERFORM access.protect('checkout.allowance', 'name IN (SELECT ''credit/'' || c.id FROM unnest(access.companies()) AS c (id))');

    -- What has a seller or a company and is read by all: the catalogue says who sells what; a price list without a company is everybody's.
    PERFORM access.protect('catalog.sku', 'true');
    PERFORM access.protect('pricing.price_list', 'company_id IS NULL OR company_id = ANY (access.companies())');

    -- Who is whose is the platform's to know.
    PERFORM access.protect('identity.membership', 'false');

    -- The keys of commands: a tenant's begin with its name, so that nobody is given another's answer.
    PERFORM access.protect('log.idempotency', 'starts_with(key, nullif(current_setting(''entrepot.keys'', true), ''''))');
END
$$;
