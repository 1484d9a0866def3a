//! What is wrong is said with its place, its key, and what to do: all of it, at once.

use super::{Around, sound, wrong};

fn check(yaml: &str, expect: &str) {
    assert_eq!(wrong(yaml), expect, "{yaml}");
}

#[test]
fn unknown_keys_lead_to_the_nearest_known() {
    check("weeks: 4", "gitfleet.yaml:1:1: unknown key: weeks\n  did you mean analysis.weeks?");
    check(
        "analysis:\n  weks: 4\n",
        "gitfleet.yaml:2:3: unknown key: analysis.weks\n  did you mean analysis.weeks?",
    );
    check("loging: {level: x}", "gitfleet.yaml:1:1: unknown key: loging\n  did you mean logging?");
    check(
        "repositories:\n- path: x\n- path: y\n  brnach: b\n",
        "gitfleet.yaml:4:3: unknown key: repositories[1].brnach\n  did you mean repositories[].branch?",
    );
    check(
        "jira: {acces_user: x}",
        "gitfleet.yaml:1:8: unknown key: jira.acces_user\n  did you mean jira.access_user?",
    );
    check(
        "output: {retention_days: 4}",
        "gitfleet.yaml:1:10: unknown key: output.retention_days\n  did you mean reports.retention_days?",
    );
    check(
        "no_such_thing_at_all: 4",
        "gitfleet.yaml:1:1: unknown key: no_such_thing_at_all\n  `gitfleet config schema` lists every key",
    );
}

#[test]
fn wrong_values_say_what_is_expected() {
    for (yaml, expect) in [
        ("version: 2", "1:10: wrong value: version: `2` is not one of 1.0, 1"),
        (
            "analysis: {weeks: 0}",
            "1:19: wrong value: analysis.weeks: `0` is not a whole number from 1 to 10000",
        ),
        (
            "analysis: {weeks: [1]}",
            "1:19: wrong value: analysis.weeks: this is a list, and not a whole number from 1 to 10000",
        ),
        (
            "analysis: {jobs: many}",
            "1:18: wrong value: analysis.jobs: `many` is not a whole number from 1 to 4096",
        ),
        (
            "analysis: {batch_size: 100001}",
            "1:24: wrong value: analysis.batch_size: `100001` is not a whole number from 1 to 100000",
        ),
        (
            "analysis: {all_branches: maybe}",
            "1:26: wrong value: analysis.all_branches: `maybe` is not true or false",
        ),
        (
            "analysis: {time_zone: europe/berlin}",
            "1:23: wrong value: analysis.time_zone: `europe/berlin` is not a time zone of the IANA list, as \
             Europe/Berlin\n  did you mean Europe/Berlin?",
        ),
        (
            "output:\n  formats:\n  - csv\n  - pdf\n",
            "4:5: wrong value: output.formats: `pdf` is not some of csv, json, markdown, html, md, parquet",
        ),
        (
            "repositories: {path: x}",
            "1:15: wrong value: repositories: this is a mapping, and not a list of mappings\n  begin each member of \
             the list with `- `",
        ),
        (
            "repositories: [x]",
            "1:16: wrong value: repositories[0]: this is a single value, and not a mapping of keys to values\n  write \
             `key: value` lines, indented",
        ),
        (
            "github: {api_url: ghe.example}",
            "1:19: wrong value: github.api_url: the address does not begin with https://\n  write the whole address, \
             as https://ghe.example.com/api/v3",
        ),
        (
            "just words",
            "1:1: wrong value: this is a single value, and not a mapping of keys to values\n  write `key: value` lines, indented",
        ),
    ] {
        check(yaml, &format!("gitfleet.yaml:{expect}"));
    }
}

