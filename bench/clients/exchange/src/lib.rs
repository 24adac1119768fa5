//! What all the clients share: their arguments, the runtime, and a connection.

use std::io;
use tokio::net::TcpStream;

/// What a client is to do.
pub struct Task {
    /// The server, as `host:port`.
    pub address: String,
    /// What each message holds.
    pub payload: Vec<u8>,
    /// How many messages are sent before their replies are read.
    pub in_flight: usize,
    /// How often that is done.
    pub rounds: usize,
}

/// Runs a client that is called `CLIENT ADDRESS BYTES IN_FLIGHT ROUNDS`, on one thread.
pub fn run(exchange: impl AsyncFnOnce(TcpStream, Task)) -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().expect("CLIENT ADDRESS BYTES IN_FLIGHT ROUNDS");
    let address = next();
    let mut number = || next().parse().expect("a number");
    let payload = vec![0; number()];
    let task = Task { address, payload, in_flight: number(), rounds: number() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let stream = TcpStream::connect(&task.address).await?;
        stream.set_nodelay(true)?;
        exchange(stream, task).await;
        Ok(())
    })
}
