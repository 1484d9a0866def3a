//! How often somebody may ask, and fail to say who they are. The arithmetic is here; the numbers are the store's, so that
//! they hold across coordinators.

/// How often one name may ask: the generic cell rate algorithm. Each request takes what `interval_millis` earn, and so
/// much as `burst_millis` earn may be taken at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    pub interval_millis: i64,
    pub burst_millis: i64,
}

impl Pace {
    /// Returns the pace of so many requests a minute, at most 60,000, of which those of ten seconds may come at once.
    pub fn per_minute(requests: u32) -> Self {
        let interval_millis = 60_000 / i64::from(requests.clamp(1, 60_000));
        Self { interval_millis, burst_millis: interval_millis.max(10_000) }
    }
}

/// What somebody meets who fails to say who they are: after `failures` in `window_millis`, nothing for `first_millis`,
/// and after each failure then for twice as long, up to `longest_millis`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lockout {
    pub failures: i64,
    pub window_millis: i64,
    pub first_millis: i64,
    pub longest_millis: i64,
}

impl Default for Lockout {
    fn default() -> Self {
        Self { failures: 10, window_millis: 5 * 60_000, first_millis: 60_000, longest_millis: 60 * 60_000 }
    }
}

impl Lockout {
    /// Returns how many failures there are after another one at `now`, and until when nothing is answered.
    pub fn after(&self, failures: i64, failed_at: i64, locked_until: i64, now: i64) -> (i64, i64) {
        // The time in which nothing was answered does not count: who waits for it and fails again waits longer.
        let since = now - failed_at.max(locked_until);
        let failures = if since > self.window_millis { 1 } else { failures.saturating_add(1) };
        let over = failures - self.failures;
        if over < 0 {
            return (failures, 0);
        }
        let doubled = 1_i64.checked_shl(u32::try_from(over).unwrap_or(u32::MAX)).filter(|by| *by > 0);
        let wait = doubled.and_then(|by| self.first_millis.checked_mul(by)).unwrap_or(self.longest_millis);
        (failures, now + wait.min(self.longest_millis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tenth_failure_locks_and_each_later_one_for_longer() {
        let lockout = Lockout::default();
        let (mut failures, mut locked, mut now, mut failed) = (0, 0, 0, 0);
        let mut waits = Vec::new();
        for _ in 0..20 {
            (failures, locked) = lockout.after(failures, failed, locked, now);
            failed = now;
            waits.push((locked - now).max(0) / 60_000);
            now = now.max(locked) + 1;
        }
        assert_eq!(waits, [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60]);
        // Who stops failing is as if never seen.
        assert_eq!(lockout.after(failures, failed, locked, locked + lockout.window_millis + 1), (1, 0));
    }

    #[test]
    fn a_pace_earns_what_it_says() {
        assert_eq!(Pace::per_minute(600), Pace { interval_millis: 100, burst_millis: 10_000 });
        assert_eq!(Pace::per_minute(1), Pace { interval_millis: 60_000, burst_millis: 60_000 });
        assert_eq!(Pace::per_minute(0), Pace::per_minute(1));
    }
}
