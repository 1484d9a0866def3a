//! Noreply addresses of forges: an account's number, its login, or both.

/// An account at a forge, as a noreply address tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub host: String,
    /// Stable, where logins change hands.
    pub id: Option<u64>,
    pub login: Option<String>,
}

/// Returns the login that a noreply address of a forge names.
pub fn login(email: &str) -> Option<String> {
    account(email).and_then(|account| account.login)
}

/// Reads `ID+LOGIN@users.noreply.github.com`, `LOGIN@users.noreply.github.com` (also of other hosts),
/// `ID-LOGIN@users.noreply.gitlab.example`, and Bitbucket's `LOGIN@users.noreply.bitbucket.org`.
pub(super) fn account(email: &str) -> Option<Account> {
    let email = email.trim().to_lowercase();
    let (local, domain) = email.rsplit_once('@')?;
    let host = domain.strip_prefix("users.noreply.")?;
    let numbered = |(id, login): (&str, &str)| Some((Some(id.parse::<u64>().ok()?), login.to_owned()));
    let dashed = || if host.contains("gitlab") { local.split_once('-').and_then(numbered) } else { None };
    let (id, login) =
        local.split_once('+').and_then(numbered).or_else(dashed).unwrap_or((None, local.to_owned()));
    if login.is_empty() || host.is_empty() {
        return None;
    }
    Some(Account { host: host.to_owned(), id, login: Some(login) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms() {
        let check = |email, id, login: &str, host: &str| {
            let expect = Account { host: host.into(), id, login: Some(login.into()) };
            assert_eq!(account(email), Some(expect), "{email}");
        };
        check("12+Ann@users.noreply.github.com", Some(12), "ann", "github.com");
        check("ann@users.noreply.github.com", None, "ann", "github.com");
        check("12-ann-b@users.noreply.gitlab.com", Some(12), "ann-b", "gitlab.com");
        check("12-ann@users.noreply.github.com", None, "12-ann", "github.com");
        for none in ["ann@github.com", "noreply@github.com", "@users.noreply.github.com", ""] {
            assert_eq!(account(none), None);
        }
    }
}
