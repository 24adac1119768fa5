//! What happens next in a conversation, and who makes it happen.

use super::input::Input;
use super::interrupt::Interrupt;
use std::{future::poll_fn, task::Poll};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use wskit::{ClientStream, Error, Message, WebSocket};

/// What happens next.
pub(super) enum Happening {
    Received(Option<Result<Message, Error>>),
    Asked(Option<Input>),
    PingIsDue,
    Interrupted,
    Silence,
}

/// Those who make things happen.
pub(super) struct Sources {
    pub(super) socket: WebSocket<ClientStream>,
    pub(super) input: mpsc::Receiver<Input>,
    pub(super) interrupt: Interrupt,
    /// Whether the input is looked at before the socket: they take turns, so that neither has to
    /// fall silent for the other to be heard.
    pub(super) input_first: bool,
}

/// What else is waited for.
pub(super) struct Awaited {
    pub(super) input: bool,
    pub(super) ping_at: Option<Instant>,
    pub(super) silent_until: Option<Instant>,
}

impl Sources {
    /// Waits for what happens next. Cancel safe.
    pub(super) async fn next(&mut self, awaited: Awaited) -> Happening {
        let Sources { socket, input, interrupt, input_first } = self;
        tokio::select! {
            happening = exchange(socket, input, awaited.input, input_first) => happening,
            () = interrupt.received() => Happening::Interrupted,
            () = sleep_until_some(awaited.ping_at) => Happening::PingIsDue,
            () = sleep_until_some(awaited.silent_until) => Happening::Silence,
        }
    }
}

/// Waits for a message of the peer, or for input while there is room to send. One does not wait
/// for the other, so two ends that both send and do not read cannot block each other.
async fn exchange(
    socket: &mut WebSocket<ClientStream>,
    input: &mut mpsc::Receiver<Input>,
    awaits_input: bool,
    input_first: &mut bool,
) -> Happening {
    poll_fn(|cx| {
        *input_first = !*input_first;
        for looks_at_input in [*input_first, !*input_first] {
            if !looks_at_input {
                if let Poll::Ready(received) = socket.poll_recv(cx) {
                    return Poll::Ready(Happening::Received(received));
                }
            } else if awaits_input
                && let Poll::Ready(Ok(())) = socket.poll_ready(cx)
                && let Poll::Ready(asked) = input.poll_recv(cx)
            {
                return Poll::Ready(Happening::Asked(asked));
            }
        }
        Poll::Pending
    })
    .await
}

async fn sleep_until_some(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
