//! The ring: what is asked of the kernel, and what it has completed.

use io_uring::types::{BufRingEntry, Fd};
use io_uring::{IoUring, cqueue, opcode, squeue};
use std::alloc::{Layout, alloc_zeroed, handle_alloc_error};
use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicU16, Ordering};

pub enum Completion<'a> {
    Accepted(OwnedFd),
    /// No more is accepted until that is asked for again.
    AcceptEnded,
    Received {
        place: usize,
        bytes: &'a [u8],
    },
    /// No more is received until that is asked for again.
    OutOfBuffers {
        place: usize,
    },
    Ended {
        place: usize,
    },
    Sent {
        place: usize,
        bytes: io::Result<usize>,
    },
}

pub struct Ring {
    ring: IoUring,
    buffers: Buffers,
}

const ENTRIES: u32 = 4096;
const BUFFERS: u16 = 256;
const BUFFER_BYTES: usize = 64 << 10;
const GROUP: u16 = 0;

/// The lowest bits of what the kernel gives back with a completion; the place is above them.
const ACCEPT: u64 = 0;
const RECEIVE: u64 = 1;
const SEND: u64 = 2;

impl Ring {
    pub fn new() -> io::Result<Ring> {
        let ring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_cqsize(4 * ENTRIES)
            .build(ENTRIES)?;
        let buffers = Buffers::new(&ring)?;
        Ok(Ring { ring, buffers })
    }

    pub fn accept(&mut self, listener: &TcpListener) {
        let entry = opcode::AcceptMulti::new(Fd(listener.as_raw_fd())).build().user_data(ACCEPT);
        // SAFETY: it points to nothing.
        unsafe { self.push(entry) };
    }

    pub fn receive(&mut self, place: usize, socket: &OwnedFd) {
        let entry = opcode::RecvMulti::new(Fd(socket.as_raw_fd()), GROUP).build();
        // SAFETY: it points to nothing; the buffers are the ring's and live as long.
        unsafe { self.push(entry.user_data((place as u64) << 2 | RECEIVE)) };
    }

    /// # Safety
    /// The bytes must stay as and where they are until this has been completed.
    pub unsafe fn send(&mut self, place: usize, socket: &OwnedFd, bytes: &[u8]) {
        let entry =
            opcode::Send::new(Fd(socket.as_raw_fd()), bytes.as_ptr(), bytes.len() as u32).build();
        // SAFETY: the caller sees to it.
        unsafe { self.push(entry.user_data((place as u64) << 2 | SEND)) };
    }

    /// # Safety
    /// What the entry points to must live until it has been completed.
    unsafe fn push(&mut self, entry: squeue::Entry) {
        // SAFETY: the caller sees to it.
        while unsafe { self.ring.submission().push(&entry) }.is_err() {
            self.ring.submit().expect("the ring takes what it has room for");
        }
    }

    /// Submits what was asked for, waits until something is completed, and hands out all that is.
    pub fn wait(&mut self, mut handle: impl FnMut(Completion, &mut Ring)) -> io::Result<()> {
        match self.ring.submit_and_wait(1) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        while let Some(entry) = { self.ring.completion().next() } {
            self.complete(entry, &mut handle);
        }
        Ok(())
    }

    fn complete(&mut self, entry: cqueue::Entry, handle: &mut impl FnMut(Completion, &mut Ring)) {
        let (result, place) = (entry.result(), (entry.user_data() >> 2) as usize);
        match entry.user_data() & 3 {
            ACCEPT => {
                if result >= 0 {
                    // SAFETY: the kernel has just made it for us.
                    let socket = unsafe { OwnedFd::from_raw_fd(result) };
                    without_delay(&socket);
                    handle(Completion::Accepted(socket), self);
                }
                if !cqueue::more(entry.flags()) {
                    handle(Completion::AcceptEnded, self);
                }
            }
            RECEIVE if result == -libc::ENOBUFS => handle(Completion::OutOfBuffers { place }, self),
            RECEIVE if result <= 0 => handle(Completion::Ended { place }, self),
            RECEIVE => {
                let number =
                    cqueue::buffer_select(entry.flags()).expect("what is received is in a buffer");
                // SAFETY: it is ours from this completion until it is given back, and it does not move.
                let bytes = unsafe { self.buffers.filled(number, result as usize) };
                handle(Completion::Received { place, bytes }, self);
                self.buffers.give(number);
                if !cqueue::more(entry.flags()) {
                    handle(Completion::OutOfBuffers { place }, self);
                }
            }
            _ => {
                let bytes =
                    usize::try_from(result).map_err(|_| io::Error::from_raw_os_error(-result));
                handle(Completion::Sent { place, bytes }, self);
            }
        }
    }
}

/// TCP_NODELAY, as all servers have it here.
fn without_delay(socket: &OwnedFd) {
    let on: libc::c_int = 1;
    // SAFETY: the option is a number, and its length is told.
    unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_NODELAY,
            (&raw const on).cast(),
            size_of_val(&on) as u32,
        )
    };
}

/// Buffers that the kernel chooses from when something arrives, so that a connection that waits holds none.
struct Buffers {
    entries: *mut BufRingEntry,
    memory: *mut u8,
    tail: u16,
}

impl Buffers {
    fn new(ring: &IoUring) -> io::Result<Buffers> {
        let entries =
            allocate(size_of::<BufRingEntry>() * usize::from(BUFFERS)).cast::<BufRingEntry>();
        let memory = allocate(BUFFER_BYTES * usize::from(BUFFERS));
        // SAFETY: the entries are never freed.
        unsafe {
            ring.submitter().register_buf_ring_with_flags(entries as u64, BUFFERS, GROUP, 0)?
        };
        let mut buffers = Buffers { entries, memory, tail: 0 };
        (0..BUFFERS).for_each(|number| buffers.give(number));
        Ok(buffers)
    }

    /// # Safety
    /// The kernel has filled it, and it has not been given back since.
    unsafe fn filled<'a>(&self, number: u16, bytes: usize) -> &'a [u8] {
        // SAFETY: it lies in the memory, which is never freed.
        unsafe {
            std::slice::from_raw_parts(self.memory.add(usize::from(number) * BUFFER_BYTES), bytes)
        }
    }

    fn give(&mut self, number: u16) {
        // SAFETY: the entry at the tail is ours until the tail is moved behind it; both lie in the entries' memory.
        unsafe {
            let entry = &mut *self.entries.add(usize::from(self.tail % BUFFERS));
            entry.set_addr(self.memory.add(usize::from(number) * BUFFER_BYTES) as u64);
            entry.set_len(BUFFER_BYTES as u32);
            entry.set_bid(number);
            self.tail = self.tail.wrapping_add(1);
            let tail = BufRingEntry::tail(self.entries).cast::<AtomicU16>();
            (*tail).store(self.tail, Ordering::Release);
        }
    }
}

/// Memory from the beginning of a page, for as long as the process lives.
fn allocate(bytes: usize) -> *mut u8 {
    let layout = Layout::from_size_align(bytes, 4096).expect("it is a good size");
    // SAFETY: it has a size.
    let memory = unsafe { alloc_zeroed(layout) };
    if memory.is_null() {
        handle_alloc_error(layout)
    }
    memory
}
