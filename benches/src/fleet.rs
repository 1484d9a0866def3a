//! A fleet on this machine, with servers of its own: what coordination costs beside analysis, how many jobs go through
//! when there is nothing to do in them, and what an operator waits for while a hundred thousand are queued.
//!
//! Everything is durable as it would be: PostgreSQL with fsync, quorum queues with confirms, acknowledgements after the
//! effect. Times are those of this machine, where servers, coordinator and workers share the cores.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use gitfleet_testkit::postgres::{Database, Fsync, Postgres};
use gitfleet_testkit::rabbitmq::{Options as RabbitMqOptions, RabbitMq};
use gitfleet_testkit::redis::{Options as RedisOptions, Redis};
use serde_json::Value;

use crate::args::Setting;
use crate::bench::Bench;
use crate::table::{self, Table, mebibytes, ratio, seconds};

/// How long a batch may take before something is taken to be wrong.
const PATIENCE: Duration = Duration::from_secs(1_800);
/// Slots of a worker whose jobs are empty: they wait for broker and store, and not for a core.
const WAITING_SLOTS: usize = 8;
/// Repositories of one submission at most.
const SUBMISSION: usize = 10_000;

/// What is asked of a fleet.
pub(crate) struct Scale {
    pub(crate) repositories: Vec<PathBuf>,
    /// Jobs with work in them, about.
    pub(crate) jobs: usize,
    pub(crate) empty_jobs: usize,
    pub(crate) queued: usize,
    pub(crate) workers: usize,
}

/// Prints the table. Returns whether every batch ended without a failure.
pub(crate) fn all(scale: &Scale, setting: &Setting) -> anyhow::Result<bool> {
    let bench = Bench::new(setting)?;
    bench.introduce()?;
    let fleet = Fleet::start(&bench)?;
    let mut table = Table::new(1, &["what", "value"]);
    let mut well = true;
    if !scale.repositories.is_empty() {
        well &= fleet.real(scale, &mut table)?;
    }
    well &= fleet.empty(scale.empty_jobs, scale.workers, &mut table)?;
    fleet.queued(scale.queued, &mut table)?;
    table.print("A fleet on one machine, everything durable");
    Ok(well)
}

struct Fleet<'a> {
    bench: &'a Bench,
    folder: tempfile::TempDir,
    environment: Vec<(&'static str, String)>,
    coordinator: Process,
    /// Dropped in this order: the database before its server.
    _servers: (Database, Postgres, RabbitMq, Redis),
}

/// A child that ends with this.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// CPU seconds so far, by what they went into.
#[derive(Clone, Copy, Default)]
struct Spent {
    workers: f64,
    coordinator: f64,
    servers: f64,
}

impl Spent {
    fn since(self, before: Self) -> Self {
        Self {
            workers: self.workers - before.workers,
            coordinator: self.coordinator - before.coordinator,
            servers: self.servers - before.servers,
        }
    }

    fn coordination(self) -> f64 {
        (self.coordinator + self.servers) / (self.coordinator + self.servers + self.workers)
    }
}

impl<'a> Fleet<'a> {
    fn start(bench: &'a Bench) -> anyhow::Result<Self> {
        table::talk("starting servers");
        let postgres = Postgres::start(Fsync::On);
        let database = postgres.database();
        let rabbitmq = RabbitMq::start(&RabbitMqOptions::default());
        let redis = Redis::start(&RedisOptions::default());
        let folder = bench.folder()?;
        let listen = format!("127.0.0.1:{}", gitfleet_testkit::port::free());
        let environment = vec![
            ("GITFLEET_DATABASE_URL", database.url().to_owned()),
            ("GITFLEET_BROKER_URL", rabbitmq.url().to_owned()),
            ("GITFLEET_CACHE_URL", redis.url().to_owned()),
            ("GITFLEET_LISTEN", listen.clone()),
            ("GITFLEET_SOURCE_SCHEMES", "https,ssh,file".to_owned()),
            ("GITFLEET_SERVER", format!("http://{listen}")),
            ("GITFLEET_DATA_DIR", folder.path().join("data").display().to_string()),
        ];
        let coordinator = spawn(bench, &environment, &["coordinator", "--migrate"])?;
        let fleet =
            Self { bench, folder, environment, coordinator, _servers: (database, postgres, rabbitmq, redis) };
        fleet.wait("the coordinator leads", |fleet| {
            Ok(fleet.ask(&["status", "--json"]).is_ok_and(|status| status["leader"].is_string()))
        })?;
        Ok(fleet)
    }

