//! What an answer of the API says beside its body: where the next page is, and how much may still be asked.

use reqwest::header::HeaderMap;

/// What a token may ask, as far as an answer told. Times are UTC milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) allowed: Option<i64>,
    pub(super) remaining: Option<i64>,
    pub(super) resets_at: Option<i64>,
}

/// Why an answer is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    /// All that may be asked was asked; until then.
    Used(i64),
    /// Too much at once; until then, where it is said.
    Hurried(Option<i64>),
}

impl Told {
    pub(super) fn read(headers: &HeaderMap) -> Self {
        Self {
            allowed: number(headers, "x-ratelimit-limit"),
            remaining: number(headers, "x-ratelimit-remaining"),
            resets_at: number(headers, "x-ratelimit-reset").map(|seconds| seconds.saturating_mul(1_000)),
        }
    }
}

/// Returns the limit that an answer of 403 or 429 speaks of, or `None` where it speaks of something else.
pub(super) fn limit(status: u16, headers: &HeaderMap, message: &str, now: i64) -> Option<Limit> {
    let retry_at =
        number(headers, "retry-after").map(|seconds| now.saturating_add(seconds.saturating_mul(1_000)));
    let told = Told::read(headers);
    if let (Some(0), Some(resets_at), None) = (told.remaining, told.resets_at, retry_at) {
        return Some(Limit::Used(resets_at));
    }
    let message = message.to_lowercase();
    let is_hurried = status == 429
        || retry_at.is_some()
        || message.contains("secondary rate limit")
        || message.contains("abuse detection");
    is_hurried.then_some(Limit::Hurried(retry_at))
}

/// Returns the address that a `Link` header calls `rel="next"`.
pub(super) fn next(headers: &HeaderMap) -> Option<String> {
    let links = headers.get_all("link").iter().filter_map(|link| link.to_str().ok());
    links.flat_map(|links| links.split(", ")).find_map(|link| {
        let (address, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next =
            parameters.split(';').any(|parameter| matches!(parameter.trim(), "rel=\"next\"" | "rel=next"));
        is_next.then(|| address.to_owned())
    })
}

fn number(headers: &HeaderMap, name: &str) -> Option<i64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok().filter(|number| *number >= 0)
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| {
            (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn the_next_page_is_the_one_that_is_called_so() {
        for (link, expect) in [
            (
                r#"<https://h/x?page=2>; rel="next", <https://h/x?page=9>; rel="last""#,
                Some("https://h/x?page=2"),
            ),
            (
                r#"<https://h/x?page=1>; rel="prev", <https://h/x?page=3>; rel="next""#,
                Some("https://h/x?page=3"),
            ),
            (r#"<https://h/x?page=1>; rel="first", <https://h/x?page=8>; rel="prev""#, None),
            ("nonsense", None),
            ("", None),
        ] {
            assert_eq!(next(&headers(&[("link", link)])).as_deref(), expect, "{link}");
        }
    }

    #[test]
    fn limits_are_told_from_refusals() {
        let check = |status, pairs: &[(&str, &str)], message: &str, expect: Option<Limit>| {
            assert_eq!(
                limit(status, &headers(pairs), message, 10_000),
                expect,
                "{status} {pairs:?} {message}"
            );
        };
        let used = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "90")];
        check(403, &used, "API rate limit exceeded", Some(Limit::Used(90_000)));
        check(429, &used, "", Some(Limit::Used(90_000)));
        check(403, &[("retry-after", "30")], "", Some(Limit::Hurried(Some(40_000))));
        check(403, &[used[0], used[1], ("retry-after", "30")], "", Some(Limit::Hurried(Some(40_000))));
        check(403, &[], "You have exceeded a secondary rate limit.", Some(Limit::Hurried(None)));
        check(429, &[], "", Some(Limit::Hurried(None)));
        check(403, &[("x-ratelimit-remaining", "7")], "Resource protected by SAML enforcement", None);
        check(403, &[("x-ratelimit-remaining", "-1")], "", None);
    }
}
