//! A TCP proxy that breaks the wire.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, tcp};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What becomes of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    Whole,
    /// What is read at a time arrives so much later.
    Slow(Duration),
    Swallowing,
    Refusing,
}

/// Lives until it is dropped, and all its connections with it. It needs the runtime it was made in.
pub struct Proxy {
    port: u16,
    wire: watch::Sender<Wire>,
    /// Counts the cuts; whoever was connected before one is cut by it.
    cuts: watch::Sender<u32>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// Listens on a port of its own and forwards to 127.0.0.1:`target`.
    ///
    /// # Panics
    ///
    /// Where it cannot listen.
    pub async fn to(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback is there");
        let port = listener.local_addr().expect("it is bound").port();
        let (wire, wires) = watch::channel(Wire::Whole);
        let cuts = watch::Sender::new(0);
        let accepting =
            tokio::spawn(accept(listener, SocketAddr::from(([127, 0, 0, 1], target)), wires, cuts.clone()));
        Self { port, wire, cuts, accepting }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends every connection; new ones are forwarded as before.
    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Takes bytes from either side and gives them to nobody, on connections that stand and on new ones.
    pub fn swallow(&self) {
        self.wire.send_replace(Wire::Swallowing);
    }

    /// Lets everything arrive `late`, and what is behind it even later.
    pub fn slow(&self, late: Duration) {
        self.wire.send_replace(Wire::Slow(late));
    }

    /// Ends every connection and takes no new ones.
    pub fn refuse(&self) {
        self.wire.send_replace(Wire::Refusing);
        self.cut();
    }

    /// Forwards again. A connection of which bytes were swallowed is cut: it would be garbage.
    pub fn heal(&self) {
        if self.wire.send_replace(Wire::Whole) == Wire::Swallowing {
            self.cut();
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    first: TcpListener,
    target: SocketAddr,
    mut wires: watch::Receiver<Wire>,
    cuts: watch::Sender<u32>,
) {
    let address = first.local_addr().expect("it is bound");
    let mut listener = Some(first);
    let mut connections = JoinSet::new();
    loop {
        if *wires.borrow_and_update() == Wire::Refusing {
            listener = None;
        } else if listener.is_none() {
            listener = TcpListener::bind(address).await.ok();
        }
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = wires.changed() => if changed.is_err() { return },
            accepted = accepted => if let Ok((client, _)) = accepted {
                let (wires, mut cuts) = (wires.clone(), cuts.subscribe());
                connections.spawn(async move {
                    tokio::select! {
                        () = forward(client, target, wires) => {}
                        _ = cuts.changed() => {}
                    }
                });
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn forward(client: TcpStream, target: SocketAddr, wires: watch::Receiver<Wire>) {
    let Ok(server) = TcpStream::connect(target).await else { return };
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::join!(carry(from_client, to_server, wires.clone()), carry(from_server, to_client, wires));
}

async fn carry(mut from: tcp::OwnedReadHalf, mut to: tcp::OwnedWriteHalf, wires: watch::Receiver<Wire>) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let wire = *wires.borrow();
        if let Wire::Slow(late) = wire {
            tokio::time::sleep(late).await;
        }
        if matches!(wire, Wire::Whole | Wire::Slow(_)) && to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}
