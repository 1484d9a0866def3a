//! `gitfleet report`.

use gitfleet_coordinator::report::json;

use crate::args::{Report, ReportCommand};
use crate::config::Overrides;
use crate::exit::{Exit, Refusal};
use crate::render::data;
use crate::wiring::{Embedded, Keep};

use super::Surroundings;

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
                let parts = Embedded::open(&data_dir, Keep::Everything).await?;
                let published = parts.store.published(PUBLISHED).await?;
                parts.close().await;
                let (report, _) = published.ok_or_else(|| {
                    Refusal::new(Exit::NotFound, "no report was published yet")
                        .hint("run `gitfleet analyze` first")
                })?;
                anyhow::Ok(report)
            })?
        }
    };
    data::print(&text)?;
    Ok(Exit::Done)
}