    fn workers(&self, count: usize, slots: usize) -> anyhow::Result<Vec<Process>> {
        let slots = slots.to_string();
        (0..count).map(|_| spawn(self.bench, &self.environment, &["worker", "--jobs", &slots])).collect()
    }

    /// Real histories, cut so fine that there are about as many jobs as asked for.
    fn real(&self, scale: &Scale, table: &mut Table) -> anyhow::Result<bool> {
        let paths: Vec<&str> = scale.repositories.iter().filter_map(|path| path.to_str()).collect();
        let mut dry = vec!["submit", "--dry-run", "--wait", "--json"];
        dry.extend(&paths);
        let surveyors = self.workers(scale.workers, 1)?;
        table::talk("surveying");
        let planned = self.ask(&dry)?;
        let commits: u64 =
            planned.as_array().into_iter().flatten().filter_map(|one| one["commits_new"].as_u64()).sum();
        drop(surveyors);
        let size = (commits / scale.jobs as u64).max(1).to_string();
        let mut submit = vec!["submit", "--wait", "--json", "--batch-size", &size];
        submit.extend(&paths);
        let workers = self.workers(scale.workers, 1)?;
        table::talk(&format!("{commits} commits in slices of {size}"));
        let before = self.spent(&workers)?;
        let begun = Instant::now();
        let batch = self.ask(&submit)?;
        let elapsed = begun.elapsed().as_secs_f64();
        let spent = self.spent(&workers)?.since(before);
        let jobs = batch["jobs"]["done"].as_i64().unwrap_or(0);
        let row = |table: &mut Table, what: &str, value: String| table.row([what.to_owned(), value]);
        row(table, "real jobs, end to end", format!("{jobs} over {commits} commits"));
        row(table, "their wall time", seconds(elapsed));
        row(table, "jobs in a second", format!("{:.0}", jobs as f64 / elapsed));
        row(table, "CPU of workers", seconds(spent.workers));
        row(table, "CPU of the coordinator", seconds(spent.coordinator));
        row(table, "CPU of PostgreSQL, RabbitMQ and Redis", seconds(spent.servers));
        row(table, "coordination's share of all CPU", ratio(spent.coordination(), 1.0));
        row(table, "coordinator's peak RSS", mebibytes(peak(self.coordinator.0.id())?));
        // The same histories in slices of the usual size: what fine slices add.
        drop(workers);
        self.forget()?;
        let workers = self.workers(scale.workers, 1)?;
        self.ask(&["cache", "purge", "--json"])?;
        let mut submit = vec!["submit", "--wait", "--json"];
        submit.extend(&paths);
        let before = self.spent(&workers)?;
        let begun = Instant::now();
        let batch = self.ask(&submit)?;
        let elapsed = begun.elapsed().as_secs_f64();
        let spent = self.spent(&workers)?.since(before);
        let jobs = batch["jobs"]["done"].as_i64().unwrap_or(0);
        row(table, "the same in slices of the usual size", format!("{jobs} jobs in {}", seconds(elapsed)));
        row(table, "coordination's share of all CPU then", ratio(spent.coordination(), 1.0));
        Ok(batch["repositories"]["failed"] == 0)
    }

    /// Removes every repository and its facts, so that nothing is known.
    fn forget(&self) -> anyhow::Result<()> {
        for one in self.ask(&["repo", "ls", "--json"])?.as_array().into_iter().flatten() {
            self.ask(&["repo", "rm", &one["id"].to_string(), "--json"])?;
        }
        Ok(())
    }

