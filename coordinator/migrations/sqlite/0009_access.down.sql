-- The log goes with its table: take `gitfleet audit export` before.
DROP TRIGGER audit_keeps_rows;
DROP TRIGGER audit_keeps_what_it_says;
DROP TABLE audit;
DROP TABLE audit_head;
DROP TABLE api_failure;
DROP TABLE api_rate;
DROP TABLE api_session;
DROP TABLE api_token;
