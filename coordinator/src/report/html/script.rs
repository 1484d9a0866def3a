//! The one script of the page: a click on a header sorts its table. The page says everything without it.
//!
//! The content policy allows exactly this text, by its hash, so that nothing a repository holds could ever run. The
//! script moves rows that are there and makes no markup from any text.

const SORT: &str = include_str!("sort.js");

/// SHA-256 of what stands between the tags, which a test works out again.
pub(super) const HASH: &str = "n2Ek5OXkI5hkE6oGR4+qaImMEoGMYYO+zMWlywX/1LY=";

/// Returns the script element.
pub(super) fn render() -> String {
    format!("<script>{SORT}</script>\n")
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn the_policy_allows_this_text_and_no_other() {
        let element = render();
        let text = element.trim_end().strip_prefix("<script>").unwrap().strip_suffix("</script>").unwrap();
        assert!(!text.contains('<'), "the parser of the page must not see an end in it");
        assert_eq!(base64(&Sha256::digest(text)), HASH);
    }

    fn base64(bytes: &[u8]) -> String {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut out = String::new();
        for group in bytes.chunks(3) {
            let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte))
                << (8 * (3 - group.len()));
            for place in 0..4 {
                let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize] as char;
                out.push(if place <= group.len() { letter } else { '=' });
            }
        }
        out
    }
}
