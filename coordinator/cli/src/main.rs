//! The one binary. Parses, wires, hands over, and maps what came of it to an exit code.

mod args;
mod commands;
mod config;
mod exit;
mod render;
mod wiring;

use std::process::ExitCode;

use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => return exit::usage(&error),
    };
    // One provider for every TLS connection of the process. It can only be set once, here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    render::log::init(args.verbose, args.quiet);
    exit::code(commands::run(args))
}
