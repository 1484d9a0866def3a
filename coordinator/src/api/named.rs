//! Which batch or job is meant by an id, or by the beginning of one: nobody types 36 characters.

use gitfleet_shared::ids::{BatchId, JobId};

use super::{Api, Problem};
use crate::access::Caller;

/// Digits of an id.
const DIGITS: usize = 32;

/// Returns the batch that `text` means, of those that the caller sees.
///
/// # Errors
///
/// Where it means none, or more than one.
pub(super) async fn batch(api: &Api, caller: &Caller, text: &str) -> Result<BatchId, Problem> {
    let (first, last) = range(text).ok_or_else(|| unknown_batch(text))?;
    let (first, last) = (BatchId::from_bytes(first), BatchId::from_bytes(last));
    one(&api.store.batches_between(first, last, &caller.scope).await?, "batch", text, unknown_batch)
}

/// Returns the job that `text` means, of those that the caller sees.
///
/// # Errors
///
/// Where it means none, or more than one.
pub(super) async fn job(api: &Api, caller: &Caller, text: &str) -> Result<JobId, Problem> {
    let (first, last) = range(text).ok_or_else(|| unknown_job(text))?;
    let (first, last) = (JobId::from_bytes(first), JobId::from_bytes(last));
    one(&api.store.jobs_between(first, last, &caller.scope).await?, "job", text, unknown_job)
}

pub(super) fn unknown_batch(id: &str) -> Problem {
    Problem::not_found("batch", id).hint("`gitfleet batch ls` lists them")
}

pub(super) fn unknown_job(id: &str) -> Problem {
    Problem::not_found("job", id).hint("`gitfleet job ls --batch ID` lists those of a batch")
}

fn one<T: Copy + std::fmt::Display>(
    found: &[T],
    what: &str,
    text: &str,
    unknown: fn(&str) -> Problem,
) -> Result<T, Problem> {
    match found {
        [] => Err(unknown(text)),
        [one] => Ok(*one),
        [one, other, ..] => {
            let detail = format!("{text} is the beginning of more than one {what}: {one}, {other}");
            Err(Problem::conflict(detail).hint("give more of the id"))
        }
    }
}

/// Returns the first and the last id that begin with `text`; hyphens are for the eye. What is no beginning of an id
/// begins none.
fn range(text: &str) -> Option<([u8; 16], [u8; 16])> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|char| *char != '-')
        .map(|char| char.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    if digits.is_empty() || digits.len() > DIGITS {
        return None;
    }
    let fill = |digit: u8| {
        let mut id = [0; DIGITS / 2];
        for (place, byte) in id.iter_mut().enumerate() {
            let at = |place: usize| digits.get(place).copied().unwrap_or(digit);
            *byte = at(2 * place) << 4 | at(2 * place + 1);
        }
        id
    };
    Some((fill(0), fill(0xf)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Option<(&str, &str)>) {
        let shown = |id| BatchId::from_bytes(id).to_string();
        let got = range(text).map(|(first, last)| (shown(first), shown(last)));
        assert_eq!(got, expect.map(|(first, last)| (first.to_owned(), last.to_owned())), "{text}");
    }

    #[test]
    fn a_beginning_is_a_range_of_ids() {
        let id = "019aa7d3-1f2b-7c04-8a5e-0123456789ab";
        check(id, Some((id, id)));
        check(&id.replace('-', "").to_uppercase(), Some((id, id)));
        check(
            "019aa7d3-1",
            Some(("019aa7d3-1000-0000-0000-000000000000", "019aa7d3-1fff-ffff-ffff-ffffffffffff")),
        );
        check("0", Some(("00000000-0000-0000-0000-000000000000", "0fffffff-ffff-ffff-ffff-ffffffffffff")));
        for text in ["", "-", "x", "019g", "é", &format!("{id}0")] {
            check(text, None);
        }
    }
}
