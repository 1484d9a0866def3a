-- What a fleet asks all the time, of all batches at once: what was sent and went silent, and what rests.
CREATE INDEX job_sent ON job (heard_at) WHERE state = 'queued' AND sent_at IS NOT NULL;
CREATE INDEX job_resting ON job (hold_until) WHERE state = 'queued' AND hold_until > 0;
-- How many jobs of a batch are out is asked before every sending, and must not cost a look at those that wait.
CREATE INDEX job_out ON job (batch_id) WHERE state = 'queued' AND sent_at IS NOT NULL;
