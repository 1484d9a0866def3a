//! The nearest known word to one that was mistyped.

/// Returns the candidate with the fewest typing mistakes between it and `word`, if it is near enough to be meant;
/// of equals, the first.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // One mistake in a word of one letter leaves nothing of it.
    let allowed = match word.chars().count() {
        0 | 1 => 0,
        letters => (letters / 3).max(1),
    };
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        if candidate.chars().count().abs_diff(word.chars().count()) > allowed {
            continue;
        }
        let mistakes = mistakes(&word.to_lowercase(), &candidate.to_lowercase());
        if mistakes <= allowed && best.is_none_or(|(fewest, _)| mistakes < fewest) {
            best = Some((mistakes, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Counts letters put in, left out, changed, or swapped with their neighbour.
fn mistakes(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let mut cost = (last[j] + usize::from(a != b)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && left[i - 1] == *b && *a == right[j - 1] {
                cost = cost.min(before_last[j - 1] + 1);
            }
            row.push(cost);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_typing_mistakes() {
        for (left, right, expect) in [
            ("", "", 0),
            ("", "abc", 3),
            ("weeks", "weeks", 0),
            ("weks", "weeks", 1),
            ("wekes", "weeks", 1),
            ("größe", "grösse", 2),
            ("abc", "xyz", 3),
        ] {
            assert_eq!(mistakes(left, right), expect, "{left} {right}");
            assert_eq!(mistakes(right, left), expect, "{right} {left}");
        }
    }

    #[test]
    fn finds_what_was_meant_and_nothing_far_off() {
        let known = ["weeks", "week", "branch", "batch_size"];
        for (word, expect) in [
            ("weeks", Some("weeks")),
            ("weks", Some("weeks")),
            ("Weeks", Some("weeks")),
            ("brnach", Some("branch")),
            ("batchsize", Some("batch_size")),
            ("nothing_like_it", None),
            ("", None),
            ("w", None),
        ] {
            assert_eq!(nearest(word, known), expect, "{word}");
        }
    }
}
