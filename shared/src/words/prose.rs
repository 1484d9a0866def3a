//! A message without what is no prose: code, quotes, addresses.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::patterns::own;

static SPAN: LazyLock<Regex> = LazyLock::new(|| own(r"``[^\n]*?``|`[^`\n]*`"));
static URL: LazyLock<Regex> = LazyLock::new(|| own(r#"\b[a-z][a-z0-9+.-]*://[^\s<>"'`)\]]+"#));
static QUOTE: LazyLock<Regex> = LazyLock::new(|| own("\"[^\"\n]{1,120}\"|“[^”\n]{1,120}”"));

/// Blanks fenced and indented code blocks and code spans.
pub(super) fn without_code(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut fenced = false;
    let mut after_blank = true;
    let mut indented = false;
    for line in text.split('\n') {
        let fence = line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
        // Indented code begins after a blank line, as in Markdown; a folded list item does not.
        indented = (line.starts_with("    ") || line.starts_with('\t')) && (after_blank || indented);
        if !fence && !fenced && !indented {
            kept.push_str(line);
        }
        kept.push('\n');
        fenced ^= fence;
        after_blank = line.trim().is_empty();
    }
    SPAN.replace_all(&kept, " ").into_owned()
}

/// Takes the addresses out, and returns them.
pub(super) fn without_urls(text: &str) -> (String, Vec<String>) {
    let mut urls = Vec::new();
    let rest = URL.replace_all(text, |captures: &Captures<'_>| {
        urls.push(captures[0].trim_end_matches(['.', ',', ';', ':', '!', '?']).to_owned());
        " "
    });
    (rest.into_owned(), urls)
}

/// Takes out what others said: quoted words, and lines that begin with `>`.
pub(super) fn without_quotes(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').filter(|line| !line.trim_start().starts_with('>')).collect();
    QUOTE.replace_all(&lines.join("\n"), " ").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_goes() {
        assert_eq!(without_code("a `b` c\n\n    d\n    e\nf\n```\ng\n```\nh"), "a   c\n\n\n\nf\n\n\n\nh\n");
        assert_eq!(without_code("- item\n    folded"), "- item\n    folded\n");
    }

    #[test]
    fn addresses_come_apart() {
        let (rest, urls) = without_urls("see https://x/y?z=1#2. And (http://a/b)");
        assert_eq!(
            (rest.as_str(), urls),
            ("see   And ( )", vec!["https://x/y?z=1#2".into(), "http://a/b".into()])
        );
    }

    #[test]
    fn quotes_go() {
        assert_eq!(without_quotes("Revert \"Add x\" now\n> quoted\nend"), "Revert   now\nend");
    }
}
