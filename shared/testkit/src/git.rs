//! A git server over https in this process, which notes what it is asked and can be told to misbehave.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

pub struct GitServer {
    address: SocketAddr,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

struct State {
    /// The repositories are below it.
    folder: PathBuf,
    tls: Option<Arc<rustls::ServerConfig>>,
    manner: Mutex<Manner>,
    connections: Mutex<usize>,
    asked: Mutex<Vec<Asked>>,
    ends: AtomicBool,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub host: String,
    /// What was shown, as `user:password`.
    pub shown: Option<String>,
}

/// What becomes of requests.
#[derive(Debug, Clone, Default)]
pub struct Manner {
    /// What has to be shown, as `user:password`, or anything where it is empty.
    pub wants: Option<String>,
    /// Where whoever may ask is sent to.
    pub redirect: Option<String>,
    /// Takes what is asked, and says nothing until whoever asks goes away.
    pub silent: bool,
}

impl GitServer {
    /// Serves the repositories below `folder` at `address`, with the certificate that stands in `certificate`; without one,
    /// in the clear.
    ///
    /// # Panics
    ///
    /// Where it cannot listen there, or the certificate is none.
    pub fn start(address: IpAddr, folder: &Path, certificate: Option<&Path>) -> Self {
        Self::start_at(SocketAddr::new(address, 0), folder, certificate)
    }

    /// As [`start`](Self::start), at a port.
    ///
    /// # Panics
    ///
    /// As there.
    pub fn start_at(address: SocketAddr, folder: &Path, certificate: Option<&Path>) -> Self {
        let listener = TcpListener::bind(address).expect("the address is one of this machine");
        let address = listener.local_addr().expect("it listens");
        let state = Arc::new(State {
            folder: folder.to_owned(),
            tls: certificate.map(tls),
            manner: Mutex::default(),
            connections: Mutex::default(),
            asked: Mutex::default(),
            ends: AtomicBool::default(),
        });
        let serving = state.clone();
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.ends.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                *lock(&serving.connections) += 1;
                // Whoever goes away in the middle is part of the tests.
                let _ = serving.serve(stream);
            }
        });
        Self { address, state, thread: Some(thread) }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn behave(&self, manner: Manner) {
        *lock(&self.state.manner) = manner;
    }

    /// Returns how often somebody connected.
    pub fn connections(&self) -> usize {
        *lock(&self.state.connections)
    }

    /// Returns what was asked since this was last called.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *lock(&self.state.asked))
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        self.state.ends.store(true, Ordering::SeqCst);
        // It waits for somebody, so somebody comes.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tls(folder: &Path) -> Arc<rustls::ServerConfig> {
    let chain = CertificateDer::pem_file_iter(folder.join("cert.pem")).expect("there is a certificate");
    let chain: Vec<_> = chain.collect::<Result<_, _>>().expect("it is one");
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).expect("there is a key");
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has suites for both versions")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("they belong together");
    Arc::new(config)
}

