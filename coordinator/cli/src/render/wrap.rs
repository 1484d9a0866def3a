//! Sentences in lines of a terminal's width.

const WIDTH: usize = 80;

/// Returns `text` behind `head`, in lines of 80 columns at most where words allow that; further lines are indented as far
/// as `head` is wide.
pub(crate) fn wrap(head: &str, text: &str) -> String {
    let indent = head.chars().count();
    let (mut lines, mut column) = (head.to_owned(), indent);
    for word in text.split_whitespace() {
        let width = word.chars().count();
        if column > indent && column + 1 + width > WIDTH {
            lines.truncate(lines.trim_end().len());
            lines.push('\n');
            lines.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        }
        if column > indent {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += width;
    }
    lines.push('\n');
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_words() {
        assert_eq!(wrap("ok  ", "a b"), "ok  a b\n");
        assert_eq!(wrap("ok  ", ""), "ok  \n");
        let long = wrap("ok  ", &"word ".repeat(30));
        assert!(long.lines().all(|line| line.len() <= WIDTH));
        assert_eq!(long.lines().count(), 2);
        assert!(long.lines().nth(1).is_some_and(|line| line.starts_with("    word")));
        let wide = "x".repeat(100);
        assert_eq!(wrap("ok  ", &wide), format!("ok  {wide}\n"));
    }
}
