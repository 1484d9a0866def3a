//! What is found on GitHub: through the real binary, from a server that answers as GitHub does.

use serde_json::{Value, json};

use crate::github::{GitHub, repository};
use crate::room::{Ended, Room};

const TOKEN: &str = "ghp_hushhushhushhush";
const OTHER: &str = "ghp_otherotherother";

/// A room with a configuration that asks for an organization.
fn room(github: &GitHub, more: &str) -> Room {
    let room = Room::new();
    configure(&room, github, more);
    room
}

fn configure(room: &Room, github: &GitHub, more: &str) {
    let text = format!(
        "sources: {{private_addresses: [127.0.0.0/8]}}\ngithub:\n  api_url: {}\n  organization: acme\n  token: {TOKEN}\n  tokens: {OTHER}\n{more}",
        github.url()
    );
    room.write("desk/gitfleet.yaml", &text);
}

/// A GitHub with an organization of five repositories, one of them archived and one a fork.
fn acme() -> GitHub {
    let github = GitHub::start();
    let named = |id: i64, name: &str| {
        repository(id, &format!("acme/{name}"), &format!("https://{}/acme/{name}.git", &github.url()[7..]))
    };
    let (mut old, mut fork) = (named(12, "old"), named(14, "fork"));
    old["archived"] = json!(true);
    fork["fork"] = json!(true);
    let all = vec![named(11, "web"), old, named(13, "api"), fork, named(15, "docs")];
    github.has("orgs/acme", all);
    github.token(TOKEN, 1_000, 3_600);
    github.token(OTHER, 500, 3_600);
    github
}

fn run(room: &Room, arguments: &[&str]) -> Ended {
    let ended = room.gitfleet(arguments);
    for token in [TOKEN, OTHER] {
        assert!(!ended.stderr.contains(token) && !ended.text().contains(token), "{}", ended.stderr);
    }
    ended
}

fn found(room: &Room) -> Value {
    serde_json::from_str(run(room, &["discover", "--json"]).expect(0).text()).unwrap()
}

fn names(found: &Value, key: &str) -> Vec<String> {
    let all = found["repositories"].as_array().unwrap().iter();
    all.map(|one| format!("{} {}", one["full_name"].as_str().unwrap(), one[key].as_str().unwrap_or("-")))
        .collect()
}

#[test]
fn each_repository_is_named_with_what_becomes_of_it() {
    let github = acme();
    let room = room(&github, "  include: ['*']\n  exclude: [DOC*]\n");
    let expected =
        ["acme/api -", "acme/docs excluded by DOC*", "acme/fork a fork", "acme/old archived", "acme/web -"];
    assert_eq!(names(&found(&room), "passed_over"), expected);
    let asked = github.asked();
    assert_eq!(asked.len(), 3, "five repositories on pages of two");
    assert!(asked.iter().all(|one| one.status == 200 && one.token.as_deref() == Some(TOKEN)));
    for (name, value) in [("accept", "application/vnd.github+json"), ("x-github-api-version", "2022-11-28")] {
        assert_eq!(asked[0].headers[name], value);
    }
    assert!(asked[0].headers["user-agent"].starts_with("gitfleet/"));
    assert!(asked[0].path.starts_with("/orgs/acme/repos?"), "{}", asked[0].path);

    // Nothing has changed, so nothing is answered, and nothing of the budget used.
    let remaining = github.state().tokens[TOKEN].remaining;
    let shown = run(&room, &["discover"]).expect(0);
    assert!(shown.text().contains("2 of 5 repositories would be analysed"), "{}", shown.text());
    assert!(shown.text().contains("archived"), "{}", shown.text());
    assert_eq!(github.asked().iter().map(|one| one.status).collect::<Vec<_>>(), [304, 304, 304]);
    assert_eq!(github.state().tokens[TOKEN].remaining, remaining);

    configure(&room, &github, "  archived: true\n  forks: true\n  include: [acme/*o*]\n");
    assert_eq!(
        names(&found(&room), "passed_over"),
        ["acme/api not included", "acme/docs -", "acme/fork -", "acme/old -", "acme/web not included"]
    );
    // No token is kept anywhere.
    for path in room.everything().iter().filter(|path| !path.ends_with("gitfleet.yaml")) {
        let bytes = std::fs::read(room.path("").join(path)).unwrap();
        let held = |token: &str| bytes.windows(token.len()).any(|window| window == token.as_bytes());
        assert!(!held(TOKEN) && !held(OTHER), "{}", path.display());
    }
}

