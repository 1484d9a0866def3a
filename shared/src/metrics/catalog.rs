//! All definitions, in the order of a report.

use super::definition::Definition;
use super::{
    age, burndown, churn, contributors, coupling, deployments, entropy, hotspots, hours, knowledge, language,
    ownership, people, releases, requests, rework, sums, tally, truck_factor,
};

/// Every metric that gitfleet prints.
pub const ALL: &[&Definition] = &[
    &sums::COMMITS,
    &sums::LINES,
    &language::BY_CHANGE,
    &language::AT_TIP,
    &people::ACTIVE_DAYS,
    &people::IDENTITY,
    &people::BOTS,
    &people::CO_AUTHORED,
    &tally::WORK_MIX,
    &tally::TICKET_COVERAGE,
    &tally::STORY_POINTS,
    &tally::REVERT_RATE,
    &tally::AI_SHARE,
    &requests::REQUESTS,
    &deployments::DEFINITION,
    &releases::DEFINITION,
    &requests::CYCLE_TIME,
    &rework::DEFINITION,
    &hotspots::DEFINITION,
    &hotspots::COMPLEXITY,
    &churn::DEFINITION,
    &ownership::DEFINITION,
    &truck_factor::DEFINITION,
    &truck_factor::ABSENCE,
    &coupling::DEFINITION,
    &entropy::DEFINITION,
    &age::DEFINITION,
    &age::SURVIVAL,
    &burndown::DEFINITION,
    &knowledge::DEFINITION,
    &contributors::DEFINITION,
    &contributors::TIME_TO_NTH,
    &contributors::RETENTION,
    &tally::REVIEWED_SHARE,
    &hours::DEFINITION,
];

/// Returns the definition of a metric by name.
pub fn find(name: &str) -> Option<&'static Definition> {
    ALL.iter().copied().find(|definition| definition.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_definition_is_whole_and_found_by_name() {
        for definition in ALL {
            assert_eq!(find(definition.name), Some(*definition), "names are unique");
            let Definition { title, unit, formula, edges, source, parts, caution, .. } = definition;
            for text in [title, unit, formula, edges, source, parts, caution] {
                assert!(!text.is_empty() && !text.contains("  "), "{}: {text:?}", definition.name);
            }
        }
    }
}
