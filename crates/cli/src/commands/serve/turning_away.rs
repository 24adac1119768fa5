//! Telling somebody that this one may not come in, in a way that it can see.

use super::tokens::Denial;
use crate::accepting::{Stream, accept};
use crate::entrance::Visitor;
use wskit::{CloseCode, Field, PendingRequest, Rejection};

/// Refuses the handshake. A page cannot see the status of one, but it can see a close code: for a browser, which sends
/// an origin, the connection is opened and closed.
pub(super) async fn turn_away(request: PendingRequest<Stream>, denial: Denial, visitor: &Visitor) {
    let is_browser = request.request().headers().get("origin").is_some();
    let status = denial.status();
    let number = if is_browser { denial.close_code() } else { status };
    visitor.refusals.record(visitor.address, number, denial.reason(), &denial);
    let words = denial.to_string();
    if is_browser {
        let Some(mut socket) = accept(request, visitor).await else { return };
        let code = CloseCode::new(denial.close_code()).unwrap_or(CloseCode::POLICY_VIOLATION);
        let _the_client_may_have_gone = socket.close(code, &words).await;
        return;
    }
    let mut rejection = Rejection::new(status, words);
    // RFC 9110 §11.6.1: a 401 says how to do better.
    if let (401, Ok(field)) = (status, Field::new("WWW-Authenticate", "Bearer")) {
        rejection = rejection.with_header(field);
    }
    let _the_client_may_have_gone = request.reject(rejection).await;
}