#[test]
fn where_a_token_is_used_up_another_begins_anew() {
    let github = acme();
    let room = room(&github, "");
    github.token(TOKEN, 501, 3_600);
    github.token(OTHER, 500, 3_600);
    // Two pages, and it may ask no more.
    github.state().tokens.get_mut(TOKEN).unwrap().remaining = 2;
    github.state().tokens.get_mut(OTHER).unwrap().remaining = 1_000;
    assert_eq!(found(&room)["repositories"].as_array().unwrap().len(), 5);
    // Nobody knows yet what the tokens may ask, so the first goes first; a listing is of one token alone.
    let asked = github.asked();
    let by: Vec<&str> = asked.iter().map(|one| one.token.as_deref().unwrap()).collect();
    assert_eq!(by, [TOKEN, TOKEN, OTHER, OTHER, OTHER]);
    assert!(asked.iter().all(|one| one.status == 200), "nobody asks who may not");

    // With both used up it is not asked at all, and said until when.
    for token in [TOKEN, OTHER] {
        github.token(token, 0, 3_600);
    }
    let mut web = github.state().accounts["orgs/acme"].clone();
    web.truncate(1);
    github.has("orgs/acme", web);
    run(&room, &["discover"]).expect(10).says(&["may not be asked before", "github.tokens"]);
    let refused = github.asked();
    assert!(refused.len() <= 2, "{}", refused.len());
    run(&room, &["discover"]).expect(10);
    assert!(github.asked().is_empty(), "the limit is known to whoever comes next");
}

#[test]
fn a_short_limit_is_waited_for() {
    let github = acme();
    let room = room(&github, "");
    github.state().tokens.remove(OTHER);
    github.token(TOKEN, 1, 2);
    let ended = run(&room, &["discover"]).expect(0).says(&["GitHub wants to be asked no more before"]);
    assert!(ended.text().contains("3 of 5"), "{}", ended.text());
    // The first page is not answered again.
    assert!(github.asked().iter().any(|one| one.status == 304));

    // The secondary limit: nothing at all is asked in the meantime.
    github.answers(2, 403, &[("Retry-After", "2")], "You have exceeded a secondary rate limit.");
    run(&room, &["discover"]).expect(0).says(&["asked no more before"]);
    assert!(github.asked().iter().any(|one| one.status == 403));
    github.answers(1, 429, &[("Retry-After", "3600")], "slow down");
    run(&room, &["discover"]).expect(10).says(&["may not be asked before"]);
    github.asked();
    run(&room, &["discover"]).expect(10);
    assert!(github.asked().iter().all(|one| one.token.as_deref() != Some(TOKEN)));
    assert_eq!(github.state().too_early, 0);
}

#[test]
fn a_part_of_a_listing_is_an_error_and_changes_nothing() {
    let github = acme();
    let room = room(&github, "");
    found(&room);
    let all = github.state().accounts["orgs/acme"].clone();
    // One is gone, and the second page cannot be had.
    github.has("orgs/acme", all[..3].to_vec());
    for _ in 0..4 {
        github.answers(2, 502, &[], "Bad Gateway");
    }
    run(&room, &["discover"]).expect(69).says(&[
        "is not whole",
        "page 2 was answered 502",
        "nothing was changed",
    ]);
    github.answers(1, 500, &[], "oops");
    github.answers(2, 503, &[], "oops");
    let after = run(&room, &["discover", "--json", "--dry-run"]).expect(0);
    let after: Value = serde_json::from_str(after.text()).unwrap();
    assert_eq!(after["vanished"], json!(["acme/docs", "acme/fork"]), "what passes is tried again");
    github.answers(1, 200, &[], "no list at all");
    run(&room, &["discover"]).expect(69).says(&["not as GitHub describes it"]);
    // What vanished is said, and comes back as what it was.
    assert_eq!(found(&room)["vanished"], json!(["acme/docs", "acme/fork"]));
    let shown = run(&room, &["discover"]).expect(0);
    assert!(shown.text().contains("acme/docs is not listed any more"), "{}", shown.text());
    github.has("orgs/acme", all);
    assert_eq!(found(&room)["vanished"], json!([]));
}

