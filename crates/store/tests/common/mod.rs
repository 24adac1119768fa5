//! Asking a store, and waiting for its answers.

// Each test program uses a part of this.
#![allow(dead_code)]

use std::future::{Future, poll_fn};
use std::time::{Duration, Instant};

use wskit_store::{Append, Commit, Following, Message, Outcome, Page, Position, Span, Store};

/// No answer takes longer.
const WAIT_MAX: Duration = Duration::from_secs(30);

pub(crate) type AnyStore = Box<dyn Store<u32>>;

/// The answer, if it comes.
pub(crate) fn wait<F: Future>(answer: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(WAIT_MAX, answer).await.expect("no answer") })
}

/// A message to the stream at this time.
pub(crate) fn message(
    stream: &str,
    id: Option<&str>,
    time: u64,
    payload: &str,
    tag: u32,
) -> Append<u32> {
    Append {
        stream: stream.into(),
        epoch: format!("epoch of {tag}").into(),
        id: id.map(|id| id.to_owned().into()),
        time,
        payload: payload.to_owned().into(),
        tag,
    }
}

/// Appends and waits for what becomes of it.
pub(crate) fn append(
    store: &dyn Store<u32>,
    stream: &str,
    id: Option<&str>,
    time: u64,
    payload: &str,
) -> Outcome {
    store.append(message(stream, id, time, payload, 7));
    let commit = commit(store);
    assert_eq!((&*commit.stream, commit.tag), (stream, Some(7)), "{commit:?}");
    commit.outcome
}

/// Appends what has to be kept, and gives its offset.
pub(crate) fn keep(store: &dyn Store<u32>, stream: &str, payload: &str) -> u64 {
    kept(append(store, stream, None, 0, payload)).offset
}

pub(crate) fn follow(store: &dyn Store<u32>, stream: &str) -> Following {
    wait(store.follow(stream)).unwrap()
}

/// Where a stream stands.
pub(crate) fn position(store: &dyn Store<u32>, stream: &str) -> Option<Position> {
    let _following = follow(store, stream);
    store.position(stream)
}

/// Waits until it is so.
pub(crate) fn until(what: impl Fn() -> bool) {
    let began = Instant::now();
    while !what() {
        assert!(began.elapsed() < WAIT_MAX, "it does not come to be");
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub(crate) fn kept(outcome: Outcome) -> Message {
    match outcome {
        Outcome::Kept(message) => message,
        other => panic!("{other:?}"),
    }
}

/// The next commit.
pub(crate) fn commit(store: &dyn Store<u32>) -> Commit<u32> {
    wait(poll_fn(|context| store.poll_committed(context)))
}

pub(crate) const ALL: Span = Span {
    from: 1,
    to: u64::MAX,
    last_ones: false,
    messages_max: usize::MAX,
    bytes_max: usize::MAX,
};

pub(crate) fn read(store: &dyn Store<u32>, stream: &str, span: Span) -> Page {
    wait(store.read(stream, span)).unwrap()
}

/// The offsets and payloads of a span.
pub(crate) fn told(store: &dyn Store<u32>, stream: &str, span: Span) -> Vec<(u64, String)> {
    let messages = read(store, stream, span).messages.into_iter();
    let text = |message: &Message| String::from_utf8(message.payload.to_vec()).unwrap();
    messages.map(|message| (message.offset, text(&message))).collect()
}

pub(crate) fn offsets(store: &dyn Store<u32>, stream: &str, span: Span) -> Vec<u64> {
    told(store, stream, span).into_iter().map(|(offset, _)| offset).collect()
}
