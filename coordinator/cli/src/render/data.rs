//! Results, on stdout.

use std::io::{self, Write as _};

/// Prints `text` as it is.
///
/// # Errors
///
/// Where stdout cannot be written to.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
