//! What a broker says of itself before anybody logs in: product, version, cluster.
//!
//! The client library keeps this to itself, so the first frame of the protocol is read here.

use std::collections::BTreeMap;
use std::io;

use futures_util::io::{AsyncReadExt, AsyncWriteExt};
use lapin::tcp::{AMQPUriTcpExt, OwnedTLSConfig};
use lapin::uri::AMQPUri;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Greeting {
    /// What it calls itself, such as `RabbitMQ`.
    pub product: String,
    pub version: String,
    /// All it says in words and flags, by name; what is nested has names such as `capabilities.basic.nack`.
    pub properties: BTreeMap<String, String>,
}

/// No greeting is longer.
const MOST_BYTES: usize = 64 << 10;

/// The inner error says why this is no greeting.
pub(super) async fn ask(uri: &AMQPUri, roots: &OwnedTLSConfig) -> io::Result<Result<Greeting, &'static str>> {
    let runtime = lapin::runtime::default_runtime().map_err(io::Error::other)?;
    let mut stream = uri.connect_with_config_async(roots.as_ref(), &runtime).await?;
    stream.write_all(b"AMQP\x00\x00\x09\x01").await?;
    stream.flush().await?;
    let mut header = [0; 7];
    stream.read_exact(&mut header).await?;
    let [1, 0, 0, a, b, c, d] = header else { return Ok(Err("its first bytes are not of AMQP 0-9-1")) };
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    if length > MOST_BYTES {
        return Ok(Err("its greeting is too long"));
    }
    let mut frame = vec![0; length];
    stream.read_exact(&mut frame).await?;
    // The broker would else wait for the rest of a login.
    let _ = stream.close().await;
    Ok(read(&frame).ok_or("its greeting is damaged"))
}

/// Reads `connection.start`: class 10, method 10, two bytes of version, then the table.
fn read(frame: &[u8]) -> Option<Greeting> {
    let rest = frame.strip_prefix(&[0, 10, 0, 10])?.get(2..)?;
    let mut properties = BTreeMap::new();
    table(&mut Input(rest), "", &mut properties)?;
    let named = |name: &str| properties.get(name).cloned().unwrap_or_default();
    Some(Greeting { product: named("product"), version: named("version"), properties })
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    /// Bytes after their length in four bytes.
    fn long(&mut self) -> Option<&'a [u8]> {
        let length = self.take(4)?.try_into().ok()?;
        self.take(u32::from_be_bytes(length) as usize)
    }
}

fn table(input: &mut Input<'_>, within: &str, properties: &mut BTreeMap<String, String>) -> Option<()> {
    // A table in a table in a table says nothing that anybody asks for.
    const DEEPEST: usize = 3;
    let mut inner = Input(input.long()?);
    while !inner.0.is_empty() {
        let length = usize::from(inner.byte()?);
        let name = format!("{within}{}", String::from_utf8_lossy(inner.take(length)?));
        match inner.byte()? {
            b'S' => {
                properties.insert(name, String::from_utf8_lossy(inner.long()?).into_owned());
            }
            b't' => {
                properties.insert(name, (inner.byte()? != 0).to_string());
            }
            b'F' if within.matches('.').count() < DEEPEST => {
                table(&mut inner, &format!("{name}."), properties)?;
            }
            b'F' | b'A' | b'x' => drop(inner.long()?),
            b'b' | b'B' => drop(inner.take(1)?),
            b's' | b'u' | b'U' => drop(inner.take(2)?),
            b'I' | b'i' | b'f' => drop(inner.take(4)?),
            b'D' => drop(inner.take(5)?),
            b'l' | b'L' | b'd' | b'T' => drop(inner.take(8)?),
            b'V' => {}
            _ => return None,
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_is_read_and_no_part_of_one_panics() {
        let mut inside = Vec::new();
        inside.extend_from_slice(b"\x0ccapabilitiesF\0\0\0\x0d\x0abasic.nackt\x01");
        inside
            .extend_from_slice(b"\x07productS\0\0\0\x08RabbitMQ\x07versionS\0\0\0\x063.10.8\x01nI\0\0\0\x07");
        let mut frame = vec![0, 10, 0, 10, 0, 9];
        frame.extend_from_slice(&u32::try_from(inside.len()).unwrap().to_be_bytes());
        frame.extend_from_slice(&inside);
        let greeting = read(&frame).unwrap();
        assert_eq!((greeting.product.as_str(), greeting.version.as_str()), ("RabbitMQ", "3.10.8"));
        assert_eq!(greeting.properties["capabilities.basic.nack"], "true");
        for length in 0..frame.len() {
            assert_eq!(read(&frame[..length]), None, "cut at {length}");
        }
    }
}
