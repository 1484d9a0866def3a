//! `gitfleet completion` and `gitfleet man`: both are made of the command line itself.

use anyhow::Context as _;
use clap::CommandFactory as _;

use crate::args::{Args, Completion, Man};
use crate::exit::Exit;
use crate::render::data;

pub(super) fn run(args: &Completion) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "gitfleet", &mut script);
    data::print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

pub(super) fn man(args: &Man) -> anyhow::Result<Exit> {
    if let Some(directory) = &args.directory {
        std::fs::create_dir_all(directory)
            .with_context(|| format!("cannot create {}", directory.display()))?;
        clap_mangen::generate_to(Args::command(), directory)
            .with_context(|| format!("cannot write into {}", directory.display()))?;
        return Ok(Exit::Done);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(Args::command()).render(&mut page)?;
    data::print(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Done)
}
