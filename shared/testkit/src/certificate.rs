//! A certificate for servers on this machine, made on the spot.

use std::path::Path;
use std::process::Command;

use crate::program;

/// Makes `cert.pem` and `key.pem` in `folder`, good for a day.
///
/// # Panics
///
/// Where there is no openssl.
pub fn make(folder: &Path) {
    let openssl = program::find(&["openssl"], &[], "openssl");
    let made = Command::new(openssl)
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
        .args(["-days", "1", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        // Trusted by itself, and still no authority: clients take none for a server.
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder)
        .output()
        .expect("openssl runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}
