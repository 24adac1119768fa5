//! What wskit does to bytes in bulk: [masking](mask()), [checking UTF-8](Utf8Validator) as it
//! [arrives](Input), and [text](Text) that is known to be valid.
//!
//! All `unsafe` code of wskit stands in this crate, in few places, each with its reason beside it:
//! the choice of the processor's widest vectors in `mask` and `utf8`, their use in `vector`, the promise in
//! `text`, `payload` and `input` that bytes checked once need not be checked again, and that what is
//! read may be appended to an `input`. Everything built on top forbids `unsafe`.

#![no_std]
#![deny(unsafe_op_in_unsafe_fn)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod input;
mod mask;
mod payload;
mod text;
mod utf8;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
mod vector;

pub use input::Input;
pub use mask::{mask, mask_into};
pub use payload::{Payload, TextPayload};
pub use text::Text;
pub use utf8::{InvalidUtf8, Utf8Validator};
