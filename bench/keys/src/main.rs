//! The accept value of opening handshakes and the randomness of masking keys: how many nanoseconds each takes, and how
//! often it asks for memory. Prints a line `NAME NANOSECONDS ALLOCATIONS` for each.

use rand::{Rng, TryRng, rngs::SysRng};
use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;
use wskit_proto::handshake::Key;

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ROUNDS: usize = 50;
const PER_ROUND: u32 = 20_000;

#[global_allocator]
static ALLOCATOR: Counting = Counting;
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

struct Counting;

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller promises what the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the caller promises what the system's allocator asks for.
        unsafe { System.dealloc(place, layout) }
    }
}

fn main() {
    tell("accept-wskit", || {
        let key = Key::parse(black_box(KEY).as_bytes()).expect("it is a key");
        black_box(key.accept());
    });
    tell("accept-tungstenite", || {
        black_box(tungstenite::handshake::derive_accept_key(black_box(KEY).as_bytes()));
    });
    // As a client of wskit does for each frame: from a generator of the thread, which works in bulk.
    tell("masking-key-in-bulk", || {
        black_box(rand::rng().next_u32());
    });
    // From the system, one by one.
    tell("masking-key-from-the-system", || {
        black_box(SysRng.try_next_u32().expect("the system has randomness"));
    });
}

/// The least of many rounds, which is what it takes when nothing interferes.
fn tell(name: &str, act: impl Fn()) {
    let round = || {
        let begun = Instant::now();
        (0..PER_ROUND).for_each(|_| act());
        begun.elapsed().as_nanos() as f64 / f64::from(PER_ROUND)
    };
    round();
    let before = ALLOCATIONS.load(Relaxed);
    let least = (0..ROUNDS).map(|_| round()).fold(f64::INFINITY, f64::min);
    let allocations = ALLOCATIONS.load(Relaxed) - before;
    println!("{name} {least:.1} {}", allocations as f64 / (ROUNDS as f64 * f64::from(PER_ROUND)));
}
