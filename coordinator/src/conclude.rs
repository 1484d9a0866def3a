//! The end of a batch: its report, made or found, and its publication.

use gitfleet_shared::contract::Digest;
use gitfleet_shared::ids::BatchId;

use crate::aggregate::Basis;
use crate::report::json;
use crate::report::model::Report;
use crate::store::{Result, Store};
use crate::terms::Terms;

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
    let basis = Basis::of(store, batch, &terms.window, terms.scope(), &terms.lens).await?;
    let inputs = basis.inputs();
    if let Some(inputs) = &inputs
        && let Some(json) = store.report_of(inputs, terms.as_of_seconds).await?
        && let Ok(report) = serde_json::from_str::<Report>(&json)
        // As time goes on, what was in the future may be so no more; what was not will never be.
        && report.data_quality.future_times == 0
    {
        return Ok(Concluded { report, json, inputs: Some(*inputs) });
    }
    let report = basis.report(store, terms.as_of_seconds).await?;
    Ok(Concluded { json: json::render(&report), report, inputs })
}
