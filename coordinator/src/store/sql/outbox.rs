//! Jobs that go into the outbox again.

use super::Connection;

/// Puts a job that is queued into the outbox, as urgent as others of its kind; where it is there, it stays.
pub(super) async fn put(connection: &mut Connection, job: &[u8]) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO outbox (job_id, batch_id, urgency, position) \
         SELECT j.id, j.batch_id, \
                CASE j.work WHEN 'survey' THEN 9223372036854775807 ELSE coalesce(b.commits_new, 0) END, \
                j.position \
         FROM job j JOIN batch_repository b ON b.batch_id = j.batch_id AND b.position = j.position \
         WHERE j.id = $1 AND j.state = 'queued' ON CONFLICT DO NOTHING",
    )
    .bind(job)
    .execute(connection)
    .await?;
    Ok(())
}
