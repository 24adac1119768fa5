//! Hostile input against the real server, over real sockets.
//!
//! Every row of `docs/rfc/hostile-input.md` that a server answers is one test here, named by its number.
//! Nothing of wskit is linked in: the framing is written by hand, so the tests judge the bytes and cannot
//! share a mistake with the code they judge. `WSKIT_BIN` puts another program in the server's place.

mod raw {
    pub(crate) mod client;
    pub(crate) mod deflate;
    pub(crate) mod frame;
    pub(crate) mod http;
    pub(crate) mod server;

    pub(crate) use client::{Ending, PATIENCE, RawClient};
    pub(crate) use frame::{Frame, LengthForm, close_payload};
    pub(crate) use http::{Request, Response};
    pub(crate) use server::{Server, until};
}

mod compression;
mod deadlines;
mod framing;
mod negotiation;
mod opening;
mod pressure;
mod text_and_close;
