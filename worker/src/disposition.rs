//! What becomes of a job's message once its work has ended.

use std::time::Duration;

use gitfleet_shared::contract::{Failure, WorkResult};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// The outcome goes to the coordinator, then the message is acknowledged.
    Report,
    /// The same job again, later.
    RetryLater(Duration),
}

/// Deliveries of one job before a failure that may pass is taken for one that stays.
const ATTEMPTS: u32 = 3;
const FIRST_DELAY: Duration = Duration::from_millis(500);

/// Decides by the result and by how often the job was delivered before. Delays double.
pub fn of(result: &Result<WorkResult, Failure>, redeliveries: u32) -> Disposition {
    match result {
        Err(failure) if failure.class.may_pass() && redeliveries + 1 < ATTEMPTS => {
            Disposition::RetryLater(FIRST_DELAY * 2u32.pow(redeliveries))
        }
        _ => Disposition::Report,
    }
}

#[cfg(test)]
mod tests {
    use gitfleet_shared::contract::{FailureClass, TipResult};

    use super::*;

    #[test]
    fn only_what_may_pass_is_tried_again_and_not_for_ever() {
        let failed = |class| Err(Failure { class, message: String::new() });
        let check = |result, redeliveries, expect| assert_eq!(of(&result, redeliveries), expect);
        check(Ok(WorkResult::Tip(TipResult::default())), 0, Disposition::Report);
        check(failed(FailureClass::NotFound), 0, Disposition::Report);
        check(failed(FailureClass::FetchFailed), 0, Disposition::RetryLater(Duration::from_millis(500)));
        check(failed(FailureClass::FetchFailed), 1, Disposition::RetryLater(Duration::from_secs(1)));
        check(failed(FailureClass::FetchFailed), 2, Disposition::Report);
    }
}
