//! Commits in other encodings than UTF-8, brought to UTF-8 as git brings them for output.

use encoding_rs::Encoding;

/// Returns `text` in UTF-8, or `None` where `label` is no encoding we know, or is UTF-8 itself, or `text` is not in it.
pub fn decode(label: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let lower = label.to_ascii_lowercase();
    // The web takes Latin 1 for windows-1252; for everybody else its upper half begins with control characters.
    if matches!(
        lower.as_slice(),
        b"iso-8859-1" | b"iso8859-1" | b"iso_8859-1" | b"latin1" | b"latin-1" | b"l1"
    ) {
        return Some(text.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes());
    }
    let encoding = Encoding::for_label(code_page(&lower))?;
    if encoding == encoding_rs::UTF_8 {
        return None;
    }
    let decoded = encoding.decode_without_bom_handling_and_without_replacement(text)?;
    Some(decoded.into_owned().into_bytes())
}

/// Returns the name the web has for a code page that goes by its number.
fn code_page(label: &[u8]) -> &[u8] {
    match label {
        b"cp932" | b"932" => b"shift_jis",
        b"cp936" | b"936" => b"gbk",
        b"cp949" | b"949" => b"euc-kr",
        b"cp950" | b"950" => b"big5",
        b"cp866" | b"866" => b"ibm866",
        _ => label,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_those_of_iconv() {
        let check = |label: &str, text: &[u8], expect: Option<&str>| {
            assert_eq!(
                decode(label.as_bytes(), text),
                expect.map(|text| text.as_bytes().to_vec()),
                "{label}"
            );
        };
        check("ISO-8859-1", b"\xe9\x80", Some("\u{e9}\u{80}"));
        check("latin-1", b"\xe9", Some("\u{e9}"));
        check("CP1251", b"\xcf", Some("\u{41f}"));
        check("CP932", b"\x82\xa0", Some("\u{3042}"));
        check("Shift_JIS", b"\x82", None);
        check("UTF-8", b"\xe9", None);
        check("klingon", b"a", None);
    }
}
