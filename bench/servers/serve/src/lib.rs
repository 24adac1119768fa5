//! What all the servers on Tokio share: one thread, a listener, a task for each connection.

use std::io;
use tokio::net::{TcpListener, TcpStream};

/// The longest message that servers take, in bytes, where they have a limit.
pub const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// Listens on the address that is the program's first argument and runs `serve` for each connection.
pub fn run<F>(serve: impl Fn(TcpStream) -> F) -> io::Result<()>
where
    F: Future + 'static,
{
    let address = std::env::args().nth(1).expect("the first argument is the address");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(Default::default())?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let served = serve(stream);
            tokio::task::spawn_local(async move {
                served.await;
            });
        }
    })
}

/// The program's second argument.
pub fn compression() -> Option<String> {
    std::env::args().nth(2)
}
