//! What wskit does to bytes in bulk: [masking](mask()), [checking UTF-8](Utf8Validator) as it
//! arrives, and [text](Text) that is known to be valid.
//!
//! All `unsafe` code of wskit stands in this crate, in three places, each with its reason beside it:
//! the choice of the processor's widest vectors in `mask`, their use in `utf8`, and the promise in
//! `text` and `payload` that bytes checked once need not be checked again. Everything built on top
//! forbids `unsafe`.

#![no_std]
#![deny(unsafe_op_in_unsafe_fn)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod mask;
mod payload;
mod text;
mod utf8;

pub use mask::mask;
pub use payload::{Payload, TextPayload};
pub use text::Text;
pub use utf8::{InvalidUtf8, Utf8Validator};
