//! `gitfleet token`.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use gitfleet_coordinator::access::Role;
use gitfleet_coordinator::api::{Acted, NewToken, TokenRequest, TokenView};

use super::ask::{answer, client, segment};
use crate::args::{Token, TokenCommand};
use crate::exit::Exit;
use crate::render::table::table;
use crate::render::{data, talk};

pub(super) fn run(args: Token) -> anyhow::Result<Exit> {
    match args.command {
        TokenCommand::Create { name, role, team, project, expires_in_days, to_file, ask } => {
            let request = TokenRequest {
                name,
                role: Role::named(&role).expect("the command line takes no other"),
                teams: team,
                projects: project,
                expires_in_days: Some(expires_in_days),
            };
            // Whoever cannot keep it must not have it made.
            let file = to_file.as_deref().map(create).transpose()?;
            let new: NewToken = client(&ask)?.post_body("/tokens", serde_json::to_string(&request)?)?;
            match file {
                Some(mut file) => {
                    writeln!(file, "{}", new.token).context("the token could not be written: revoke it")?;
                    answer(&ask, &new.view, |view| {
                        talk::harmless(&format!("token {} is in the file\n", view.id))
                    })
                }
                None if ask.json => answer(&ask, &new, |_| String::new()),
                None => {
                    data::print(&format!("{}\n", new.token))?;
                    let until = new.view.expires_at.as_deref().unwrap_or("it is revoked");
                    talk::line(&format!("token {} opens until {until}; it is not shown again", new.view.id));
                    Ok(Exit::Done)
                }
            }
        }
        TokenCommand::Ls { all, ask } => {
            let mut tokens: Vec<TokenView> = client(&ask)?.get("/tokens", &[])?;
            tokens.retain(|token| all || token.state == "valid");
            answer(&ask, &tokens, |tokens| {
                let row = |token: &TokenView| {
                    let parts: Vec<&str> =
                        token.teams.iter().chain(&token.projects).map(String::as_str).collect();
                    let scope = if parts.is_empty() { "everything".to_owned() } else { parts.join(" ") };
                    let until =
                        token.expires_at.as_deref().map_or("-", |until| until.get(..10).unwrap_or(until));
                    [
                        token.id.clone(),
                        token.name.clone(),
                        token.role.to_string(),
                        scope,
                        token.state.clone(),
                        until.to_owned(),
                    ]
                };
                let rows: Vec<_> = tokens.iter().map(row).collect();
                table(["ID", "NAME", "ROLE", "SEES", "STATE", "UNTIL"], &rows)
            })
        }
        TokenCommand::Revoke { id, ask } => {
            let acted: Acted = client(&ask)?.post(&format!("/tokens/{}/revoke", segment(&id)))?;
            answer(&ask, &acted, |acted| {
                let words = if acted.changed { "opens nothing any more" } else { "was revoked already" };
                talk::harmless(&format!("token {id} {words}\n"))
            })
        }
    }
}

/// Creates a file for its owner alone; one that is there is not touched.
fn create(file: &Path) -> anyhow::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).with_context(|| format!("cannot create {}", file.display()))
}
