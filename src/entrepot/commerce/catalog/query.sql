-- What others ask of the catalogue; reads only.

-- name: offered
-- The products on offer after an id, by id.
SELECT id FROM catalog.product WHERE state = 'offered' AND ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT $2;
