//! Help by AI tools, as far as the message says so.
//!
//! Trailers (`Co-authored-by`, `Assisted-by`, `Generated-by`, `Made-with`) and the lines some tools write ("Generated
//! with ..."). Help that a message does not mention cannot be seen, so a share of these is a lower bound. People called
//! Claude or Devin are people: a first name alone is evidence only in the exact form a tool writes.

use std::sync::LazyLock;

use regex::Regex;

use super::Message;
use super::patterns::own;
use super::trailers::name_and_email;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Assistance {
    pub tool: &'static str,
    /// The words of the message that say it.
    pub evidence: String,
}

struct Tool {
    name: &'static str,
    /// Names a tool gives itself, as whole names, in lower case.
    names: &'static str,
    /// Its addresses, as whole e-mails, in lower case.
    emails: &'static str,
    /// What it is called in running words.
    words: &'static str,
}

const TOOLS: [Tool; 13] = [
    Tool {
        name: "Claude",
        names: r"claude(?:[ -](?:code|opus|sonnet|haiku|fable|ai|v?[0-9][0-9.]*)\b.*|\[bot\]|-[0-9].*)?",
        emails: r".*@(?:.+\.)?anthropic\.com",
        words: r"claude(?: code)?",
    },
    Tool {
        name: "Copilot",
        names: r"(?:github )?copilot(?: .*)?|copilot-swe-agent(?:\[bot\])?|copilot\[bot\]",
        emails: r"(?:\d+\+)?copilot(?:-swe-agent)?(?:\[bot\])?@users\.noreply\.github\.com|copilot@github\.com",
        words: r"(?:github )?copilot",
    },
    Tool {
        name: "Cursor",
        names: r"cursor(?: agent|agent|\[bot\])?",
        emails: r"(?:.*@cursor\.(?:com|sh|so))|(?:\d+\+)?cursoragent@users\.noreply\.github\.com",
        words: r"cursor(?: ai)?",
    },
    Tool {
        name: "Codex",
        names: r"(?:openai )?codex(?: cli| \(?gpt.*|\[bot\])?|chatgpt-codex-connector(?:\[bot\])?",
        emails: r"(?:codex|noreply)@openai\.com|(?:\d+\+)?chatgpt-codex-connector(?:\[bot\])?@users\.noreply\.github\.com",
        words: r"(?:openai )?codex",
    },
    Tool { name: "aider", names: r"aider(?: \(.*\))?", emails: r".*@aider\.chat", words: r"aider" },
    Tool {
        name: "Devin",
        names: r"devin ai|devin-ai-integration(?:\[bot\])?",
        emails: r"(?:\d+\+)?devin-ai-integration(?:\[bot\])?@users\.noreply\.github\.com|.*@devin\.ai",
        words: r"devin ai",
    },
    Tool {
        name: "Gemini",
        names: r"gemini(?: (?:cli|code assist|[0-9].*|pro|flash).*|-cli|-code-assist(?:\[bot\])?)?",
        emails: r"(?:\d+\+)?gemini-(?:cli|code-assist)(?:\[bot\])?@users\.noreply\.github\.com",
        words: r"gemini(?: cli)?",
    },
    Tool {
        name: "Jules",
        names: r"google-labs-jules(?:\[bot\])?",
        emails: r"(?:\d+\+)?google-labs-jules(?:\[bot\])?@users\.noreply\.github\.com",
        words: r"google jules",
    },
    Tool {
        name: "Windsurf",
        names: r"windsurf(?: cascade)?",
        emails: r".*@windsurf\.com",
        words: r"windsurf",
    },
    Tool { name: "Amp", names: r"amp", emails: r".*@ampcode\.com", words: r"amp code" },
    Tool {
        name: "opencode",
        names: r"opencode(?:-agent(?:\[bot\])?)?",
        emails: r".*@opencode\.ai",
        words: r"opencode",
    },
    Tool {
        name: "Junie",
        names: r"junie(?:-agent|-eap)?(?:\[bot\])?",
        emails: r"junie@jetbrains\.com",
        words: r"junie",
    },
    Tool {
        name: "ChatGPT",
        names: r"chatgpt(?: .*)?|gpt-[0-9].*",
        emails: r"chatgpt@openai\.com",
        words: r"chatgpt|gpt-[0-9][\w.-]*",
    },
];

