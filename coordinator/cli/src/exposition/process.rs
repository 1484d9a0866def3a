//! What the system says of this process, by the names that Prometheus' own clients use. Where there is no /proc, nothing
//! is said.

use gitfleet_shared::meter::{Counter, Definition, Gauge, Meter, catch_up};

const CPU: Definition = Definition::counter(
    "process_cpu_seconds_total",
    &[],
    "Time that processors spent on this process, in user and in system mode",
);
const MEMORY: Definition =
    Definition::gauge("process_resident_memory_bytes", &[], "Memory of this process that is resident");
const OPEN_FDS: Definition =
    Definition::gauge("process_open_fds", &[], "File descriptors that this process has open");
const START: Definition =
    Definition::gauge("process_start_time_seconds", &[], "When this process began, in seconds of Unix time");

/// All of them.
pub(super) const ALL: &[Definition] = &[CPU, MEMORY, OPEN_FDS, START];

#[derive(Clone)]
pub(super) struct Process {
    cpu: Counter,
    memory: Gauge,
    open_fds: Gauge,
    start: Gauge,
}

impl Process {
    pub(super) fn new(meter: &Meter) -> Self {
        Self {
            cpu: meter.seconds(&CPU),
            memory: meter.gauge(&MEMORY),
            open_fds: meter.gauge(&OPEN_FDS),
            start: meter.gauge(&START),
        }
    }

    pub(super) fn refresh(&self) {
        let read = |path| std::fs::read_to_string(path).ok();
        if let Some(usage) = read("/proc/self/stat").and_then(|stat| usage(&stat)) {
            let ticks = rustix::param::clock_ticks_per_second() as f64;
            catch_up(&self.cpu, usage.cpu_ticks as f64 / ticks);
            self.memory.set(usage.resident_pages as f64 * rustix::param::page_size() as f64);
            if let Some(boot) = read("/proc/stat").and_then(|stat| boot_seconds(&stat)) {
                self.start.set(boot as f64 + usage.start_ticks as f64 / ticks);
            }
        }
        if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
            self.open_fds.set(open.count() as f64);
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Usage {
    cpu_ticks: u64,
    /// Since the system began.
    start_ticks: u64,
    resident_pages: u64,
}

/// Reads proc_pid_stat(5). The name of the program, in parentheses, may hold anything.
fn usage(stat: &str) -> Option<Usage> {
    let (_, rest) = stat.rsplit_once(')')?;
    // The first of these is the third field there.
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    Some(Usage {
        cpu_ticks: number(14)? + number(15)?,
        start_ticks: number(22)?,
        resident_pages: number(24)?,
    })
}

fn boot_seconds(stat: &str) -> Option<u64> {
    stat.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_program_may_hold_anything() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 90 0 0 0 11 22 0 0 20 0 4 0 12345 99999 678 1844";
        assert_eq!(usage(stat), Some(Usage { cpu_ticks: 33, start_ticks: 12_345, resident_pages: 678 }));
        for damaged in ["", "7 (a)", "7 (a) S 1", "7 a S 1 7 7 0"] {
            assert_eq!(usage(damaged), None, "{damaged}");
        }
        assert_eq!(boot_seconds("cpu 1 2\nbtime 1700000000\n"), Some(1_700_000_000));
    }

    #[test]
    fn this_process_is_read() {
        let meter = Meter::default();
        let process = Process::new(&meter);
        process.refresh();
        assert!(process.memory.get() > 1e6 && process.open_fds.get() >= 3.0 && process.start.get() > 1e9);
    }
}
