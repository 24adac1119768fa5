//! Running a command's future to its end.

use std::{future::Future, pin::Pin, pin::pin};
use tokio::runtime::Runtime;

/// Runs the future to its end.
///
/// All futures come to the runtime as one type, for its loop is compiled for each type anew, and only where it is in
/// the program once are its parts inlined into it. That spares a server's every turn a dozen calls.
pub(crate) fn block_on<T>(runtime: &Runtime, future: impl Future<Output = T>) -> T {
    let mut output = None;
    {
        let of_one_type: Pin<&mut dyn Future<Output = ()>> =
            pin!(async { output = Some(future.await) });
        runtime.block_on(of_one_type);
    }
    output.expect("it has come to its end")
}
