//! WebSockets over HTTP/2 (RFC 8441).

#![cfg(feature = "http2")]

#[path = "../common/mod.rs"]
mod common;
mod frames;
mod hostile_client;
mod hostile_server;
mod raw;
mod serving;
mod small_frames;
mod talking;
#[cfg(feature = "tls-ring")]
mod versions;
