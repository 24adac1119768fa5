//! The end of a conversation, from either side.

use super::interrupt::{self, Interrupt};
use super::record::{Direction, Record};
use super::screen::Screen;
use crate::failure::{Failure, Kind};
use crate::printable::printable;
use wskit::{ClientStream, CloseCode, CloseFrame, WebSocket};

/// Why this end closes the connection.
pub(super) enum Farewell {
    /// All is said.
    Done,
    /// A person asked for it.
    Typed(CloseFrame),
    /// Ctrl-C.
    Interrupted,
    /// It cannot go on.
    Failed(Failure),
}

impl Farewell {
    /// Closes the connection, and waits for the peer to agree.
    pub(super) async fn say(
        self,
        socket: &mut WebSocket<ClientStream>,
        screen: &mut Screen,
    ) -> Result<(), Failure> {
        screen.stop_prompting();
        let frame = match &self {
            Farewell::Done => CloseCode::NORMAL.into(),
            Farewell::Typed(frame) => frame.clone(),
            Farewell::Interrupted | Farewell::Failed(_) => CloseCode::GOING_AWAY.into(),
        };
        let closing = Record::of_close(Direction::Sent, Some(&frame));
        let _nobody_may_read = screen.record(&closing);
        let closed = socket.close(frame.code(), frame.reason()).await;
        if let Some(answer) = socket.peer_close() {
            let _nobody_may_read = screen.record(&Record::of_close(Direction::Received, answer));
        }
        match self {
            Farewell::Failed(failure) => return Err(failure),
            Farewell::Interrupted => {
                if closed.is_ok() {
                    screen.tell(format_args!("closed with {}", frame.code()));
                }
                return Err(Failure::silent(Kind::Interrupted));
            }
            Farewell::Done | Farewell::Typed(_) => {}
        }
        let answer = closed?;
        screen.savings(socket);
        if answer.as_ref().is_some_and(|answer| answer.code() != frame.code()) {
            judge(answer.as_ref())?;
        }
        let (own, answer) = (frame.code(), shown(answer.as_ref()));
        screen.tell(format_args!("closed with {own}, the peer answered with {answer}"));
        Ok(())
    }
}

/// Takes the peer's Close frame, which has been answered, and waits for the end.
pub(super) async fn accept(
    frame: Option<CloseFrame>,
    socket: &mut WebSocket<ClientStream>,
    interrupt: &mut Interrupt,
    screen: &mut Screen,
) -> Result<(), Failure> {
    screen.stop_prompting();
    screen.savings(socket);
    let judgement = judge(frame.as_ref());
    if judgement.is_ok() {
        let frame = shown(frame.as_ref());
        screen.announce(format_args!("the peer closed the connection with {frame}"));
    }
    await_end(socket, interrupt).await;
    judgement
}

/// Waits for the server to end the TCP connection (RFC 6455 §7.1.1).
pub(super) async fn await_end(socket: &mut WebSocket<ClientStream>, interrupt: &mut Interrupt) {
    tokio::select! {
        _ended = socket.recv() => {}
        () = interrupt.received() => interrupt::leave(),
    }
}

/// Whether the peer closed without telling of a fault.
fn judge(frame: Option<&CloseFrame>) -> Result<(), Failure> {
    match frame.map(CloseFrame::code) {
        None | Some(CloseCode::NORMAL | CloseCode::GOING_AWAY) => Ok(()),
        Some(_) => Err(Failure::new(
            Kind::Connection,
            format_args!("the peer closed the connection with {}", shown(frame)),
        )),
    }
}

fn shown(frame: Option<&CloseFrame>) -> String {
    frame.map_or_else(|| "no code".into(), |frame| printable(&frame.to_string()))
}
