-- name: products
-- Products to read, with a title to take words from.
SELECT p.id, (SELECT t.title FROM catalog.product_text AS t WHERE t.product_id = p.id ORDER BY t.locale LIMIT 1) AS title
FROM catalog.product AS p WHERE p.state = 'offered' ORDER BY p.id LIMIT $1;
