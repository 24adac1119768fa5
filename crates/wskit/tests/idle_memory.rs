//! An idle connection holds no buffers, whatever passed before, and a message costs no allocation.
//!
//! Alone in its process, for the allocator counts everything.

mod common;

use common::{BINARY, CLOSE, FIN, REQUEST, frame};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicIsize, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{net::TcpListener, runtime::Builder, task::spawn_blocking, time::sleep};
use wskit::{Compression, CompressionMode, Error, Server, WindowBits};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static ALLOCATED_BYTES: AtomicU64 = AtomicU64::new(0);
static LIVE_BYTES: AtomicIsize = AtomicIsize::new(0);

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        ALLOCATED_BYTES.fetch_add(layout.size() as u64, Relaxed);
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
const RSV1: u8 = 0x40;

/// A client that takes no memory after its opening.
struct Client {
    stream: TcpStream,
    message: Vec<u8>,
    echo: Vec<u8>,
}

impl Client {
    fn open(server: SocketAddr, payload_bytes: usize) -> Client {
        let stream = open(server, REQUEST);
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

/// A connection after its opening handshake.
fn open(server: SocketAddr, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut byte = [0];
    let mut last = [0; 4];
    while last != *b"\r\n\r\n" {
        stream.read_exact(&mut byte).unwrap();
        last.rotate_left(1);
        last[3] = byte[0];
    }
    stream
}

/// A connection that compresses, after the echo of a message of 1 KiB.
fn open_compressed(server: SocketAddr) -> TcpStream {
    let offer = "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
    let mut stream = open(server, &REQUEST.replace("\r\n\r\n", offer));
    // RFC 1951 §3.2.4: a stored block is the length, its complement and the bytes. RFC 7692 §7.2.1: of the empty one
    // behind it only the first byte is sent.
    let block = [&[0, 0x00, 0x04, 0xff, 0xfb][..], &[7; 1 << 10], &[0]].concat();
    stream.write_all(&frame(FIN | RSV1 | BINARY, &block, true)).unwrap();
    let mut header = [0; 2];
    stream.read_exact(&mut header).unwrap();
    assert_eq!(header[0], FIN | RSV1 | BINARY, "the echo is compressed too");
    stream.read_exact(&mut vec![0; header[1].into()]).unwrap();
    stream
}

async fn serve(listener: TcpListener, server: Server) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let server = server.clone();
        tokio::spawn(async move {
            let mut socket = server.accept(stream).await?;
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

/// What one idle connection holds at the server, its task and all.
async fn bytes_held(open: impl Fn() -> TcpStream + Send + 'static) -> isize {
    let connect = move || (0..CONNECTIONS).map(|_| open()).collect::<Vec<_>>();
    let clients = spawn_blocking(connect).await.unwrap();
    settle().await;
    let with = LIVE_BYTES.load(Relaxed);
    // Only the sockets are closed here, so all that goes is the server's.
    clients.iter().for_each(|client| client.shutdown(std::net::Shutdown::Both).unwrap());
    settle().await;
    (with - LIVE_BYTES.load(Relaxed)) / CONNECTIONS as isize
}

async fn held_after_opening(server: SocketAddr) -> isize {
    bytes_held(move || open(server, REQUEST)).await
}

async fn held_after_echo(server: SocketAddr, payload_bytes: usize) -> isize {
    let echo = move || {
        let mut client = Client::open(server, payload_bytes);
        client.echo();
        client.stream
    };
    bytes_held(echo).await
}

/// After a compressed message each way, with a server that compresses like this.
async fn held_after_compressed(compression: Compression) -> isize {
    let server = listen(Server::new().compression(compression)).await;
    bytes_held(move || open_compressed(server)).await
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

/// How often memory was asked for, and for how much, from a connection's opening to its end, once warm.
async fn allocated_per_connection(server: SocketAddr, end: fn(TcpStream)) -> (u64, u64) {
    let connect = move |count| (0..count).for_each(|_| end(open(server, REQUEST)));
    spawn_blocking(move || connect(CONNECTIONS)).await.unwrap();
    settle().await;
    let before = (ALLOCATIONS.load(Relaxed), ALLOCATED_BYTES.load(Relaxed));
    spawn_blocking(move || connect(CONNECTIONS)).await.unwrap();
    settle().await;
    let count = ALLOCATIONS.load(Relaxed) - before.0;
    let bytes = ALLOCATED_BYTES.load(Relaxed) - before.1;
    (count / CONNECTIONS as u64, bytes / CONNECTIONS as u64)
}

fn close(mut stream: TcpStream) {
    stream.write_all(&[CLOSE, 0x80, 0, 0, 0, 0]).unwrap();
    stream.read_exact(&mut [0; 2]).unwrap();
    // The server ends the connection first.
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}

async fn listen(server: Server) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, server));
    address
}

/// Runs a test while no other runs.
fn alone(test: impl Future<Output = ()>) {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

#[test]
fn an_idle_connection_holds_no_buffers_and_an_echo_takes_no_memory() {
    alone(async {
        let server = listen(Server::new()).await;
        let opened = held_after_opening(server).await;
        println!("{opened} bytes for each idle connection after the opening");
        assert!(opened < 1792, "{opened}");
        for payload_bytes in [4 << 10, 60_000, 1 << 20] {
            let held = held_after_echo(server, payload_bytes).await;
            println!("{held} bytes after an echo of {payload_bytes} bytes");
            // The thread's own buffers may come and go, which is 64 KiB once, not per connection.
            assert!((held - opened).abs() < 512, "{held} bytes after {payload_bytes}");
        }
        for payload_bytes in [16, 1 << 10, 4000, 5000, 64 << 10, 256 << 10, 1 << 20] {
            let count = allocations_per_hundred(server, payload_bytes).await;
            assert_eq!(count, 0, "allocations for 100 echoes of {payload_bytes} bytes");
        }
    });
}

#[test]
fn a_connection_takes_little_memory_from_its_opening_to_its_end() {
    alone(async {
        let server = listen(Server::new()).await;
        for (end, how) in [(drop as fn(TcpStream), "ended"), (close, "closed")] {
            let (count, bytes) = allocated_per_connection(server, end).await;
            println!("{count} allocations of {bytes} bytes for a connection that is {how}");
            assert!(count <= 16 && bytes < 4 << 10, "{count} allocations, {bytes} bytes, {how}");
        }
    });
}

#[test]
fn compression_holds_memory_only_where_each_connection_remembers_its_messages() {
    alone(async {
        let plain = held_after_opening(listen(Server::new()).await).await;
        let shared = held_after_compressed(Compression::default()).await;
        println!(
            "{shared} bytes after a compressed echo in shared mode, {plain} without compression"
        );
        // What was agreed, and no context.
        assert!(shared - plain < 1024, "{shared} bytes instead of {plain}");

        let dedicated = Compression { mode: CompressionMode::Dedicated, ..Compression::default() };
        let widest = held_after_compressed(dedicated).await;
        let window_bits = WindowBits::COMPRESSIBLE_MIN;
        let narrowest = held_after_compressed(Compression { window_bits, ..dedicated }).await;
        println!("{widest} bytes in dedicated mode, {narrowest} with the smallest window");
        assert!(
            widest > 2 * (32 << 10),
            "{widest} bytes do not hold the windows of both directions"
        );
        assert!(widest < 448 << 10, "{widest}");
        assert!(
            narrowest < widest,
            "{narrowest} bytes with a small window, {widest} with a large one"
        );
    });
}