#[test]
fn repositories_have_to_say_where_they_are() {
    for (yaml, expect) in [
        (
            "[{name: x}]",
            "1:16: missing: repositories[0]: it has neither path, nor url, nor github_repo\n  say where the \
             repository is: `path: ../my-repository`",
        ),
        (
            "[{github_repo: x}]",
            "1:30: wrong value: repositories[0].github_repo: `x`: it names no owner, and neither does github.owner",
        ),
        (
            "[{github_repo: 'https://github.com/o/x'}]",
            "1:30: wrong value: repositories[0].github_repo: `https://github.com/o/x`: it is not of the form OWNER/NAME",
        ),
        (
            "[{path: 'https://h/x'}]",
            "1:23: wrong value: repositories[0].path: this is an address, and not a path\n  write it as `url`",
        ),
        (
            "[{url: ../x}]",
            "1:22: wrong value: repositories[0].url: this is a path, and not an address\n  write it as `path`",
        ),
        (
            "[{path: x, url: 'https://h/x'}]",
            "1:31: given twice: repositories[0].url: it has a path, too\n  keep the path of a repository that is here, or \
             the url of one to clone",
        ),
        ("[{path: ~/x}]", "1:23: wrong value: repositories[0].path: `~` is used and HOME is not set"),
        (
            "[{path: '${NONE}'}]",
            "1:23: undefined variable: repositories[0].path: NONE is not set\n  set it in the environment or in .env \
             beside this file, or give a default: ${NONE:-value}",
        ),
        (
            "[{name: t, path: x}, {name: t, path: y}]",
            "1:52: given twice: two repositories are called t, the other at gitfleet.yaml:1:32\n  a name stands for \
             one repository in every report: give one another `name`",
        ),
        (
            "[{path: x}, {path: ./x}]",
            "1:34: given twice: x stands at gitfleet.yaml:1:23 too\n  keep one of the two",
        ),
    ] {
        let error = wrong(format!("repositories: {yaml}"));
        assert!(error.starts_with(&format!("gitfleet.yaml:{expect}")), "{yaml}: {error}");
    }
}

#[test]
fn twins_have_to_agree() {
    check(
        "output: {formats: [csv]}\nreports:\n  formats: [json]\n",
        "gitfleet.yaml:3:12: given twice: reports.formats: output.formats says something else at \
         gitfleet.yaml:1:19\n  they mean the same; keep one of the two",
    );
    check(
        "repositories: [{path: x}]\ngithub: {repositories: [{path: y}]}\n",
        "gitfleet.yaml:2:25: given twice: github.repositories: repositories are listed at gitfleet.yaml:1:16 too\n  \
         put them in one list",
    );
    assert_eq!(sound("output: {formats: csv}\nreports: {formats: [csv]}").warnings, [""; 0]);
}

#[test]
fn all_problems_come_at_once_and_in_order() {
    check(
        "analysis:\n  weeks: x\n  weeks: 3\n  jbos: 2\ngithub:\n  token: ${NOT_SET:?ask ops}\nversion: 3\n",
        "gitfleet.yaml:2:10: wrong value: analysis.weeks: `x` is not a whole number from 1 to 10000\n\
         gitfleet.yaml:3:3: given twice: analysis.weeks: the key stands at gitfleet.yaml:2:3 already\n  keep one of the two\n\
         gitfleet.yaml:4:3: unknown key: analysis.jbos\n  did you mean analysis.jobs?\n\
         gitfleet.yaml:6:10: undefined variable: github.token: NOT_SET is not set: ask ops\n  set it in the \
         environment or in .env beside this file, or give a default: ${NOT_SET:-value}\n\
         gitfleet.yaml:7:10: wrong value: version: `3` is not one of 1.0, 1",
    );
}

#[test]
fn yaml_mistakes_are_explained() {
    for (yaml, expect) in [
        ("analysis:\n\tweeks: 4\n", "2:1: not valid YAML: a tab is used to indent\n  indent with spaces"),
        ("analysis:\n  weeks 4\n  jobs: 2\n", "2:3: not valid YAML: a key without a colon"),
        ("analysis:\n  weeks\n", "2:3: wrong value: analysis: this is a single value"),
        (
            "analysis:\n  time_zone: \"UTC\n  jobs: 2\n",
            "2:14: not valid YAML: a quote is opened and not closed",
        ),
        (
            "output:\n  formats: [csv, json\ncache: {}\n",
            "3:6: not valid YAML: a `:` stands where no key can be\n  close the `[`",
        ),
        (
            "analysis:\n  branch_patterns:\n  - *main\n",
            "3:5: not valid YAML: `*` or `&` begins the name of an anchor",
        ),
        ("analysis:\n  weeks: 4\n   jobs: 2\n", "3:8: not valid YAML: a `:` stands where no key can be"),
        ("output:\n  directory: C: \\x: y\n", "2:15: not valid YAML: a `:` stands where no key can be"),
        ("a: \"\\d+\"", "1:4: not valid YAML: a backslash in double quotes"),
        ("a: @x", "1:4: not valid YAML: a value cannot begin with this character\n  put the value in quotes"),
        ("a: 'b' c\n", "1:8: not valid YAML: there is text after the closing quote"),
        ("a: !mine b", "1:10: not valid YAML: tags have no meaning here"),
        ("version: 1\n---\nversion: 1\n", "2:1: not valid YAML: a second document begins here"),
        ("? [a]\n: b\n", "1:3: not valid YAML: a key has to be a word"),
        ("a: &x [*x]", "1:8: not valid YAML: the alias stands inside the value that it names"),
        ("<<: 1\nversion: 1\n", "1:1: not valid YAML: a merge key takes a mapping"),
    ] {
        let error = wrong(yaml);
        assert!(error.starts_with(&format!("gitfleet.yaml:{expect}")), "{yaml}\n{error}");
    }
}