    /// Jobs with nothing in them: surveys of empty repositories.
    fn empty(&self, count: usize, workers: usize, table: &mut Table) -> anyhow::Result<bool> {
        let sources = self.empty_repositories(count)?;
        let thousand = sources.iter().take(1_000).cloned().collect::<Vec<_>>();
        let begun = Instant::now();
        self.submit("thousand", &thousand)?;
        table.row(["submit of 1,000 repositories".to_owned(), seconds(begun.elapsed().as_secs_f64())]);
        let working = self.workers(workers, WAITING_SLOTS)?;
        self.wait("the thousand are done", |fleet| fleet.all_ended())?;
        drop(working);
        // Those of a first night write a snapshot each; those of the next night find nothing new.
        Ok(self.surveys("first", &sources, workers, table)?
            && self.surveys("again", &sources, workers, table)?)
    }

    fn surveys(
        &self,
        name: &str,
        sources: &[PathBuf],
        workers: usize,
        table: &mut Table,
    ) -> anyhow::Result<bool> {
        table::talk(&format!("{} empty jobs, {name}", sources.len()));
        let mut ids = Vec::new();
        for sources in sources.chunks(SUBMISSION) {
            ids.push(self.submit(name, sources)?);
        }
        let working = self.workers(workers, WAITING_SLOTS)?;
        let before = self.spent(&working)?;
        let begun = Instant::now();
        self.wait("the empty jobs are done", |fleet| fleet.all_ended())?;
        let elapsed = begun.elapsed().as_secs_f64();
        let spent = self.spent(&working)?.since(before);
        let count = sources.len() as f64;
        let what = |what: &str| format!("empty jobs, {name}: {what}");
        table.row([what("in a second, workers' start included"), format!("{:.0}", count / elapsed)]);
        for (who, seconds) in
            [("workers", spent.workers), ("coordinator", spent.coordinator), ("servers", spent.servers)]
        {
            table.row([what(&format!("CPU of {who} for each")), format!("{:.2} ms", 1e3 * seconds / count)]);
        }
        let mut well = true;
        for id in ids {
            well &= self.ask(&["batch", "show", &id, "--json"])?["repositories"]["failed"] == 0;
        }
        Ok(well)
    }

    /// What an operator waits for while nothing is done about so many jobs.
    fn queued(&self, count: usize, table: &mut Table) -> anyhow::Result<()> {
        let sources = self.empty_repositories(SUBMISSION.min(count))?;
        table::talk(&format!("queueing {count} jobs"));
        let mut id = String::new();
        let begun = Instant::now();
        for _ in 0..count.div_ceil(SUBMISSION) {
            id = self.submit("queued", &sources)?;
        }
        table.row([format!("submit of {count} repositories"), seconds(begun.elapsed().as_secs_f64())]);
        let list = ["batch", "ls"];
        let show = ["batch", "show", &id, "--json"];
        let jobs = ["job", "ls", "--batch", &id];
        let status = ["status"];
        for arguments in [&list[..], &show, &jobs, &status] {
            let mut times: Vec<f64> = Vec::new();
            for _ in 0..50 {
                let begun = Instant::now();
                self.run(arguments)?;
                times.push(begun.elapsed().as_secs_f64());
            }
            times.sort_by(f64::total_cmp);
            let what = format!(
                "`{}` with {count} jobs queued, median and worst of 50",
                arguments[..2.min(arguments.len())].join(" ")
            );
            table.row([what, format!("{}, {}", seconds(times[25]), seconds(times[49]))]);
        }
        table.row(["coordinator's peak RSS".to_owned(), mebibytes(peak(self.coordinator.0.id())?)]);
        Ok(())
    }

    fn empty_repositories(&self, count: usize) -> anyhow::Result<Vec<PathBuf>> {
        let folder = self.folder.path().join("empty");
        (0..count)
            .map(|number| {
                let path = folder.join(format!("{number}.git"));
                if !path.exists() {
                    std::fs::create_dir_all(path.join("objects"))?;
                    std::fs::create_dir_all(path.join("refs"))?;
                    std::fs::write(path.join("HEAD"), "ref: refs/heads/main\n")?;
                    std::fs::write(
                        path.join("config"),
                        "[core]\n\trepositoryformatversion = 0\n\tbare = true\n",
                    )?;
                }
                Ok(path)
            })
            .collect()
    }

