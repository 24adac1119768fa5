//! Messages for many connections: they are compressed, joined and kept once for all.

#[path = "common/compressed.rs"]
mod compressed;

use compressed::{drain, open, shared};
use wskit_proto::{Compression, Joined, Limits, Message, Output, Prepared, SendError};

#[test]
fn a_prepared_message_is_compressed_once_for_all() {
    let news =
        Prepared::text("all the news that fits, and all the news that does not fit".repeat(200));
    let mut frames = Vec::new();
    for _ in 0..3 {
        let (_, mut server) = open(shared(), shared(), Limits::default());
        let mut output = Output::default();
        server.send_prepared(&news, &mut output).unwrap();
        frames.push(drain(&mut output));
    }
    assert!(frames.iter().all(|frame| *frame == frames[0] && frame.len() < 400));
    // So long even when compressed that it is shared, not copied.
    let numbers: String = (0..4000_u64).map(|n| (n * n * 48_271 % 99_991).to_string()).collect();
    let long = Prepared::text(numbers);
    let places = [(); 2].map(|()| {
        let (_, mut server) = open(shared(), shared(), Limits::default());
        let mut output = Output::default();
        server.send_prepared(&long, &mut output).unwrap();
        assert!(output.len() < 12_000, "it is compressed");
        output.chunks().last().unwrap().as_ptr()
    });
    assert_eq!(places[0], places[1], "it is compressed once");
    let (_, mut plain) = open(Compression::off(), shared(), Limits::default());
    let mut output = Output::default();
    plain.send_prepared(&news, &mut output).unwrap();
    let shared_memory = output.chunks().last().unwrap().as_ptr();
    let (_, mut plain) = open(Compression::off(), shared(), Limits::default());
    let mut output = Output::default();
    plain.send_prepared(&news, &mut output).unwrap();
    assert_eq!(output.chunks().last().unwrap().as_ptr(), shared_memory, "nothing is copied");
}

#[test]
fn joined_messages_are_sent_as_each_by_itself_would_be() {
    let messages = ["news", "", "other news, and other news, and other news"].map(Prepared::text);
    let joined = Joined::from(messages.to_vec());
    for (one_by_one, together) in [
        (open(shared(), shared(), Limits::default()), open(shared(), shared(), Limits::default())),
        (
            open(shared(), Compression::off(), Limits::default()),
            open(shared(), Compression::off(), Limits::default()),
        ),
    ] {
        for (mut one_by_one, mut together) in
            [(one_by_one.0, together.0), (one_by_one.1, together.1)]
        {
            let (mut expected, mut output) = Default::default();
            messages.iter().for_each(|one| one_by_one.send_prepared(one, &mut expected).unwrap());
            together.send_joined(&joined, &mut output).unwrap();
            assert_eq!(drain(&mut output), drain(&mut expected));
            together.send(Message::Close(None), &mut output).unwrap();
            assert_eq!(together.send_joined(&joined, &mut output), Err(SendError::Closed));
        }
    }
}

#[test]
fn long_joined_messages_are_shared_and_not_copied() {
    let joined = Joined::from(vec![Prepared::binary(vec![7; 30_000]); 2]);
    let places = [(); 2].map(|()| {
        let (_, mut server) = open(shared(), Compression::off(), Limits::default());
        let mut output = Output::default();
        server.send_joined(&joined, &mut output).unwrap();
        assert_eq!((output.len(), output.chunks().count()), (2 * (4 + 30_000), 1));
        output.chunks().next().unwrap().as_ptr()
    });
    assert_eq!(places[0], places[1], "they are joined once");
}
