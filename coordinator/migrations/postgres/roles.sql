-- Who may read with SQL: everything a dashboard needs, and no table. Run it as the owner of the schema, again after
-- every migration that adds a view:
--
--     psql "$DATABASE_URL" -v ON_ERROR_STOP=1 -v schema=public -f roles.sql
--
-- and give people and dashboards the role: GRANT gitfleet_read TO grafana. The views hold names and e-mails.
SELECT 'CREATE ROLE gitfleet_read NOLOGIN'
    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'gitfleet_read') \gexec

GRANT USAGE ON SCHEMA :"schema" TO gitfleet_read;
REVOKE ALL ON ALL TABLES IN SCHEMA :"schema" FROM gitfleet_read;
SELECT format('GRANT SELECT ON %I.%I TO gitfleet_read', schemaname, viewname)
    FROM pg_views WHERE schemaname = :'schema' \gexec
GRANT SELECT ON :"schema".calendar_week TO gitfleet_read;
GRANT EXECUTE ON FUNCTION :"schema".words(bytea) TO gitfleet_read;
-- One query of a dashboard must not keep the store from its work.
ALTER ROLE gitfleet_read SET statement_timeout = '60s';
ALTER ROLE gitfleet_read SET default_transaction_read_only = on;
