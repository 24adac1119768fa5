//! What a request for a WebSocket says of itself, gathered in one pass over its headers.

use super::head::{Headers, Only};
use super::list::has_token;

/// What RFC 6455 §4.2.1 asks for, as the headers have it.
pub(super) struct Asked<'a> {
    /// A body follows the head.
    pub(super) has_body: bool,
    /// `Upgrade` has `websocket`.
    pub(super) upgrade: bool,
    /// `Connection` has `Upgrade`.
    pub(super) connection: bool,
    /// No header whose name begins with `Sec-WebSocket-` has another byte.
    pub(super) is_ascii: bool,
    pub(super) version: Only<'a>,
    pub(super) key: Only<'a>,
}

impl<'a> Asked<'a> {
    pub(super) fn of(headers: &'a Headers) -> Asked<'a> {
        let mut asked = Asked {
            has_body: false,
            upgrade: false,
            connection: false,
            is_ascii: true,
            version: Only::Missing,
            key: Only::Missing,
        };
        for (name, value) in headers.lines() {
            let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
            if is("upgrade") {
                asked.upgrade |= has_token(value, "websocket");
            } else if is("connection") {
                asked.connection |= has_token(value, "upgrade");
            } else if is("transfer-encoding") {
                asked.has_body = true;
            } else if is("content-length") {
                asked.has_body |= value != b"0";
            } else if begins_with(name, "sec-websocket-") {
                asked.is_ascii &= value.is_ascii();
                if is("sec-websocket-version") {
                    asked.version.add(value);
                } else if is("sec-websocket-key") {
                    asked.key.add(value);
                }
            }
        }
        asked
    }
}

fn begins_with(name: &[u8], start: &str) -> bool {
    name.get(..start.len()).is_some_and(|name| name.eq_ignore_ascii_case(start.as_bytes()))
}
