//! The page of the chat: a few static files, built into the program.

use super::health::Health;
use crate::accepting::Stream;
use crate::entrance::Visitor;
use bytes::Bytes;
use wskit::{Field, PendingRequest, Rejection};

/// The path, the type and the content of each file.
const FILES: [(&str, &str, &str); 9] = [
    ("/", "text/html", include_str!("../../../web/index.html")),
    ("/chat.css", "text/css", include_str!("../../../web/chat.css")),
    ("/chat.js", "text/javascript", include_str!("../../../web/chat.js")),
    ("/dom.js", "text/javascript", include_str!("../../../web/dom.js")),
    ("/line.js", "text/javascript", include_str!("../../../web/line.js")),
    ("/log.js", "text/javascript", include_str!("../../../web/log.js")),
    ("/memory.js", "text/javascript", include_str!("../../../web/memory.js")),
    ("/outbox.js", "text/javascript", include_str!("../../../web/outbox.js")),
    ("/opening.js", "text/javascript", include_str!("../../../web/opening.js")),
];

/// The page runs nothing but its own files and talks to nobody but its own server.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Answers a request that is not for a room.
pub(super) async fn answer(request: PendingRequest<Stream>, health: &Health, visitor: &Visitor) {
    let path = request.request().path();
    if let Some((status, words)) = health.answer(path) {
        let _the_client_may_have_gone = request.reject(Rejection::new(status, words)).await;
        return;
    }
    let file = FILES.iter().find(|(name, ..)| *name == path && !request.is_upgrade());
    let Some((_, kind, content)) = file else {
        return refuse(request, visitor).await;
    };
    let headers = [
        ("Content-Type", format!("{kind}; charset=utf-8")),
        ("Content-Security-Policy", CONTENT_SECURITY_POLICY.into()),
        ("X-Content-Type-Options", "nosniff".into()),
        ("Referrer-Policy", "no-referrer".into()),
        ("Cache-Control", "no-cache".into()),
    ];
    let headers = headers.into_iter().filter_map(|(name, value)| Field::new(name, value).ok());
    let body = Bytes::from_static(content.as_bytes());
    let page = Rejection { status: 200, headers: headers.collect(), body };
    let _the_client_may_have_gone = request.reject(page).await;
}

/// Answers a request for something that is not here.
async fn refuse(request: PendingRequest<Stream>, visitor: &Visitor) {
    const STATUS: u16 = 404;
    let words = "there is a page at / and there are rooms at /chat/ROOM";
    // A browser asks for many a file by itself, but a WebSocket somebody wants.
    if request.is_upgrade() {
        visitor.refusals.record(visitor.address, STATUS, "not_found", &words);
    }
    let _the_client_may_have_gone = request.reject(Rejection::new(STATUS, words)).await;
}
