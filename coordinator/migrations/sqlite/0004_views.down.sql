DROP VIEW worker_overview;
DROP VIEW attempt_overview;
DROP VIEW repository_overview;
DROP VIEW batch_overview;
DROP VIEW report_week;
DROP VIEW report_file;
DROP VIEW report_commit;
DROP VIEW calendar_week;
