//! Ctrl-C and SIGTERM: the first one asks to stop, a second one of either kind does not ask.

use tokio::sync::watch;

use crate::exit::Exit;
use crate::render::talk;

/// Tells `stopper` of the first signal and ends the process on the second.
pub(super) async fn watch_signals(stopper: watch::Sender<Option<Exit>>) {
    let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
        return;
    };
    let mut first = true;
    loop {
        let exit = tokio::select! {
            interrupt = tokio::signal::ctrl_c() => match interrupt {
                Ok(()) => Exit::Interrupted,
                // Without the signal there is nothing to watch for.
                Err(_) => return,
            },
            _ = terminate.recv() => Exit::Terminated,
        };
        if !first {
            std::process::exit(exit.code().into());
        }
        first = false;
        talk::line("stopping; once more to stop at once");
        // Nobody listens any more when the work is already over.
        let _ = stopper.send(Some(exit));
    }
}

/// Ends when a signal has come.
pub(super) async fn stopped(mut stopped: watch::Receiver<Option<Exit>>) {
    // A closed channel means that no signal will come any more.
    if stopped.wait_for(Option::is_some).await.is_err() {
        std::future::pending::<()>().await;
    }
}
