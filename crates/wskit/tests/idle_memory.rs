//! An idle connection holds no buffers, whatever passed before, and a message costs no allocation.
//!
//! Alone in its process, for the allocator counts everything.

mod common;

use common::{BINARY, FIN, REQUEST, frame};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicIsize, AtomicU64, Ordering::Relaxed},
    time::Duration,
};
use tokio::{net::TcpListener, task::spawn_blocking, time::sleep};
use wskit::Error;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static LIVE_BYTES: AtomicIsize = AtomicIsize::new(0);

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        LIVE_BYTES.fetch_add(layout.size() as isize, Relaxed);
        // SAFETY: the caller promises what the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        LIVE_BYTES.fetch_sub(layout.size() as isize, Relaxed);
        // SAFETY: the caller promises what the system's allocator asks for.
        unsafe { System.dealloc(place, layout) }
    }
}

const CONNECTIONS: usize = 200;

/// A client that takes no memory after its opening.
struct Client {
    stream: TcpStream,
    message: Vec<u8>,
    echo: Vec<u8>,
}

impl Client {
    fn open(server: SocketAddr, payload_bytes: usize) -> Client {
        let mut stream = TcpStream::connect(server).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.write_all(REQUEST.as_bytes()).unwrap();
        let mut byte = [0];
        let mut last = [0; 4];
        while last != *b"\r\n\r\n" {
            stream.read_exact(&mut byte).unwrap();
            last.rotate_left(1);
            last[3] = byte[0];
        }
        let payload = vec![7; payload_bytes];
        let message = frame(FIN | BINARY, &payload, true);
        let echo = vec![0; message.len() - 4];
        Client { stream, message, echo }
    }

    fn echo(&mut self) {
        self.stream.write_all(&self.message).unwrap();
        self.stream.read_exact(&mut self.echo).unwrap();
        assert_eq!(self.echo.last(), Some(&7));
    }
}

async fn serve(listener: TcpListener) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(async {
            let mut socket = wskit::accept(stream).await?;
            while let Some(message) = socket.recv().await {
                socket.feed(message?).await?;
            }
            Ok::<(), Error>(())
        });
    }
}

/// Lets the server come to rest.
async fn settle() {
    sleep(Duration::from_millis(100)).await;
}

/// What one idle connection holds, its task and all, after one message of this size.
async fn bytes_per_connection(server: SocketAddr, payload_bytes: Option<usize>) -> isize {
    let connect = move || {
        let mut clients = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            let mut client = Client::open(server, payload_bytes.unwrap_or(0));
            if payload_bytes.is_some() {
                client.echo();
            }
            clients.push(client.stream);
        }
        clients
    };
    let clients = spawn_blocking(connect).await.unwrap();
    settle().await;
    let with = LIVE_BYTES.load(Relaxed);
    // Only the sockets are closed here, so all that goes is the server's.
    clients.iter().for_each(|client| client.shutdown(std::net::Shutdown::Both).unwrap());
    settle().await;
    (with - LIVE_BYTES.load(Relaxed)) / CONNECTIONS as isize
}

/// How often memory was asked for during a hundred echoes, once warm.
async fn allocations_per_hundred(server: SocketAddr, payload_bytes: usize) -> u64 {
    let echo = move || {
        let mut client = Client::open(server, payload_bytes);
        (0..50).for_each(|_| client.echo());
        let before = ALLOCATIONS.load(Relaxed);
        (0..100).for_each(|_| client.echo());
        ALLOCATIONS.load(Relaxed) - before
    };
    spawn_blocking(echo).await.unwrap()
}

#[tokio::test]
async fn an_idle_connection_holds_no_buffers_and_an_echo_takes_no_memory() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    tokio::spawn(serve(listener));

    let opened = bytes_per_connection(server, None).await;
    println!("{opened} bytes for each idle connection after the opening");
    assert!(opened < 4096, "{opened}");
    for payload_bytes in [4 << 10, 60_000, 1 << 20] {
        let held = bytes_per_connection(server, Some(payload_bytes)).await;
        println!("{held} bytes after an echo of {payload_bytes} bytes");
        // The thread's own buffers may come and go, which is 64 KiB once, not per connection.
        assert!((held - opened).abs() < 1024, "{held} bytes after {payload_bytes}");
    }
    for payload_bytes in [16, 1 << 10, 4000, 5000, 64 << 10] {
        let count = allocations_per_hundred(server, payload_bytes).await;
        assert_eq!(count, 0, "allocations for 100 echoes of {payload_bytes} bytes");
    }
}
