//! Certificates for servers on this machine, made on the spot.

use std::path::Path;
use std::process::Command;

use crate::program;

/// Makes `cert.pem` and `key.pem` in `folder`, good for a day.
///
/// # Panics
///
/// Where there is no openssl.
pub fn make(folder: &Path) {
    make_for(folder, "DNS:localhost,IP:127.0.0.1");
}

/// As [`make`], for other names: `DNS:git.example,IP:127.0.0.2`.
///
/// # Panics
///
/// Where there is no openssl.
pub fn make_for(folder: &Path, names: &str) {
    let names = format!("subjectAltName={names}");
    let kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let rest = ["-days", "1", "-subj", "/CN=localhost", "-addext", &names];
    // Trusted by itself, and still no authority: clients take none for a server.
    let what = ["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", "key.pem", "-out", "cert.pem"];
    openssl(folder, &[&kind[..], &rest, &what].concat());
}

/// As [`make_for`], good for a day of the past.
///
/// # Panics
///
/// Where there is no openssl.
pub fn make_expired(folder: &Path, names: &str) {
    let settings = format!(
        "[ca]\ndefault_ca = one\n[one]\ndatabase = index\nserial = serial\nnew_certs_dir = .\ndefault_md = sha256\n\
         policy = any\n[any]\ncommonName = supplied\n[names]\nbasicConstraints = critical,CA:FALSE\n\
         subjectAltName = {names}\n"
    );
    for (name, content) in [("settings", settings.as_str()), ("index", ""), ("serial", "01\n")] {
        std::fs::write(folder.join(name), content).expect("the folder is ours");
    }
    let key = ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    openssl(
        folder,
        &[&key[..], &["-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "asked.pem"]].concat(),
    );
    let sign = ["ca", "-batch", "-selfsign", "-notext", "-config", "settings", "-extensions", "names"];
    let days = ["-startdate", "20200101000000Z", "-enddate", "20200102000000Z"];
    let files = ["-keyfile", "key.pem", "-in", "asked.pem", "-out", "cert.pem"];
    openssl(folder, &[&sign[..], &days, &files].concat());
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let openssl = program::find(&["openssl"], &[], "openssl");
    let made = Command::new(openssl).args(arguments).current_dir(folder).output().expect("openssl runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}
