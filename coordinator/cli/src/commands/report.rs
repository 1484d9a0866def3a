//! `gitfleet report`.

use gitfleet_coordinator::report::json;
use gitfleet_coordinator::store::Store as _;

use crate::args::{Report, ReportCommand};
use crate::config::Overrides;
use crate::exit::{Exit, Refusal};
use crate::render::data;
use crate::wiring::{STORE, open_store};

use super::Surroundings;

fn nothing_published() -> anyhow::Error {
    Refusal::new(Exit::NotFound, "no report was published yet").hint("run `gitfleet analyze` first").into()
}

/// The name under which `analyze` publishes.
pub(super) const PUBLISHED: &str = "analyze";

pub(super) fn run(args: Report) -> anyhow::Result<Exit> {
    let text = match args.command {
        ReportCommand::Schema => format!("{}\n", serde_json::to_string_pretty(&json::schema())?),
        ReportCommand::Show { common } => {
            let surroundings = Surroundings::read()?;
            let overrides = Overrides { data_dir: common.data_dir, ..Overrides::default() };
            let loaded = surroundings.configuration(common.config.as_deref(), overrides, true)?;
            let data_dir = surroundings.data_dir(&loaded)?;
            tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
                if !data_dir.join(STORE).exists() {
                    return Err(nothing_published());
                }
                let store = open_store(&data_dir).await?;
                let published = store.published(PUBLISHED).await?;
                store.close().await;
                let (report, _) = published.ok_or_else(nothing_published)?;
                anyhow::Ok(report)
            })?
        }
    };
    data::print(&text)?;
    Ok(Exit::Done)
}
