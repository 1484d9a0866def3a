//! What a key is. The keys themselves stand in `keys`, in one table; the check of a file, the warnings, the JSON
//! Schema and the reference text are all read off that table, so none of them can forget a key.

/// One key of the configuration file.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) status: Status,
    /// One line for people.
    pub(crate) about: &'static str,
}

/// What a key's value looks like.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// A mapping with these keys.
    Section(&'static [Key]),
    /// A list of mappings with these keys.
    Sections(&'static [Key]),
    /// A mapping whose keys are the user's own.
    Map,
    /// Anything: gitfleet looks at nothing below.
    Any,
    Text,
    Path,
    Secret,
    /// A whole number between the two, both included.
    Integer(u64, u64),
    Number,
    Switch,
    /// An IANA time zone.
    Zone,
    Choice(&'static [&'static str]),
    Texts,
    /// A list of some of these words, or the words with commas between them.
    Choices(&'static [&'static str]),
}

/// What gitfleet makes of a key today.
#[derive(Clone, Copy)]
pub(crate) enum Status {
    /// It changes what gitfleet does.
    Acted(Reach),
    /// Another name of the acted key at this path, or, with a dot in front, of the sibling so called.
    Alias(&'static str),
    /// Accepted with a warning, to be acted on in a later version.
    NotYet,
    /// Accepted with a warning that says why nothing will come of it.
    OnPurpose(&'static str),
    /// A section whose keys speak for themselves.
    Mixed,
    /// As the section it stands in.
    Inherited,
}

/// By which other ways an acted key can be set, and what holds when nobody sets it.
#[derive(Clone, Copy)]
pub(crate) struct Reach {
    pub(crate) flag: Option<&'static str>,
    pub(crate) variable: Option<&'static str>,
    pub(crate) default: &'static str,
}

impl Key {
    pub(super) const fn acted(name: &'static str, kind: Kind, reach: Reach, about: &'static str) -> Self {
        Self { name, kind, status: Status::Acted(reach), about }
    }

    pub(super) const fn alias(name: &'static str, kind: Kind, of: &'static str) -> Self {
        Self { name, kind, status: Status::Alias(of), about: "Another name" }
    }

    pub(super) const fn not_yet(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, kind, status: Status::NotYet, about }
    }

    pub(super) const fn never(
        name: &'static str,
        kind: Kind,
        why: &'static str,
        about: &'static str,
    ) -> Self {
        Self { name, kind, status: Status::OnPurpose(why), about }
    }

    pub(super) const fn mixed(name: &'static str, keys: &'static [Self], about: &'static str) -> Self {
        Self { name, kind: Kind::Section(keys), status: Status::Mixed, about }
    }

    /// A key of a section that is not acted on as a whole.
    pub(super) const fn inner(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, kind, status: Status::Inherited, about }
    }

    /// Returns the keys below, if they are ours to name.
    pub(crate) fn below(&self) -> &'static [Self] {
        match self.kind {
            Kind::Section(keys) | Kind::Sections(keys) => keys,
            _ => &[],
        }
    }
}

impl Reach {
    pub(super) const FILE: Self = Self { flag: None, variable: None, default: "" };

    pub(super) const fn default(default: &'static str) -> Self {
        Self { default, ..Self::FILE }
    }

    pub(super) const fn variable(self, variable: &'static str) -> Self {
        Self { variable: Some(variable), ..self }
    }

    pub(super) const fn flag(self, flag: &'static str) -> Self {
        Self { flag: Some(flag), ..self }
    }
}

/// A key at its path, with what gitfleet makes of it once aliases and sections are followed.
#[derive(Clone)]
pub(crate) struct Placed {
    /// Dotted, `[]` standing for "each of the list": `repositories[].path`.
    pub(crate) path: String,
    pub(crate) key: &'static Key,
    /// Its own or, where that is `Inherited`, the one of the section that is not.
    pub(crate) status: Status,
}

/// Lists every key below `keys`, sections before what they hold.
pub(crate) fn every(keys: &'static [Key]) -> Vec<Placed> {
    let mut all = Vec::new();
    gather("", keys, Status::Inherited, &mut all);
    all
}

fn gather(above: &str, keys: &'static [Key], decided: Status, all: &mut Vec<Placed>) {
    for key in keys {
        let path = join(above, key.name);
        let status = if matches!(key.status, Status::Inherited) { decided } else { key.status };
        all.push(Placed { path: path.clone(), key, status });
        let below = if matches!(key.kind, Kind::Sections(_)) { format!("{path}[]") } else { path };
        gather(&below, key.below(), status, all);
    }
}

/// Puts a name behind the path of its section.
pub(crate) fn join(above: &str, name: &str) -> String {
    if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") }
}
