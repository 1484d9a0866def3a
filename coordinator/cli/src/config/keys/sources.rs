//! `sources`: where repositories may come from; `credentials`: what is shown there.

use super::{Key, Kind, Reach};

pub(super) const SOURCES: Key = Key::mixed(
    "sources",
    SOURCE_KEYS,
    "Which sources may be asked; coordinators and workers each hold their own",
);

const SOURCE_KEYS: &[Key] = &[
    Key::acted(
        "schemes",
        Kind::Choices(&["https", "ssh", "file"]),
        Reach::default("https and ssh; analyze and facts take file, too").variable("GITFLEET_SOURCE_SCHEMES"),
        "How sources may be reached; file is paths, too, on the disks of workers",
    ),
    Key::acted(
        "hosts",
        Kind::Texts,
        Reach::default("every host").variable("GITFLEET_SOURCE_HOSTS"),
        "Hosts that may be asked, as git.example, *.example (all below it) or git.example:8443; without a port the usual \
         one of the scheme",
    ),
    Key::acted(
        "private_addresses",
        Kind::Texts,
        Reach::default("none").variable("GITFLEET_SOURCE_PRIVATE_ADDRESSES"),
        "Addresses and networks, as 10.0.0.0/8, that may be asked although they are not public; it counts where a name \
         leads when it is connected to",
    ),
    Key::acted(
        "proxy",
        Kind::Secret,
        Reach::default("none").variable("GITFLEET_SOURCE_PROXY"),
        "Proxy for https sources, as http://user:password@host:port; it resolves names, so which addresses they lead to \
         is its matter. Variables such as HTTPS_PROXY have no say",
    ),
];

pub(super) const CREDENTIALS: Key = Key::acted(
    "credentials",
    Kind::Sections(CREDENTIAL_KEYS),
    Reach::default("none"),
    "What is shown to https hosts for repositories that name it; workers have the secrets, coordinators who may name them",
);

const CREDENTIAL_KEYS: &[Key] = &[
    Key::acted("name", Kind::Text, Reach::FILE, "What repositories call it"),
    Key::acted(
        "host",
        Kind::Text,
        Reach::FILE,
        "The one host it is shown to, as git.example, git.example:8443 or git.example/group for what is below a path",
    ),
    Key::acted("user", Kind::Text, Reach::default("x-access-token"), "The name that is shown with it"),
    Key::acted(
        "token",
        Kind::Secret,
        Reach::FILE,
        "The secret; best written as ${VARIABLE}, or put into a file",
    ),
    Key::acted(
        "token_file",
        Kind::Path,
        Reach::FILE,
        "File with the secret, relative to this file; read again when it changes",
    ),
    Key::acted(
        "teams",
        Kind::Texts,
        Reach::default("none"),
        "Teams whose batches may name it; who may see everything may in any case",
    ),
    Key::acted("projects", Kind::Texts, Reach::default("none"), "Project keys whose own callers may name it"),
];
