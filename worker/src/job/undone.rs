//! Why a job ended without an outcome.

use gitfleet_shared::contract::{Failure, FailureClass};

use crate::lane::Lost;

pub(super) enum Undone {
    Failed(Failure),
    /// The worker stops; somebody else will do the job.
    Interrupted,
}

impl From<Failure> for Undone {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Lost> for Undone {
    /// A panic is a failure of this job alone.
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Panicked(text) => Self::Failed(Failure {
                class: FailureClass::Internal,
                message: format!("the analysis panicked: {text}"),
            }),
            Lost::Ended => Self::Interrupted,
        }
    }
}
