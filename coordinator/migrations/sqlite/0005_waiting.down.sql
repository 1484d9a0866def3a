DROP INDEX job_out;
DROP INDEX job_resting;
DROP INDEX job_sent;
