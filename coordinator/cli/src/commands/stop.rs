//! Ctrl-C and SIGTERM: the first one asks to stop, a second one of either kind does not ask.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::exit::Exit;
use crate::render::talk;

/// The signals that stop a run. From the moment they are listened for, they no longer end the process by themselves.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// # Errors
    ///
    /// Where the system does not let us listen.
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for a signal.
    pub(super) async fn first(mut self) -> Exit {
        self.next().await
    }

    async fn next(&mut self) -> Exit {
        tokio::select! {
            _ = self.interrupt.recv() => Exit::Interrupted,
            _ = self.terminate.recv() => Exit::Terminated,
        }
    }

    /// Tells `stopper` of the first signal and ends the process on the second.
    pub(super) async fn watch(mut self, stopper: watch::Sender<Option<Exit>>) {
        let mut first = true;
        loop {
            let exit = self.next().await;
            if !first {
                std::process::exit(exit.code().into());
            }
            first = false;
            talk::line("stopping; once more to stop at once");
            // Nobody listens any more when the work is already over.
            let _ = stopper.send(Some(exit));
        }
    }
}

/// Ends when a signal has come.
pub(super) async fn stopped(mut stopped: watch::Receiver<Option<Exit>>) {
    // A closed channel means that no signal will come any more.
    if stopped.wait_for(Option::is_some).await.is_err() {
        std::future::pending::<()>().await;
    }
}
