//! Hostile servers against the real client, over real sockets.
//!
//! Every row of `docs/rfc/hostile-input.md` that a client must survive is one test here, named by its number. The
//! server is a script: it reads the client's request, sends bytes, and looks at what the client sends back.

mod compression;
mod connection;
mod opening;
mod script;
