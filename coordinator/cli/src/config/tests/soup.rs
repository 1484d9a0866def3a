//! Whatever a file holds, loading it ends, and ends in words.

use super::Around;

/// Small steps of a fixed generator, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}

const CRUMBS: &[&str] = &[
    "repositories",
    "github",
    "analysis",
    "weeks",
    "path",
    "name",
    "url",
    "formats",
    "output",
    "token",
    "jira",
    ":",
    ": ",
    ":\n",
    "\n",
    "\n  ",
    "\n- ",
    "  - ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "'",
    "\"",
    "&a ",
    "*a",
    "<<: ",
    "|",
    ">",
    "!x ",
    "!!str ",
    "#",
    "# ",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "\t",
    "\r\n",
    "\u{feff}",
    "\u{0}",
    "ä",
    "${",
    "}",
    "${A:-",
    "$$",
    "$HOME",
    "~",
    "null",
    "1",
    "-1",
    "1e9",
    "?",
    "? ",
    "@",
    "`",
    "\\",
    "https://h/x",
    "git@h:x",
    "=",
    "\u{2028}",
];

#[test]
fn soup_never_panics() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let around = Around::new(b"").set(&[("HOME", "/home/ann")]);
    for _ in 0..4_000 {
        let mut soup = Vec::new();
        for _ in 0..dice.roll(24) {
            soup.extend_from_slice(CRUMBS[dice.roll(CRUMBS.len())].as_bytes());
        }
        // Now and then a byte that belongs nowhere.
        if !soup.is_empty() && dice.roll(8) == 0 {
            let at = dice.roll(soup.len());
            soup[at] = dice.roll(256) as u8;
        }
        around.write("gitfleet.yaml", &soup);
        around.write(".env", &soup);
        if let Err(error) = around.load() {
            let said = error.to_string();
            assert!(!error.problems.is_empty() && said.starts_with("gitfleet.yaml"), "{said}");
        }
    }
}

#[test]
fn a_sound_file_with_any_byte_changed_never_panics() {
    let sound = include_str!("original.yaml");
    let mut dice = Dice(42);
    let around = Around::new(b"").set(&[("GITHUB_TOKEN", "t"), ("GITHUB_OWNER", "o"), ("HOME", "/home/ann")]);
    for _ in 0..1_000 {
        let mut bytes = sound.as_bytes().to_vec();
        for _ in 0..=dice.roll(3) {
            let at = dice.roll(bytes.len());
            bytes[at] = dice.roll(256) as u8;
        }
        around.write("gitfleet.yaml", &bytes);
        let _ = around.load();
    }
}
