//! The document of all error codes, made of where they are decided: exit codes of commands, classes of failed repositories,
//! and problems of the API.

use gitfleet_coordinator::api::KINDS;
use gitfleet_shared::contract::FailureClass;

use crate::exit;

const HEAD: &str = "\
# Error codes

`gitfleet help errors` prints this page; it is made of the code, and a test compares the two. The names and numbers are \
stable; the words that come with them are not.

## Exit codes

| code | what it says |
|---|---|
";

const FAILURES: &str = "
## Repositories that failed

A batch goes on without them. `gitfleet batch show` and the coverage of the report name each with its class and reason; \
`gitfleet batch retry` does them again.

| class | what it says | what to do | tried again by itself |
|---|---|---|---|
";

const PROBLEMS: &str = "
## Problems of the API

As RFC 9457 has them: `type` is `urn:gitfleet:problem:` and the name, `detail` says what is wrong with which part, and `hint` \
what to do.

| name | status | title | what to do |
|---|---|---|---|
";

/// Returns the text of `gitfleet help errors`.
pub(crate) fn reference() -> String {
    let mut text = HEAD.to_owned();
    for (code, meaning) in exit::codes() {
        text.push_str(&format!("| {code} | {meaning} |\n"));
    }
    text.push_str(FAILURES);
    for class in FailureClass::ALL {
        let (meaning, advice) = class.meaning();
        let again = if class.may_pass() { "yes" } else { "no" };
        text.push_str(&format!("| `{}` | {meaning} | {advice} | {again} |\n", class.name()));
    }
    text.push_str(PROBLEMS);
    for kind in KINDS {
        text.push_str(&format!(
            "| `{}` | {} | {} | {} |\n",
            kind.name,
            kind.status.as_u16(),
            kind.title,
            kind.advice
        ));
    }
    text
}
