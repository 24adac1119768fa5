//! What every store promises, asked of the one on NATS, with a server of its own for each store.

mod age;
#[path = "../../../store/tests/common/mod.rs"]
mod common;
mod identities;
#[path = "../common/nats_server.rs"]
mod nats_server;
#[path = "../../../store/tests/contract/promises.rs"]
mod promises;
mod server;
mod stores;
