//! What every store promises, asked of those that are here. Others ask it of theirs with the same `promises.rs`.

mod age;
#[path = "../common/mod.rs"]
mod common;
mod promises;
mod stores;
