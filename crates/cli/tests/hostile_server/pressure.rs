//! Much of something: memory and processor time stay in proportion.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::raw::frame::{BINARY, PING, PONG, TEXT};
use crate::raw::{Frame, RawClient, Server, until};

const POLICY_VIOLATION: u16 = 1008;
const MIB: usize = 1 << 20;

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc")]
fn row_31_memory_follows_the_bytes_received_not_the_length_declared() {
    let server = Server::echo(&[
        "--max-message",
        "1073741824",
        "--message-timeout",
        "2",
        "--close-timeout",
        "0.5",
    ]);
    server.assert_well();
    let mut connections: Vec<_> = (0..32).map(|_| server.open()).collect();
    let (resident, reserved) = (server.memory("VmRSS"), server.memory("VmPeak"));
    for client in &mut connections {
        client.send(Frame::binary([0; 10]).declaring(1 << 30).encode());
    }
    for mut client in connections {
        client.expect_close(POLICY_VIOLATION); // the message's deadline has passed
    }
    // 32 GiB were announced.
    let (resident, reserved) =
        (server.memory("VmHWM") - resident, server.memory("VmPeak") - reserved);
    assert!(resident < 16 * MIB, "resident memory grew by {resident} bytes");
    assert!(reserved < 4096 * MIB, "address space grew by {reserved} bytes");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc")]
fn row_33_fragments_beyond_their_number_are_1008() {
    const FRAGMENTS_MAX: usize = 131_072;
    let server = Server::echo(&[]);
    server.assert_well();
    let before = server.memory("VmRSS");
    for fragment in ["", "x"] {
        let first = Frame::binary(fragment).unfinished().encode();
        let more = Frame::continuation(fragment).unfinished().encode();

        let mut client = server.open();
        client.send(
            [first.clone(), more.repeat(FRAGMENTS_MAX - 1), Frame::ping("alive").encode()].concat(),
        );
        client.expect(PONG, "alive");
        client.send(&more);
        client.expect_close(POLICY_VIOLATION);

        let last = Frame::continuation(fragment).encode();
        let mut client = server.open();
        client.send([first, more.repeat(FRAGMENTS_MAX - 2), last].concat());
        client.expect(BINARY, fragment.repeat(FRAGMENTS_MAX));
    }
    let grown = server.memory("VmHWM") - before;
    assert!(grown < 16 * MIB, "resident memory grew by {grown} bytes");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc")]
fn row_34_a_message_in_reads_of_one_byte_costs_linear_time_and_one_buffer() {
    let server = Server::echo(&["--max-message", "262144"]);
    server.assert_well();
    let before = server.memory("VmRSS");
    let cost = |messages: usize, length: usize| {
        let mut client = server.open();
        let payload = vec![b'x'; length];
        let frame = Frame::text(&payload).encode();
        let start = server.processor_time();
        for _ in 0..messages {
            frame.iter().for_each(|byte| client.send([*byte]));
            client.expect(TEXT, &payload);
        }
        server.processor_time() - start
    };
    // As many reads either way; what one message costs beyond that is work done again for every byte.
    // On a busy machine some runs take longer for other reasons, but not all of them.
    let tries = [(); 3].map(|()| (cost(64, 4096), cost(1, 262_144)));
    let is_linear = |(in_many, in_one): &(Duration, Duration)| {
        *in_one < 4 * (*in_many).max(Duration::from_millis(100))
    };
    assert!(tries.iter().any(is_linear), "64 short messages and a long one took {tries:?}");
    let grown = server.memory("VmHWM") - before;
    assert!(grown < 16 * MIB, "resident memory grew by {grown} bytes");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc")]
fn row_41_unread_pongs_do_not_pile_up_and_stray_pongs_are_ignored() {
    const PINGS: usize = 400_000; // some 50 MB of pongs, more than the kernel's buffers hold
    let server = Server::echo(&[]);
    server.assert_well();
    let before = server.memory("VmRSS");
    let mut client = server.open();
    let payload = |n: usize| format!("{n:0>125}");
    flood(
        &mut client,
        PINGS,
        |n| Frame::ping(payload(n)),
        |client| {
            let grown = server.memory("VmHWM") - before;
            assert!(grown < 8 * MIB, "resident memory grew by {grown} bytes");

            // §5.5.3: pongs may be left out, but come in order, and the last ping is answered.
            let mut last = None;
            while last != Some(PINGS - 1) {
                let pong = client.frame().unwrap_or_else(|| {
                    panic!("the connection ended after pong {last:?}: {:?}", client.ending())
                });
                assert_eq!(pong.opcode, PONG);
                let number = std::str::from_utf8(&pong.payload).unwrap().parse().unwrap();
                assert!(last < Some(number), "pong {number} after {last:?}");
                last = Some(number);
            }
        },
    );

    client.send_frame(&Frame::pong("nobody asked"));
    client.send_frame(&Frame::pong(""));
    client.send_frame(&Frame::text("go on"));
    client.expect(TEXT, "go on");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc")]
fn row_47_a_stalled_reader_is_bounded_and_delays_nobody() {
    let server =
        Server::echo(&["--threads", "1", "--output-max", "1048576", "--keepalive-interval", "off"]);
    server.assert_well();
    let before = server.memory("VmRSS");
    let mut stalled = server.open();
    flood(
        &mut stalled,
        1_000,
        |_| Frame::binary([0; 65_536]),
        |_| {
            let mut other = server.open();
            for _ in 0..100 {
                other.send_frame(&Frame::text("still served?"));
                other.expect(TEXT, "still served?");
            }
            // 64 MB were to be echoed to a client that reads none of it.
            let grown = server.memory("VmHWM") - before;
            assert!(grown < 8 * MIB, "resident memory grew by {grown} bytes");
        },
    );
}

#[test]
fn who_sends_two_long_messages_before_reading_gets_both_back() {
    // The first is more than the server lets wait, and than the buffers of the two sockets hold.
    let server = Server::echo(&[]);
    let payload = vec![7; 16 * MIB];
    let message = Frame::binary(&payload).encode();
    let mut client = server.open();
    (0..2).for_each(|_| client.send(&message));
    (0..2).for_each(|_| client.expect(BINARY, &payload));
}

#[test]
fn row_47_a_stalled_member_does_not_delay_the_others_of_its_room() {
    let server = Server::serve(&[]);
    let room = server.request().line("GET /chat/stalled HTTP/1.1");
    let (_stalled, mut speaker, mut listener) =
        (server.open_with(&room), server.open_with(&room), server.open_with(&room));
    for n in 0..5 {
        let sentence = format!("sentence number {n}");
        speaker.send_frame(&Frame::text(&sentence));
        loop {
            let event = listener.frame().expect("an open connection");
            if event.opcode == PING {
                listener.send_frame(&Frame::pong(event.payload));
            } else if String::from_utf8_lossy(&event.payload).contains(&sentence) {
                break;
            }
        }
    }
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc")]
fn row_48_running_out_of_file_descriptors_does_not_end_the_accept_loop() {
    let server = Server::echo_with_open_files_max(48);
    let mut early = server.open();
    let crowd: Vec<_> = (0..64).map(|_| server.connect()).collect();
    until("no descriptor is left", || server.open_files() >= 48);

    // While none is left, the server serves whom it has, and does not spin.
    early.send_frame(&Frame::text("x"));
    early.expect(TEXT, "x");
    let before = server.processor_time();
    thread::sleep(Duration::from_millis(500));
    let spent = server.processor_time() - before;
    assert!(
        spent < Duration::from_millis(100),
        "{spent:?} of processor time in half a second of nothing"
    );

    drop(crowd);
    server.assert_well();
}

/// Sends frames without reading, until all are sent or nothing has moved for a while; then runs `judge` while the
/// rest still waits. A server may read on or stop reading: the judge looks at what it cost.
fn flood(
    client: &mut RawClient,
    count: usize,
    frame: impl Fn(usize) -> Frame + Sync,
    judge: impl FnOnce(&mut RawClient),
) {
    let (sent, mut stream) = (AtomicUsize::new(0), client.stream());
    thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..count {
                // A server may also drop whoever does not read.
                if stream.write_all(&frame(n).encode()).is_err() {
                    break;
                }
                sent.store(n + 1, Ordering::Relaxed);
            }
        });
        let (mut last, mut since) = (0, Instant::now());
        while last < count && since.elapsed() < Duration::from_millis(700) {
            thread::sleep(Duration::from_millis(20));
            let now = sent.load(Ordering::Relaxed);
            if now != last {
                (last, since) = (now, Instant::now());
            }
        }
        judge(client);
        // Frees a writer that still waits for whoever no longer reads.
        if sent.load(Ordering::Relaxed) < count {
            client.stream().shutdown(std::net::Shutdown::Both).ok();
        }
    });
}