struct Compiled {
    tool: &'static str,
    name: Regex,
    email: Regex,
    phrase: Regex,
}

/// How a line begins that a tool writes of itself.
const SAYING: &str = r"^\W*(?:generated|created|made|written|co-written|assisted|authored) (?:with|by|using)";

/// Whether there is any such line: nearly no message has one, and then no tool is looked for.
static ANY: LazyLock<Regex> = LazyLock::new(|| own(&format!("(?im){SAYING}")));

static COMPILED: LazyLock<Vec<Compiled>> = LazyLock::new(|| {
    let one = |tool: &Tool| Compiled {
        tool: tool.name,
        name: own(&format!("^(?i:{})$", tool.names)),
        email: own(&format!("^(?i:{})$", tool.emails)),
        phrase: own(&format!(r"(?im){SAYING}(?: the help of)? \[?(?:{})\b.*$", tool.words)),
    };
    TOOLS.iter().map(one).collect()
});

const KEYS: [&str; 7] = [
    "co-authored-by",
    "co-developed-by",
    "assisted-by",
    "generated-by",
    "generated-with",
    "made-with",
    "ai-assisted-by",
];

/// Returns which tools helped, sorted, each with the first words that say so.
pub fn assistance(message: &Message) -> Vec<Assistance> {
    let mut found: Vec<Assistance> = Vec::new();
    let mut add = |tool: &'static str, evidence: String| {
        if !found.iter().any(|one| one.tool == tool) {
            found.push(Assistance { tool, evidence });
        }
    };
    for trailer in &message.trailers {
        if !KEYS.iter().any(|key| trailer.key.eq_ignore_ascii_case(key)) {
            continue;
        }
        // `Assisted-by: TOOL:MODEL` is the form of the Linux kernel's documentation.
        let (name, email) = name_and_email(&trailer.value);
        let name = name.split(':').next().unwrap_or_default();
        if let Some(tool) = tool_of(name, email) {
            add(tool, format!("{}: {}", trailer.key, trailer.value));
        }
    }
    let said = if ANY.is_match(&message.body) { COMPILED.as_slice() } else { &[] };
    for compiled in said {
        if let Some(line) = compiled.phrase.find(&message.body) {
            add(compiled.tool, line.as_str().trim().to_owned());
        }
    }
    found.sort();
    found
}

/// Returns the tool behind a name or an e-mail.
pub fn tool_of(name: &str, email: &str) -> Option<&'static str> {
    let (name, email) = (name.trim(), email.trim());
    let by_email = COMPILED.iter().find(|compiled| compiled.email.is_match(email));
    by_email
        .or_else(|| COMPILED.iter().find(|compiled| compiled.name.is_match(name)))
        .map(|compiled| compiled.tool)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, tools: &[&str]) {
        let found: Vec<_> = assistance(&Message::of(text)).into_iter().map(|one| one.tool).collect();
        assert_eq!(found, tools, "{text}");
    }

    #[test]
    fn trailers_name_tools() {
        check("x\n\nCo-Authored-By: Claude <noreply@anthropic.com>", &["Claude"]);
        check(
            "x\n\nCo-authored-by: Claude Opus 4.5 <a@x>\nCo-authored-by: Copilot <1+Copilot@users.noreply.github.com>",
            &["Claude", "Copilot"],
        );
        check("x\n\nCo-authored-by: Cursor <cursoragent@cursor.com>", &["Cursor"]);
        check("x\n\nCo-authored-by: aider (gpt-4o) <aider@aider.chat>", &["aider"]);
        let devin = "Devin AI <1+devin-ai-integration[bot]@users.noreply.github.com>";
        check(&format!("x\n\nCo-authored-by: {devin}"), &["Devin"]);
        check("x\n\nAssisted-by: Codex:gpt-5", &["Codex"]);
    }

    #[test]
    fn lines_name_tools() {
        check("x\n\n🤖 Generated with [Claude Code](https://claude.com/claude-code)", &["Claude"]);
        check("x\n\nMade with Cursor", &["Cursor"]);
    }

    #[test]
    fn people_are_people() {
        check("x\n\nCo-authored-by: Claude Ann <claude@x>\nCo-authored-by: Devin Bob <devin@x>", &[]);
        check("Move the cursor\n\nThe page is generated with a cursor. Use Copilot settings.", &[]);
        check("x\n\nReviewed-by: Claude <noreply@anthropic.com>", &[]);
    }
}
