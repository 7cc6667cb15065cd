-- The user of the documents: owns its own database, which holds no truth, and may not even enter the record's.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'entrepot_documents') THEN
        CREATE ROLE entrepot_documents;
    END IF;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
END
$$;
ALTER ROLE entrepot_documents LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD '<entrepot_documents>';
