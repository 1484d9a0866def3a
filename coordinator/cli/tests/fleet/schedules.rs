//! A leader that dies in the middle of a firing: it becomes one batch all the same.

use crate::fleet::Fleet;
use crate::sample::Sample;
use crate::servers::Servers;

#[test]
fn a_firing_is_one_batch_wherever_a_leader_dies() {
    let (servers, sample) = (Servers::shared(), Sample::shared());
    let mut fleet = Fleet::new(servers);
    let mut coordinator = fleet.coordinator("first", &[]);
    for place in ["S1", "C1", "C2", "C3", "S2"] {
        let name = format!("nightly-{place}");
        fleet.told(&["schedule", "add", &name, "--cron", "0 2 * * *", "--quiet", &sample.sources[0]]);
        assert_eq!(coordinator.terminate(), Some(0));
        let mut doomed = fleet.coordinator("doomed", &[("GITFLEET_CRASH_AT", place)]);
        fleet.run(&format!(
            "UPDATE schedule SET next_due = (extract(epoch FROM clock_timestamp()) * 1000)::bigint - 1000 \
             WHERE name = '{name}'"
        ));
        doomed.crashed();
        coordinator = fleet.coordinator("next", &[]);
        let of =
            format!("FROM schedule_run r JOIN schedule s ON s.id = r.schedule_id WHERE s.name = '{name}'");
        let submitted = format!("SELECT count(*) {of} AND r.state = 'submitted'");
        fleet.until("the firing is submitted", || fleet.count(&submitted) == 1);
        assert_eq!(fleet.count(&format!("SELECT count(*) {of}")), 1, "{place}");
        let batches = format!("SELECT count(*) FROM batch WHERE labels::jsonb ->> 'schedule' = '{name}'");
        assert_eq!(fleet.count(&batches), 1, "{place}");
    }
    assert_eq!(coordinator.terminate(), Some(0));
}
