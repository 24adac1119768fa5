//! The closing handshake.

use super::advice;
use super::investigation::Stop;
use super::report::{CloseFrame, Closing, Outcome, Report};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use wskit::{CloseCode, WebSocket};

/// Closes as a polite client does, and waits for the server to do its part.
pub(super) async fn close<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocket<S>,
    has_ended: impl Fn(&S) -> bool,
    report: &mut Report,
) -> Result<(), Stop> {
    let start = Instant::now();
    let result = socket.close(CloseCode::NORMAL, "").await;
    let received = socket.peer_close().map(|frame| CloseFrame {
        code: frame.map(|frame| frame.code().number()),
        reason: frame.map(|frame| frame.reason().to_string()).unwrap_or_default(),
    });
    let error = result.err().map(|error| error.to_string());
    report.closing = Some(Closing {
        sent: CloseCode::NORMAL.number(),
        received,
        ended_by_peer: has_ended(socket.stream()),
        error: error.clone(),
        time: start.elapsed(),
    });
    match (error, socket.peer_close().flatten()) {
        (Some(error), _) => Err((Outcome::ClosingWrong, advice::closing_wrong(&error, report))),
        (None, Some(frame))
            if ![CloseCode::NORMAL, CloseCode::GOING_AWAY].contains(&frame.code()) =>
        {
            Err((Outcome::ClosingWrong, advice::sent_away(frame)))
        }
        (None, _) => Ok(()),
    }
}
