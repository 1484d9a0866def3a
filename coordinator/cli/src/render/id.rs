//! Ids as listings show them: the beginning of one, which commands take as well as the whole.

/// Characters of an id that say when a batch was submitted, to the millisecond.
const LEAST: usize = 13;

/// Returns the beginnings of `ids`: short, and long enough to tell them apart.
pub(crate) fn short<'a>(ids: &[&'a str]) -> Vec<&'a str> {
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let alike = |pair: &[&str]| pair[0].bytes().zip(pair[1].bytes()).take_while(|(a, b)| a == b).count();
    let width = sorted.windows(2).map(|pair| alike(pair) + 1).max().unwrap_or(0).max(LEAST);
    ids.iter().map(|id| id.get(..width).unwrap_or(id).trim_end_matches('-')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ids: &[&str], expect: &[&str]) {
        assert_eq!(short(ids), expect);
    }

    #[test]
    fn as_long_as_they_must_be() {
        check(&[], &[]);
        check(&["019aa7d3-1f2b-7c04"], &["019aa7d3-1f2b"]);
        check(&["019aa7d3-1f2b-7c04", "019aa7d3-1f2b-7c04"], &["019aa7d3-1f2b"; 2]);
        check(&["019aa7d3-1f2b-7c04", "019aa7d3-1f2b-7d04"], &["019aa7d3-1f2b-7c", "019aa7d3-1f2b-7d"]);
        check(&["short"], &["short"]);
    }
}
