//! Ctrl-C: the first asks to close, the second leaves at once.

use crate::accepting::stop_signal;
use std::{io, process};
use tokio::sync::oneshot;

/// Tells when the user or the system asks the program to stop.
pub(super) struct Interrupt(Option<oneshot::Receiver<()>>);

impl Interrupt {
    /// Watches from a task of its own, which leaves at the second signal even while the rest of
    /// the program cannot move, as when it writes to a pipe that nobody reads.
    pub(super) fn watch() -> io::Result<Interrupt> {
        let first = stop_signal()?;
        let (sender, receiver) = oneshot::channel();
        tokio::spawn(async move {
            first.await;
            let second = stop_signal();
            let _all_may_be_over = sender.send(());
            if let Ok(second) = second {
                second.await;
                leave();
            }
        });
        Ok(Interrupt(Some(receiver)))
    }

    /// Waits for the first signal, which is told once.
    pub(super) async fn received(&mut self) {
        match &mut self.0 {
            Some(receiver) => {
                let _told = receiver.await;
                self.0 = None;
            }
            None => std::future::pending().await,
        }
    }
}

/// Ends the program as one that was interrupted: 128 and the number of the signal.
pub(super) fn leave() -> ! {
    process::exit(130)
}