#[test]
fn refusals_are_told_apart() {
    let github = acme();
    let room = room(&github, "");
    github.state().tokens.remove(TOKEN);
    found(&room);
    github.state().tokens.remove(OTHER);
    github.token("another", 1, 3_600);
    run(&room, &["discover"]).expect(4).says(&["takes no token"]);
    github.state().tokens.clear();
    github.state().accounts.clear();
    run(&room, &["discover"]).expect(3).says(&["no account orgs/acme", "github.organization"]);
    for _ in 0..2 {
        github.answers(1, 403, &[], "Resource protected by organization SAML enforcement.");
    }
    run(&room, &["discover"]).expect(5).says(&["SAML"]);
    room.write("desk/gitfleet.yaml", "version: 1\n");
    run(&room, &["discover"]).expect(2).says(&["github.organization or github.user"]);
    room.write("desk/gitfleet.yaml", "github: {organization: ../users/ann}\n");
    run(&room, &["discover"]).expect(78).says(&["no name of an account"]);
}

#[test]
fn a_renamed_organization_is_followed_and_no_token_goes_elsewhere() {
    let (github, elsewhere) = (acme(), GitHub::start());
    let room = room(&github, "");
    let all = github.state().accounts.remove("orgs/acme").unwrap();
    github.has("organizations/7", all.clone());
    let to = format!("{}/organizations/7/repos", github.url());
    github.state().moved.insert("orgs/acme".to_owned(), to);
    assert_eq!(found(&room)["repositories"].as_array().unwrap().len(), 5);
    elsewhere.has("organizations/7", all);
    let to = format!("{}/organizations/7/repos", elsewhere.url());
    github.state().moved.insert("orgs/acme".to_owned(), to);
    run(&room, &["discover"]).expect(78).says(&["to another address"]);
    // Round and round is no way either.
    let to = format!("{}/orgs/acme/repos", github.url());
    github.state().moved.insert("orgs/acme".to_owned(), to);
    run(&room, &["discover"]).expect(69).says(&["sent on and on"]);
    assert!(elsewhere.asked().is_empty());
}

#[test]
fn what_is_listed_is_analysed_and_a_new_name_costs_nothing() {
    let github = GitHub::start();
    let room = room(&github, "  user: ann\nrepositories:\n  - path: ../repositories/own\n");
    let listed = |id: i64, name: &str, folder: &str| {
        repository(id, name, &format!("file://{}", room.text(&format!("repositories/{folder}"))))
    };
    for (folder, lines) in [("web", 3), ("api", 4), ("own", 5), ("ann", 6)] {
        room.repository(&format!("repositories/{folder}")).commit("a", lines, "2026-01-05T12:00:00Z");
    }
    let mut old = listed(12, "acme/old", "nowhere");
    old["archived"] = json!(true);
    github.has("orgs/acme", vec![listed(11, "acme/web", "web"), old, listed(13, "acme/api", "api")]);
    github.has("users/ann", vec![listed(21, "ann/web", "ann")]);
    let report = room.report(&[]);
    let of = |report: &Value| {
        let all = report["repositories"].as_array().unwrap();
        let mut names: Vec<String> = all.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(of(&report), ["acme/web", "ann/web", "api", "own"]);
    run(&room, &["analyze", "--validate-only"]).expect(0);
    let valid = run(&room, &["analyze", "--validate-only"]).expect(0);
    assert!(valid.text().contains("1 repository and those of orgs/acme and users/ann"), "{}", valid.text());
    github.asked();
    // Sources on the command line take the place of all of it.
    let own = room.text("repositories/own");
    assert_eq!(of(&room.report(&[&own])), ["own"]);
    assert!(github.asked().is_empty());

    // Renamed, with another address: its facts are still known.
    std::fs::rename(room.path("repositories/api"), room.path("repositories/service")).unwrap();
    github.has("orgs/acme", vec![listed(11, "acme/web", "web"), listed(13, "acme/service", "service")]);
    let planned =
        room.analyze(&["--dry-run", "--json"]).expect(0).says(&["acme/service was called acme/api"]);
    let planned: Value = serde_json::from_str(planned.text()).unwrap();
    assert_eq!(planned["commits_to_analyse"], 0, "{planned}");
    assert_eq!(of(&room.report(&[])), ["acme/web", "ann/web", "own", "service"]);
}
