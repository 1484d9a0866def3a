-- The log goes with its table: take `gitfleet audit export` before.
DROP TABLE audit;
DROP FUNCTION audit_is_only_added_to();
DROP TABLE audit_head;
DROP TABLE api_failure;
DROP TABLE api_rate;
DROP TABLE api_session;
DROP TABLE api_token;
