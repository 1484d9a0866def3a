//! `logging`: what is logged, how, and where; `telemetry`: where traces go.

use super::{Key, Kind, Reach};

pub(super) const LOGGING: Key = Key::mixed(
    "logging",
    &[
        Key::acted(
            "level",
            Kind::Text,
            Reach::default("warn; info for coordinator and worker").variable("GITFLEET_LOG"),
            "What is logged: off, error, warn, info, debug or trace; with commas also of parts, as \
             info,gitfleet_worker=debug. -v and --quiet win",
        ),
        Key::acted(
            "format",
            Kind::Text,
            Reach::default("text").variable("GITFLEET_LOG_FORMAT"),
            "Form of a line: text, or json with time, level, target, message, fields and trace_id",
        ),
        Key::acted(
            "targets",
            Kind::Any,
            Reach::default("none"),
            "Levels of parts: a mapping as {gitfleet_worker: debug}",
        ),
        Key::acted(
            "file",
            Kind::Any,
            Reach::default("none"),
            "A file to log to beside stderr, as {path: gitfleet.log, max_mib: 100, keep: 5}: it is moved aside when it is full, \
             and so many full ones are kept",
        ),
        Key::acted(
            "syslog",
            Kind::Text,
            Reach::default("false"),
            "Whether the system's log is told, too (RFC 5424 at /dev/log), or the socket at which it is",
        ),
        Key::acted(
            "handlers",
            Kind::Any,
            Reach::default("none"),
            "The same in the form of GitFlow Analytics: file (filename, max_size, backup_count), syslog, console",
        ),
    ],
    "Logs",
);

pub(super) const TELEMETRY: Key = Key::mixed(
    "telemetry",
    &[
        Key::acted(
            "otlp_endpoint",
            Kind::Text,
            Reach::default("none").variable("GITFLEET_OTLP_ENDPOINT"),
            "The collector that traces are sent to, by OTLP over http/protobuf, as http://127.0.0.1:4318",
        ),
        Key::acted(
            "sample_ratio",
            Kind::Text,
            Reach::default("1").variable("GITFLEET_TRACE_SAMPLE_RATIO"),
            "Of the traces that begin here, the share that is sent: from 0 to 1",
        ),
    ],
    "Traces",
);
