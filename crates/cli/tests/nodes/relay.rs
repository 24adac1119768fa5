//! The network between a node and its server: a relay that can be cut.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

/// Connections to it go on to another port; while it is cut, nothing that is sent arrives.
pub(crate) struct Relay {
    pub(crate) address: String,
    is_cut: Arc<AtomicBool>,
}

impl Relay {
    /// A relay to this `nats://` address.
    pub(crate) fn start(to: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("nats://{}", listener.local_addr().unwrap());
        let is_cut = Arc::new(AtomicBool::new(false));
        let to = to.trim_start_matches("nats://").to_owned();
        let relay = Self { address, is_cut: is_cut.clone() };
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(&to) else { continue };
                let halves = (client.try_clone().unwrap(), server.try_clone().unwrap());
                for (from, to) in [(client, server), (halves.1, halves.0)] {
                    let is_cut = is_cut.clone();
                    thread::spawn(move || carry(from, to, &is_cut));
                }
            }
        });
        relay
    }

    pub(crate) fn cut(&self) {
        self.is_cut.store(true, Relaxed);
    }

    pub(crate) fn heal(&self) {
        self.is_cut.store(false, Relaxed);
    }
}

/// Carries bytes until either end is closed.
fn carry(mut from: TcpStream, mut to: TcpStream, is_cut: &AtomicBool) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        while is_cut.load(Relaxed) {
            thread::sleep(Duration::from_millis(5));
        }
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _it_may_be_closed = from.shutdown(Shutdown::Both);
    let _it_may_be_closed = to.shutdown(Shutdown::Both);
}
