//! The one binary. Parses, wires, hands over, and maps what came of it to an exit code.

mod args;
mod client;
mod commands;
mod config;
mod errors;
mod exit;
mod exposition;
mod render;
mod telemetry;
mod wiring;

use std::process::ExitCode;

use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    #[cfg(feature = "faults")]
    arm();
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => return exit::usage(&error),
    };
    // One provider for every TLS connection of the process. It can only be set once, here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let role = args.command.role();
    render::log::remember(render::log::Flags { verbose: args.verbose, quiet: args.quiet, role });
    let exit = exit::code(commands::run(args));
    render::log::end();
    exit
}

/// Lets the tests that started this process say what goes wrong in it.
#[cfg(feature = "faults")]
#[expect(clippy::disallowed_methods, reason = "only the fault tests have this, and it is no configuration")]
fn arm() {
    let told = |name| std::env::var(name).ok();
    let (crash_at, sabotage) = (told("GITFLEET_CRASH_AT"), told("GITFLEET_SABOTAGE"));
    gitfleet_shared::faults::arm(crash_at.as_deref(), sabotage.as_deref());
}
