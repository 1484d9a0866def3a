//! Where a value came from. Every merged setting carries one, and so does every problem: "who said so?" is the
//! first question of anybody whose run did not do what the file says.

use std::fmt;
use std::sync::Arc;

use super::node::Place;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A command line flag, as typed: `--weeks`.
    Flag(&'static str),
    /// A variable of the process environment.
    Environment(String),
    /// A variable of the `.env` file beside the configuration file.
    DotEnv {
        file: Arc<str>,
        line: usize,
        name: String,
    },
    /// A line of the configuration file, with the variables that were put into the value.
    File {
        file: Arc<str>,
        place: Place,
        variables: Vec<Used>,
    },
    /// The file as a whole, when no line can be named.
    Whole(Arc<str>),
    Default,
}

/// A variable that was put into a value of the file, and who supplied it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Used {
    pub(crate) name: String,
    pub(crate) supplier: Supplier,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Supplier {
    Environment,
    DotEnv,
    /// The default written in the reference itself: `${NAME:-default}`.
    Fallback,
}

impl Origin {
    pub(crate) fn line(file: &Arc<str>, place: Place) -> Self {
        Self::File { file: Arc::clone(file), place, variables: Vec::new() }
    }

    /// Returns the place to sort problems by; what has no line comes first.
    pub(super) fn place(&self) -> Option<Place> {
        match self {
            Self::File { place, .. } => Some(*place),
            _ => None,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "flag {flag}"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::DotEnv { file, line, name } => write!(f, "{file}:{line} {name}"),
            Self::Whole(file) => f.write_str(file),
            Self::Default => f.write_str("default"),
            Self::File { file, place, variables } => {
                write!(f, "{file}:{place}")?;
                for Used { name, supplier } in variables {
                    match supplier {
                        Supplier::Environment => write!(f, ", {name} from the environment")?,
                        Supplier::DotEnv => write!(f, ", {name} from .env")?,
                        Supplier::Fallback => write!(f, ", default of {name}")?,
                    }
                }
                Ok(())
            }
        }
    }
}
