//! `retention`: for how long a fleet's history is kept.

use super::{Key, Kind, Reach};

const DAYS: Kind = Kind::Integer(1, 100_000);

pub(super) const KEY: Key = Key::mixed(
    "retention",
    &[
        Key::alias("batch_days", DAYS, "fleet.batch_days"),
        Key::acted(
            "attempt_days",
            DAYS,
            Reach::default("30").variable("GITFLEET_ATTEMPT_DAYS"),
            "How many days an attempt at a job is kept after its end",
        ),
        Key::acted(
            "dead_letter_days",
            DAYS,
            Reach::default("14").variable("GITFLEET_DEAD_LETTER_DAYS"),
            "How many days a message is kept that nobody could use",
        ),
        Key::acted(
            "worker_days",
            DAYS,
            Reach::default("7").variable("GITFLEET_WORKER_DAYS"),
            "How many days a worker is listed after it was heard of last",
        ),
        Key::acted(
            "token_days",
            DAYS,
            Reach::default("90").variable("GITFLEET_TOKEN_DAYS"),
            "How many days a token is listed after it expired or was revoked",
        ),
        Key::acted(
            "audit_days",
            DAYS,
            Reach::default("400").variable("GITFLEET_AUDIT_DAYS"),
            "How many days an entry stays in the audit log",
        ),
    ],
    "For how long a fleet, and gitfleet serve, keep their history",
);
