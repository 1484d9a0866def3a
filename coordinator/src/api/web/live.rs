//! Regions of a page that are kept up to date.

/// Header of an answer after which nothing changes any more.
pub(super) const DONE: &str = "x-gitfleet-done";

/// Returns a region that shows what `url` answers, again and again while it is live. Without the script the page loads
/// itself anew.
pub(super) fn region(url: &str, is_live: bool, content: &str) -> String {
    match is_live {
        false => format!("<div>{content}</div>\n"),
        true => format!(
            "<noscript><meta http-equiv=\"refresh\" content=\"10\"></noscript>\n\
             <p class=\"pulse\" role=\"status\" data-live-status>It is kept up to date.</p>\n\
             <div data-live=\"{url}\" aria-live=\"off\">{content}</div>\n"
        ),
    }
}
