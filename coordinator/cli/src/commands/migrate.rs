//! `gitfleet migrate`.

use gitfleet_coordinator::store::migrations::{Fit, Step, check};
use gitfleet_coordinator::view::StepView;

use super::Surroundings;
use crate::args::{Migrate, MigrateCommand};
use crate::config::Overrides;
use crate::exit::{Exit, Refusal};
use crate::render::data;
use crate::render::table::table;
use crate::wiring::connect_store;

pub(super) fn run(args: Migrate) -> anyhow::Result<Exit> {
    let surroundings = Surroundings::read()?;
    let loaded = surroundings.configuration(args.config.as_deref(), Overrides::default(), true)?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let store = connect_store(&loaded.settings.fleet).await?;
        let mut schema = store.schema().await?;
        let exit = match args.command {
            MigrateCommand::Status { json } => {
                let steps: Vec<StepView> = schema.status().await?.iter().map(view).collect();
                data::print(&if json {
                    format!("{}\n", serde_json::to_string_pretty(&steps)?)
                } else {
                    list(&steps)
                })?;
                Exit::Done
            }
            MigrateCommand::Up => {
                let steps = schema.up().await?;
                data::print(&said(&steps, "taken", "the schema is up to date"))?;
                Exit::Done
            }
            MigrateCommand::Down => {
                let applied: Vec<i64> = schema
                    .status()
                    .await?
                    .iter()
                    .filter(|step| step.state.name() == "applied")
                    .map(|step| step.version)
                    .collect();
                let below = applied.iter().rev().nth(1).copied().unwrap_or(0);
                let steps = schema.down(below).await?;
                data::print(&said(&steps, "taken back", "there is no step to take back"))?;
                Exit::Done
            }
            MigrateCommand::Check => match check(&schema.status().await?) {
                Fit::UpToDate => {
                    data::print("the schema is up to date\n")?;
                    Exit::Done
                }
                Fit::Behind => {
                    return Err(Refusal::new(Exit::Differs, "the schema is older than this program")
                        .hint("bring it up to date with `gitfleet migrate up`")
                        .into());
                }
                Fit::Ahead => {
                    return Err(Refusal::new(Exit::Differs, "the schema is newer than this program")
                        .hint("it can still be worked with; update this program when you can")
                        .into());
                }
                Fit::Differs => {
                    return Err(Refusal::new(
                        Exit::Differs,
                        "a step of the schema is not the one this program knows",
                    )
                    .hint("`gitfleet migrate status` says which; is this a build of another branch?")
                    .into());
                }
            },
        };
        store.close().await;
        Ok(exit)
    })
}

fn view(step: &Step) -> StepView {
    StepView { version: step.version, name: step.name.clone(), state: step.state.name().to_owned() }
}

fn list(steps: &[StepView]) -> String {
    let row = |step: &StepView| [step.version.to_string(), step.name.clone(), step.state.clone()];
    let rows: Vec<_> = steps.iter().map(row).collect();
    table(["STEP", "NAME", "STATE"], &rows)
}

fn said(steps: &[Step], done: &str, nothing: &str) -> String {
    if steps.is_empty() {
        return format!("{nothing}\n");
    }
    steps.iter().map(|step| format!("{} {} {done}\n", step.version, step.name)).collect()
}
