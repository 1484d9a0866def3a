//! The oracles can fail: on builds that break a promise, each is caught by the case that is about it.

use crate::oracle::{Findings, Oracle};
use crate::{cache, leaders, messages, sources, workers};

/// Asserts that the case finds nothing but the truth, and on the broken build does find it.
fn check(promise: &str, case: fn(Option<&str>) -> Findings, expect: &[Oracle]) {
    let findings = case(Some(promise));
    eprintln!("{promise}: {findings}");
    assert!(expect.iter().any(|oracle| findings.has(*oracle)), "{promise} is not caught: {findings}");
}

#[test]
fn an_ack_before_the_effect_is_caught() {
    check("ack_before_effect", workers::killed_with_a_result, &[Oracle::Recovery, Oracle::History]);
}

#[test]
fn recording_twice_is_caught() {
    check("no_idempotency", messages::doubled, &[Oracle::Once, Oracle::Bytes]);
}

#[test]
fn not_waiting_for_the_confirm_is_caught() {
    check("no_confirm", messages::deleted, &[Oracle::Recovery]);
}

#[test]
fn a_cache_that_is_believed_is_caught() {
    check("cache_without_checksum", cache::corrupt, &[Oracle::Bytes, Oracle::Recovery]);
}

#[test]
fn a_leader_without_a_fence_is_caught() {
    check("no_fence", leaders::frozen, &[Oracle::Fence]);
}

#[test]
fn losses_that_are_not_counted_are_caught() {
    check("no_hand_back_count", sources::poison, &[Oracle::Poison]);
}
