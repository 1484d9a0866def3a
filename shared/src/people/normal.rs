//! E-mails and names brought to the form in which they are compared.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::Settings;

/// E-mails that many share: of forges, of machines, of nobody.
const SHARED_EMAILS: [&str; 9] = [
    "noreply@github.com",
    "noreply@gitlab.com",
    "none@none",
    "nobody@localhost",
    "root@localhost",
    "user@localhost",
    "you@example.com",
    "email@example.com",
    "unknown@unknown",
];

/// Names that say nothing about who bears them.
const NOBODY: [&str; 20] = [
    "root",
    "admin",
    "administrator",
    "developer",
    "dev",
    "user",
    "ubuntu",
    "unknown",
    "your name",
    "no name",
    "not committed yet",
    "unknown author",
    "system administrator",
    "local user",
    "test user",
    "first last",
    "firstname lastname",
    "git user",
    "build user",
    "github web",
];

/// Lower case, trimmed. `None` for what is no e-mail: nothing, or nothing with an `@`.
pub fn email_key(email: &str, settings: &Settings) -> Option<String> {
    let email = email.trim().to_lowercase();
    let (local, domain) = email.rsplit_once('@')?;
    if local.is_empty() || domain.is_empty() {
        return None;
    }
    let tagged = settings.plus_tag_domains.iter().any(|one| one.eq_ignore_ascii_case(domain));
    let bare = local.split('+').next().filter(|bare| tagged && !bare.is_empty());
    Some(bare.map_or(email.clone(), |bare| format!("{bare}@{domain}")))
}

/// Whether people may be joined by this e-mail.
pub fn is_personal(email: &str) -> bool {
    !SHARED_EMAILS.contains(&email)
}

/// NFKD, lower case, letters and digits only, one blank between the words.
pub fn name_key(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    let mut gap = false;
    for c in name.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            if gap && !key.is_empty() {
                key.push(' ');
            }
            gap = false;
            key.push(c);
        } else if !matches!(c, '\'' | '’' | '.') || !key.ends_with(char::is_alphanumeric) {
            gap = true;
        } else {
            // `O'Neil` is one word; `J. Doe` and `ann.example` are two.
            gap |= c == '.';
        }
    }
    key
}

/// The key of a full name by which people may be joined: two words or more with a blank between them (`r-zig` is a
/// handle), and no stop word.
pub fn full_name(name: &str, settings: &Settings) -> Option<String> {
    let key = name_key(name);
    let full =
        key.contains(' ') && name.split_whitespace().nth(1).is_some() && !NOBODY.contains(&key.as_str());
    let stopped = settings.name_stop_list.iter().any(|stop| name_key(stop) == key);
    (full && !stopped).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emails() {
        let settings = Settings { plus_tag_domains: vec!["x.org".into()], ..Settings::default() };
        let check = |email, expect: Option<&str>| assert_eq!(email_key(email, &settings).as_deref(), expect);
        check(" Ann@X.org ", Some("ann@x.org"));
        check("ann+git@x.org", Some("ann@x.org"));
        check("ann+git@y.org", Some("ann+git@y.org"));
        check("+git@x.org", Some("+git@x.org"));
        for nothing in ["", "ann", "@x", "ann@"] {
            check(nothing, None);
        }
    }

    #[test]
    fn handles_are_no_full_names() {
        let settings = Settings::default();
        assert_eq!(full_name("r-zig", &settings), None);
        assert_eq!(full_name("Jean-Luc Picard", &settings).as_deref(), Some("jean luc picard"));
    }

    #[test]
    fn names() {
        assert_eq!(name_key("  Ánn   O'Neil-Bob "), "ann oneil bob");
        assert_eq!(name_key("J. Doe"), "j doe");
        assert_eq!(name_key("ann.example"), "ann example");
        assert_eq!(name_key("ﬁ ①"), "fi 1");
        let full = |name| full_name(name, &Settings::default());
        assert_eq!(full("Ann"), None);
        assert_eq!(full("Unknown Author"), None);
        assert_eq!(full("Ann Bob").as_deref(), Some("ann bob"));
    }
}
