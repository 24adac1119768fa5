//! What a request for a WebSocket says of itself, gathered in one pass over its headers.

use super::head::{Headers, Only};
use super::list::{has_token, is};

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
            if is(name, b"upgrade") {
                asked.upgrade |= has_token(value, b"websocket");
            } else if is(name, b"connection") {
                asked.connection |= has_token(value, b"upgrade");
            } else if is(name, b"transfer-encoding") {
                asked.has_body = true;
            } else if is(name, b"content-length") {
                asked.has_body |= value != b"0";
            } else if begins_with(name, b"sec-websocket-") {
                asked.is_ascii &= value.is_ascii();
                if is(name, b"sec-websocket-version") {
                    asked.version.add(value);
                } else if is(name, b"sec-websocket-key") {
                    asked.key.add(value);
                }
            }
        }
        asked
    }
}

fn begins_with<const N: usize>(name: &[u8], start: &[u8; N]) -> bool {
    name.get(..N).is_some_and(|name| is(name, start))
}
