//! How large and how deeply indented a file is: what complexity is estimated from where no language is known.

use gitfleet_shared::contract::TipFile;
use gitfleet_shared::paths::generated::looks_generated;

use crate::facts::Content;
use crate::lines;

/// So much of a file is looked at to tell whether a program wrote it.
const HEAD_BYTES: usize = 16 << 10;

/// Quarters of a step of indentation: a tab is one step, and so are four spaces.
const TAB: u32 = 4;
const SPACE: u32 = 1;

/// Returns what is said of a regular file at the tip.
pub(crate) fn file(path: Vec<u8>, size_bytes: u64, content: &Content) -> TipFile {
    let mut file = TipFile {
        path,
        size_bytes,
        lines: None,
        code_lines: 0,
        indentation_sum: 0,
        indentation_square_sum: 0,
        indentation_max: 0,
        head_says_generated: false,
    };
    let Content::Text(text) = content else { return file };
    file.lines = Some(lines::count(text));
    file.head_says_generated = looks_generated(&file.path, &text[..text.len().min(HEAD_BYTES)]);
    for line in text.split(|byte| *byte == b'\n') {
        let Some(indentation) = indentation(line) else { continue };
        file.code_lines += 1;
        file.indentation_sum += u64::from(indentation);
        file.indentation_square_sum =
            file.indentation_square_sum.saturating_add(u64::from(indentation).pow(2));
        file.indentation_max = file.indentation_max.max(indentation);
    }
    file
}

/// Returns the indentation of a line, in quarters of a step; `None` where nothing but white space is on it.
fn indentation(line: &[u8]) -> Option<u32> {
    let mut quarters = 0u32;
    for byte in line {
        match byte {
            b'\t' => quarters = quarters.saturating_add(TAB),
            b' ' => quarters = quarters.saturating_add(SPACE),
            b'\r' | b'\x0b' | b'\x0c' => {}
            _ => return Some(quarters),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indentation_is_counted_in_quarters_of_a_step() {
        for (line, expect) in [
            ("", None),
            (" \t\r", None),
            ("x", Some(0)),
            ("    x", Some(4)),
            ("\tx", Some(4)),
            ("\t  x", Some(6)),
        ] {
            assert_eq!(indentation(line.as_bytes()), expect, "{line:?}");
        }
    }

    /// Three lines with 0, 4 and 8 quarters and a blank one: the sum is 12 and the sum of squares 0 + 16 + 64 = 80, so
    /// the mean is one step, and the variance 80 / 3 - 16 quarters squared.
    #[test]
    fn a_file_is_measured_over_the_lines_that_are_not_blank() {
        let text = b"fn a() {\n    if b {\n\t\tc\n  \n".to_vec();
        let file = file(b"a.rs".to_vec(), text.len() as u64, &Content::Text(text.into()));
        assert_eq!((file.lines, file.code_lines), (Some(4), 3));
        let sums = (file.indentation_sum, file.indentation_square_sum, file.indentation_max);
        assert_eq!(sums, (12, 80, 8));
        assert!(!file.head_says_generated);
    }

    #[test]
    fn what_is_no_text_has_no_lines() {
        let file = file(b"a.png".to_vec(), 7, &Content::Binary);
        assert_eq!((file.lines, file.code_lines, file.size_bytes), (None, 0, 7));
    }
}