    /// Submits by a configuration file, as nobody types so many, and returns the batch.
    fn submit(&self, name: &str, sources: &[PathBuf]) -> anyhow::Result<String> {
        let file = self.folder.path().join(format!("{name}.yaml"));
        let mut yaml = String::from("version: \"1.0\"\nrepositories:\n");
        for (number, path) in sources.iter().enumerate() {
            yaml.push_str(&format!("  - name: r{number}\n    path: {}\n", path.display()));
        }
        std::fs::write(&file, yaml)?;
        let path = file.to_str().context("the folder's name is text")?;
        let submitted = self.ask(&["submit", "--config", path, "--name", name, "--json"])?;
        Ok(submitted["batch"].as_str().context("the answer names the batch")?.to_owned())
    }

    fn all_ended(&self) -> anyhow::Result<bool> {
        Ok(self.ask(&["batch", "ls", "--state", "running", "--json"])?.as_array().is_some_and(Vec::is_empty))
    }

    fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let mut command = self.bench.gitfleet();
        command
            .envs(self.environment.iter().map(|(name, value)| (*name, value.as_str())))
            .arg("-q")
            .args(arguments);
        let output = command.output().context("cannot run gitfleet")?;
        anyhow::ensure!(
            output.status.success(),
            "gitfleet {}: {}",
            arguments.first().unwrap_or(&""),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    fn ask(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&self.run(arguments)?)?)
    }

    fn wait(&self, what: &str, done: impl Fn(&Self) -> anyhow::Result<bool>) -> anyhow::Result<()> {
        let begun = Instant::now();
        while !done(self)? {
            anyhow::ensure!(begun.elapsed() < PATIENCE, "still waiting until {what}");
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }

    fn spent(&self, workers: &[Process]) -> anyhow::Result<Spent> {
        let processes = processes()?;
        let me = std::process::id();
        let mut spent = Spent::default();
        for (pid, (_, seconds)) in &processes {
            let mut at = *pid;
            while let Some((parent, _)) = processes.get(&at)
                && *parent != me
                && *parent != 0
            {
                at = *parent;
            }
            if processes.get(&at).is_none_or(|(parent, _)| *parent != me) {
                continue;
            }
            if at == self.coordinator.0.id() {
                spent.coordinator += seconds;
            } else if workers.iter().any(|worker| worker.0.id() == at) {
                spent.workers += seconds;
            } else {
                spent.servers += seconds;
            }
        }
        Ok(spent)
    }
}

fn spawn(
    bench: &Bench,
    environment: &[(&'static str, String)],
    arguments: &[&str],
) -> anyhow::Result<Process> {
    let mut command = bench.gitfleet();
    command.envs(environment.iter().map(|(name, value)| (*name, value.as_str()))).arg("-q").args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    Ok(Process(command.spawn().context("cannot start gitfleet")?))
}

/// Returns every process of the machine: its parent, and the CPU seconds of itself and of its children that have ended.
fn processes() -> anyhow::Result<HashMap<u32, (u32, f64)>> {
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    let mut processes = HashMap::new();
    for entry in std::fs::read_dir("/proc")? {
        let path = entry?.path();
        let Some(pid) = path.file_name().and_then(|name| name.to_str()?.parse().ok()) else { continue };
        // It may have ended meanwhile.
        let Ok(stat) = std::fs::read_to_string(path.join("stat")) else { continue };
        let Some((_, rest)) = stat.rsplit_once(") ") else { continue };
        let field =
            |number: usize| rest.split(' ').nth(number - 3).and_then(|field| field.parse::<u64>().ok());
        let (Some(parent), Some(own), Some(system)) = (field(4), field(14), field(15)) else { continue };
        let ended = field(16).unwrap_or(0) + field(17).unwrap_or(0);
        processes.insert(pid, (u32::try_from(parent)?, (own + system + ended) as f64 / ticks));
    }
    Ok(processes)
}

/// Returns the most memory the process ever had, in bytes.
fn peak(pid: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1_024.0)
}