impl State {
    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        // Nobody who says nothing keeps the others.
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        match &self.tls {
            None => self.answer(stream),
            Some(tls) => {
                let session = rustls::ServerConnection::new(tls.clone()).map_err(io::Error::other)?;
                let mut stream = rustls::StreamOwned::new(session, stream);
                self.answer(&mut stream)?;
                stream.conn.send_close_notify();
                stream.flush()
            }
        }
    }

    fn answer(&self, mut stream: impl Read + Write) -> io::Result<()> {
        let (head, body) = receive(&mut stream)?;
        let mut lines = head.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let header = |name: &str| {
            let mut pairs = head.split("\r\n").filter_map(|line| line.split_once(':'));
            pairs
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.trim().to_owned())
        };
        let shown = header("authorization").map(|value| match value.strip_prefix("Basic ") {
            Some(encoded) => String::from_utf8_lossy(&base64(encoded)).into_owned(),
            None => value,
        });
        let asked = Asked { method, path, host: header("host").unwrap_or_default(), shown };
        lock(&self.asked).push(asked.clone());
        let manner = lock(&self.manner).clone();
        if manner.silent {
            return stream.read(&mut [0]).map(drop);
        }
        if manner.wants.as_ref().is_some_and(|wanted| match &asked.shown {
            Some(shown) => !wanted.is_empty() && wanted != shown,
            None => true,
        }) {
            return reply(&mut stream, "401 Unauthorized", &["WWW-Authenticate: Basic realm=\"git\""], b"");
        }
        if let Some(place) = manner.redirect {
            return reply(&mut stream, "302 Found", &[&format!("Location: {place}{}", asked.path)], b"");
        }
        match self.git(&asked, &body, header("git-protocol").as_deref())? {
            Some((kind, answer)) => {
                reply(&mut stream, "200 OK", &[&format!("Content-Type: application/x-{kind}")], &answer)
            }
            None => reply(&mut stream, "404 Not Found", &[], b""),
        }
    }

    /// Has git answer; `None` where there is no such repository.
    fn git(
        &self,
        asked: &Asked,
        body: &[u8],
        protocol: Option<&str>,
    ) -> io::Result<Option<(&'static str, Vec<u8>)>> {
        let (path, listing) = match asked.path.strip_suffix("/info/refs?service=git-upload-pack") {
            Some(path) => (path, true),
            None => (asked.path.strip_suffix("/git-upload-pack").unwrap_or_default(), false),
        };
        let folder = self.folder.join(path.trim_start_matches('/'));
        if path.is_empty() || !folder.is_dir() {
            return Ok(None);
        }
        let mut git = Command::new("git");
        git.args(["upload-pack", "--stateless-rpc"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        if listing {
            git.arg("--http-backend-info-refs");
        }
        if let Some(protocol) = protocol {
            git.env("GIT_PROTOCOL", protocol);
        }
        let mut child = git.arg(&folder).spawn()?;
        child.stdin.take().expect("it is piped").write_all(body)?;
        let told = child.wait_with_output()?.stdout;
        if !listing {
            return Ok(Some(("git-upload-pack-result", told)));
        }
        let head = if protocol.is_some_and(|protocol| protocol.contains("version=2")) {
            Vec::new()
        } else {
            b"001e# service=git-upload-pack\n0000".to_vec()
        };
        Ok(Some(("git-upload-pack-advertisement", [head, told].concat())))
    }
}

/// Reads a request with its body.
fn receive(stream: &mut impl Read) -> io::Result<(String, Vec<u8>)> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let lower = head.to_lowercase();
    let mut body = Vec::new();
    if lower.contains("transfer-encoding: chunked") {
        loop {
            let mut line = Vec::new();
            while !line.ends_with(b"\r\n") {
                stream.read_exact(&mut byte)?;
                line.push(byte[0]);
            }
            let digits = String::from_utf8_lossy(&line);
            let length = usize::from_str_radix(digits.trim(), 16).map_err(io::Error::other)?;
            let mut chunk = vec![0; length + 2];
            stream.read_exact(&mut chunk)?;
            body.extend_from_slice(&chunk[..length]);
            if length == 0 {
                break;
            }
        }
    } else if let Some((_, rest)) = lower.split_once("content-length:") {
        let length = rest.lines().next().unwrap_or_default().trim().parse().map_err(io::Error::other)?;
        body.resize(length, 0);
        stream.read_exact(&mut body)?;
    }
    Ok((head, body))
}

fn reply(stream: &mut impl Write, status: &str, headers: &[&str], body: &[u8]) -> io::Result<()> {
    write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n", body.len())?;
    for header in headers {
        write!(stream, "{header}\r\n")?;
    }
    stream.write_all(b"\r\n")?;
    stream.write_all(body)?;
    stream.flush()
}

fn base64(text: &str) -> Vec<u8> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes().filter_map(|byte| LETTERS.iter().position(|letter| *letter == byte)) {
        bits = (bits << 6) | letter as u32;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    bytes
}
