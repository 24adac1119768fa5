//! The close codes of RFC 6455 §7.4.1 and IANA's registry, as numbers.

/// The purpose of the connection is fulfilled.
pub const NORMAL: u16 = 1000;
/// A server goes down, or a browser leaves the page.
pub const AWAY: u16 = 1001;
/// The peer broke the protocol.
pub const PROTOCOL: u16 = 1002;
/// A kind of data that this endpoint does not take.
pub const UNSUPPORTED: u16 = 1003;
/// There was no code. It never stands in a Close frame.
pub const STATUS: u16 = 1005;
/// There was no Close frame. It never stands in one.
pub const ABNORMAL: u16 = 1006;
/// A message does not hold what its type promises, as text that is not UTF-8.
pub const INVALID: u16 = 1007;
/// A message breaks this endpoint's rules.
pub const POLICY: u16 = 1008;
/// A message is too big.
pub const SIZE: u16 = 1009;
/// The server did not agree to an extension that the client needs.
pub const EXTENSION: u16 = 1010;
/// Something unexpected happened on this side.
pub const ERROR: u16 = 1011;
/// The service restarts; come back in a while.
pub const RESTART: u16 = 1012;
/// The service is overloaded; come back later.
pub const AGAIN: u16 = 1013;
