-- What people and dashboards read with SQL. Views keep their columns where tables change; nothing of gitfleet reads
-- them. Ids are hexadecimal, times are UTC seconds (of operations: milliseconds), flags are 0 or 1.

-- Weeks by ISO 8601, so that one without commits has a row to be counted from. A view: a store is made in a moment.
CREATE VIEW calendar_week (starts_at, ends_at, week, monday) AS
    WITH RECURSIVE monday (starts_at) AS (
        SELECT -259200 UNION ALL SELECT starts_at + 604800 FROM monday WHERE starts_at < 4102099200
    )
    -- A week is of the year its Thursday is of.
    SELECT starts_at, starts_at + 604800,
           strftime('%Y', starts_at + 259200, 'unixepoch') || '-W' ||
               printf('%02d', (strftime('%j', starts_at + 259200, 'unixepoch') + 6) / 7),
           date(starts_at, 'unixepoch')
    FROM monday;

-- One row for each commit of each published snapshot.
CREATE VIEW report_commit AS
    SELECT r.source AS repository, n.revisions, lower(hex(c.oid)) AS id, c.parents,
           CASE WHEN c.parents > 1 THEN 1 ELSE 0 END AS is_merge, s.mainline AS is_mainline,
           CAST(a.name AS TEXT) AS author, CAST(a.email AS TEXT) AS author_email,
           CAST(k.name AS TEXT) AS committer, CAST(k.email AS TEXT) AS committer_email,
           c.authored_seconds AS authored_at, c.authored_offset_minutes AS author_offset_minutes,
           c.committed_seconds AS committed_at,
           -- Monday 00:00 UTC of the week the author names; NULL where that is no time of 1970 to 2099.
           CASE WHEN c.authored_seconds BETWEEN 0 AND 4102444799
             THEN c.authored_seconds - (c.authored_seconds + 259200) % 604800 END AS week_starts_at,
           (SELECT count(*) FROM commit_file f WHERE f.commit_id = c.id) AS files_changed,
           CAST((SELECT coalesce(sum(f.added), 0) FROM commit_file f WHERE f.commit_id = c.id) AS BIGINT)
               AS additions,
           CAST((SELECT coalesce(sum(f.deleted), 0) FROM commit_file f WHERE f.commit_id = c.id) AS BIGINT)
               AS deletions,
           CAST(c.message AS TEXT) AS message
    FROM snapshot n
    JOIN repository r ON r.id = n.repository_id
    JOIN snapshot_commit s ON s.snapshot_id = n.id
    JOIN commit_fact c ON c.id = s.commit_id
    JOIN commit_person ap ON ap.commit_id = c.id AND ap.role = 'author'
    JOIN signature a ON a.id = ap.signature_id
    JOIN commit_person kp ON kp.commit_id = c.id AND kp.role = 'committer'
    JOIN signature k ON k.id = kp.signature_id;

-- One row for each changed file of each of them. Lines are NULL where they are not counted; `reason` says why.
CREATE VIEW report_file AS
    SELECT r.source AS repository, n.revisions, lower(hex(c.oid)) AS id, f.position, CAST(f.path AS TEXT) AS path,
           CAST(f.from_path AS TEXT) AS from_path, f.kind, f.added AS additions, f.deleted AS deletions, f.reason,
           c.authored_seconds AS authored_at,
           CASE WHEN c.authored_seconds BETWEEN 0 AND 4102444799
             THEN c.authored_seconds - (c.authored_seconds + 259200) % 604800 END AS week_starts_at
    FROM snapshot n
    JOIN repository r ON r.id = n.repository_id
    JOIN snapshot_commit s ON s.snapshot_id = n.id
    JOIN commit_fact c ON c.id = s.commit_id
    JOIN commit_file f ON f.commit_id = c.id;

-- Sums by repository and week; merges count in `merges` alone. Signatures are as written, before any mailmap.
CREATE VIEW report_week AS
    SELECT w.repository, w.revisions, y.week, w.week_starts_at,
           count(CASE WHEN w.is_merge = 0 THEN 1 END) AS commits, count(CASE WHEN w.is_merge = 1 THEN 1 END) AS merges,
           count(DISTINCT CASE WHEN w.is_merge = 0 THEN w.author || '<' || w.author_email END) AS authors,
           CAST(sum(w.files_changed) AS BIGINT) AS files_changed, CAST(sum(w.additions) AS BIGINT) AS additions,
           CAST(sum(w.deletions) AS BIGINT) AS deletions
    FROM report_commit w JOIN calendar_week y ON y.starts_at = w.week_starts_at
    GROUP BY w.repository, w.revisions, y.week, w.week_starts_at;

CREATE VIEW batch_overview AS
    SELECT lower(hex(b.id)) AS batch, b.name, b.state, b.priority, b.paused, b.labels, b.created_at, b.finished_at,
           (SELECT count(*) FROM batch_repository x WHERE x.batch_id = b.id) AS repositories,
           (SELECT count(*) FROM batch_repository x WHERE x.batch_id = b.id AND x.state IN ('analysed', 'empty'))
               AS repositories_done,
           (SELECT count(*) FROM batch_repository x WHERE x.batch_id = b.id AND x.state = 'failed')
               AS repositories_failed,
           (SELECT count(*) FROM job j WHERE j.batch_id = b.id) AS jobs,
           (SELECT count(*) FROM job j WHERE j.batch_id = b.id AND j.state = 'queued') AS jobs_queued,
           (SELECT count(*) FROM job j WHERE j.batch_id = b.id AND j.state IN ('failed', 'dead')) AS jobs_failed,
           CAST((SELECT coalesce(sum(x.commits_new), 0) FROM batch_repository x WHERE x.batch_id = b.id) AS BIGINT)
               AS commits_new
    FROM batch b;

CREATE VIEW repository_overview AS
    SELECT lower(hex(b.batch_id)) AS batch, b.position, b.name, b.project_key, r.source AS repository, b.state,
           b.failure_class, b.failure_message, b.commits_seen, b.commits_new, b.cache_hits, b.elapsed_millis
    FROM batch_repository b JOIN repository r ON r.id = b.repository_id;

-- One row for each time somebody worked on a job; `millis` is what percentiles are taken of.
CREATE VIEW attempt_overview AS
    SELECT lower(hex(j.batch_id)) AS batch, j.position, lower(hex(j.id)) AS job, j.work, j.units,
           j.state AS job_state, a.number, a.worker, a.started_at, a.heard_at, a.ended_at, a.ended_at - a.started_at AS millis, a.ending,
           a.message
    FROM attempt a JOIN job j ON j.id = a.job_id;

CREATE VIEW worker_overview AS
    SELECT name, host, version, slots, running, draining, started_at, heard_at, gone_at FROM worker;
