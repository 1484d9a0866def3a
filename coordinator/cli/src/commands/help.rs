//! `gitfleet help [TOPIC]`.

use crate::args::{self, Help};
use crate::errors;
use crate::exit::{self, Exit, Refusal};
use crate::exposition;
use crate::render::data;

pub(super) fn run(args: &Help) -> anyhow::Result<Exit> {
    let text = match args.topic.as_deref() {
        Some("exit-codes") => Some(exit::help()),
        Some("errors") => Some(errors::reference()),
        Some("environment") => Some(environment()),
        Some("openapi") => Some(format!("{}\n", gitfleet_coordinator::api::document())),
        Some("observability") => Some(exposition::reference()),
        topic => args::help_of(topic),
    };
    let text = text.ok_or_else(|| {
        let topic = args.topic.as_deref().unwrap_or_default();
        Refusal::new(Exit::Usage, format!("there is no command or topic {topic:?}"))
            .hint("topics: exit-codes, errors, environment, observability, openapi; commands: gitfleet help")
    })?;
    data::print(&text)?;
    Ok(Exit::Done)
}

fn environment() -> String {
    let mut text =
        String::from("Environment variables\n\nEach beats the configuration file; a flag beats it.\n\n");
    for (variable, key) in crate::config::variables() {
        text.push_str(&format!("  {variable:<34}{key}\n"));
    }
    text.push_str(&format!("  {:<34}the configuration file, as -c\n", "GITFLEET_CONFIG"));
    text.push_str("\nA secret may be in a file instead, which the variable with _FILE at its end names.\n");
    text
}
