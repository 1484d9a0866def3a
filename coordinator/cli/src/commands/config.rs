//! `gitfleet config`.

use crate::args::{Config, ConfigCommand};
use crate::config::{Overrides, reference, schema, show};
use crate::exit::Exit;
use crate::render::data;

use super::Surroundings;

pub(super) fn run(args: Config) -> anyhow::Result<Exit> {
    let text = match args.command {
        ConfigCommand::Show { config } => {
            show(&Surroundings::read()?.configuration(config.as_deref(), Overrides::default(), false)?)
        }
        ConfigCommand::Schema => format!("{}\n", serde_json::to_string_pretty(&schema())?),
        ConfigCommand::Reference => reference(),
    };
    data::print(&text)?;
    Ok(Exit::Done)
}