#[test]
fn nothing_is_no_configuration() {
    for yaml in ["", "\n\n", "# only a comment\n", "---\n", "\u{feff}", "~"] {
        check(
            yaml,
            "gitfleet.yaml: missing: the file is empty\n  begin with `repositories:`; `gitfleet config schema` lists \
             every key",
        );
    }
}

#[test]
fn what_is_no_text_is_refused() {
    let not_utf8 = "this byte is not UTF-8\n  save the file as UTF-8";
    for (bytes, place) in [
        (b"a: 1\nb: \xff".as_slice(), "2:4"),
        (b"\xff\xfea\0:\0", "1:1"),
        ("ä: \u{fc}".as_bytes().split_last().expect("it has bytes").1, "1:4"),
    ] {
        assert_eq!(wrong(bytes), format!("gitfleet.yaml:{place}: unreadable: {not_utf8}"));
    }
    let folder = Around::new(b"");
    std::fs::remove_file(folder.folder.path().join("gitfleet.yaml")).expect("it was written before");
    std::fs::create_dir(folder.folder.path().join("gitfleet.yaml")).expect("the folder is ours");
    let error = folder.load().expect_err("a folder is no file").to_string();
    assert!(error.starts_with("gitfleet.yaml: unreadable: cannot read gitfleet.yaml: "), "{error}");
}

#[test]
fn bombs_do_not_go_off() {
    let mut aliases = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..30 {
        let inner = vec![format!("*a{}", level - 1); 10].join(", ");
        aliases.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
    }
    let mut deep_aliases = String::from("a0: &a0 [x]\n");
    for level in 1..5_000 {
        deep_aliases.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    let long_line = format!("output: {{directory: {}}}", "x".repeat(10 << 20));
    let many_keys: String = (0..60_000).map(|key| format!("k{key}: 1\n")).collect();
    for (yaml, expect) in [
        (aliases, "stand for more than 100000 values"),
        (deep_aliases, "nested more than 64 levels"),
        ("[".repeat(1 << 20), "nested"),
        ("- ".repeat(1 << 20), "nested"),
        ("{a: ".repeat(1 << 20), "nested"),
        (long_line, "it is larger than 4 MiB"),
        (format!("a: {}", "'".repeat(3 << 20)), "unknown key: a"),
        (many_keys, "unknown key: k0"),
    ] {
        let error = wrong(&yaml);
        assert!(error.contains(expect), "{} …\n{:.300}", &yaml[..20], error);
    }
}

#[test]
fn secrets_stay_out_of_complaints() {
    let around = Around::new(
        b"github: {token: {deep: hunter2}, api_url: 'https://ann:hunter2@h'}\nanalysis: {weeks: $SECRET, jobs: '${SECRET}x'}\n\
          repositories: [{url: 'https://ann:hunter2@h/x'}, {github_repo: $SECRET}]\nversion: $SECRET\n",
    )
    .set(&[("SECRET", "hunter2"), ("GITFLEET_GITHUB_TOKEN", "hunter2")]);
    let error = around.load().expect_err("nothing here is right");
    assert_eq!(error.problems.len(), 7, "{error}");
    assert!(!error.to_string().contains("hunter2"), "{error}");
    assert!(!format!("{error:?}").contains("hunter2"));
    assert!(error.to_string().contains("what `$SECRET` stands for is not a whole number"), "{error}");
}
