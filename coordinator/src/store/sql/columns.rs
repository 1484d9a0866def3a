//! Ids and times, between columns and values.

use gitfleet_shared::ids::{BatchId, JobId};

use crate::store::{Result, StoreError};
pub(super) use crate::view::instant;

pub(super) const DAMAGED_BATCH: StoreError = StoreError::Damaged { what: "a batch" };
pub(super) const DAMAGED_JOB: StoreError = StoreError::Damaged { what: "a job" };

pub(super) fn id(job: JobId) -> Vec<u8> {
    job.as_bytes().to_vec()
}

pub(super) fn batch_id(bytes: Vec<u8>) -> Result<BatchId> {
    bytes.try_into().map(BatchId::from_bytes).map_err(|_| DAMAGED_BATCH)
}

pub(super) fn job_id(bytes: Vec<u8>) -> Result<JobId> {
    bytes.try_into().map(JobId::from_bytes).map_err(|_| DAMAGED_JOB)
}
