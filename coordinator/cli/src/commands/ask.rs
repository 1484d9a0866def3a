//! What all commands that speak to a coordinator begin and end with.

use serde::Serialize;

use super::Surroundings;
use crate::args::Ask;
use crate::client::Client;
use crate::config::{Loaded, Overrides};
use crate::exit::Exit;
use crate::render::data;

/// Returns a client of the coordinator that `ask` and the configuration name.
pub(super) fn client(ask: &Ask) -> anyhow::Result<Client> {
    let surroundings = Surroundings::read()?;
    let overrides = Overrides { server: ask.server.clone(), ..Overrides::default() };
    // Warnings of the file are for the commands that act on it.
    let loaded = surroundings.configuration(ask.config.as_deref(), overrides, true)?;
    of(&loaded)
}

pub(super) fn of(loaded: &Loaded) -> anyhow::Result<Client> {
    let fleet = &loaded.settings.fleet;
    Client::new(&fleet.server, fleet.token.as_ref().map(|held| held.secret.clone()), fleet.ca_file.as_deref())
}

/// Returns what a command that asks the same coordinator has to be given: what was typed here, and nothing that is found
/// without.
pub(super) fn again(ask: &Ask) -> String {
    let mut flags = String::new();
    if let Some(server) = &ask.server {
        flags.push_str(&format!(" --server {server}"));
    }
    if let Some(file) = &ask.config {
        flags.push_str(&format!(" -c {}", file.display()));
    }
    flags
}

/// Prints an answer, as JSON or as `text` has it.
pub(super) fn answer<T: Serialize>(
    ask: &Ask,
    view: &T,
    text: impl FnOnce(&T) -> String,
) -> anyhow::Result<Exit> {
    if ask.json {
        data::print(&format!("{}\n", serde_json::to_string_pretty(view)?))?;
    } else {
        data::print(&text(view))?;
    }
    Ok(Exit::Done)
}

/// Returns a part of a path, with nothing in it that would make it another path.
pub(super) fn segment(text: &str) -> String {
    let mut segment = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') {
            segment.push(byte.into());
        } else {
            segment.push_str(&format!("%{byte:02X}"));
        }
    }
    segment
}
