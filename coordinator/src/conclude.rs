//! The end of a batch: its report, made or found, and its publication.

use gitfleet_shared::contract::{Digest, Scope};
use gitfleet_shared::facts::CommitFacts;
use gitfleet_shared::ids::BatchId;

use crate::aggregate::{Basis, read};
use crate::report::json;
use crate::report::model::Report;
use crate::store::{RepositoryState, Result, Store, StoreError};
use crate::terms::Terms;

/// Hands out the facts of each repository of `batch` that was analysed, by name, its commits ascending by id, each with
/// whether it is on the mainline.
///
/// # Errors
///
/// Where the store fails, or `each` does.
pub async fn facts<E: From<StoreError>>(
    store: &dyn Store,
    batch: BatchId,
    scope: Scope,
    mut each: impl FnMut(&str, &[(CommitFacts, bool)]) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    let mut repositories = store.repositories(batch).await?;
    repositories.sort_by(|a, b| (&a.name, a.position).cmp(&(&b.name, b.position)));
    for repository in repositories.iter().filter(|one| one.state == RepositoryState::Analysed) {
        let snapshot = store.snapshot(&repository.source, &repository.revisions, scope).await?;
        let snapshot =
            snapshot.ok_or(StoreError::Damaged { what: "an analysed repository without a snapshot" })?;
        each(&repository.name, &read::commits(store, &snapshot).await?)?;
    }
    Ok(())
}

/// A report and its first form.
pub struct Concluded {
    pub report: Report,
    pub json: String,
    pub inputs: Option<Digest>,
}

/// Returns the report of `batch`: a kept one where everything it is made of is the same, because then its bytes are,
/// too.
///
/// # Errors
///
/// Where the store fails or lacks what it said it has.
pub async fn conclude(store: &dyn Store, batch: BatchId, terms: &Terms) -> Result<Concluded> {
    let basis =
        Basis::of(store, batch, &terms.window, terms.scope(), &terms.lens, terms.as_of_seconds).await?;
    let inputs = basis.inputs();
    if let Some(inputs) = &inputs
        && let Some(json) = store.report_of(inputs, terms.as_of_seconds).await?
        && let Ok(report) = serde_json::from_str::<Report>(&json)
        // As time goes on, what was in the future may be so no more; what was not will never be.
        && report.data_quality.future_times == 0
    {
        return Ok(Concluded { report, json, inputs: Some(*inputs) });
    }
    let report = basis.report(store).await?;
    Ok(Concluded { json: json::render(&report), report, inputs })
}
