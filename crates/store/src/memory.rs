//! Streams that end with the process.

use std::collections::VecDeque;
use std::collections::hash_map::{Entry, HashMap};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;

use crate::bounds::Bounds;
use crate::commits::{Commits, lock};
use crate::error::Error;
use crate::message::{Append, Commit, Message, Outcome, Page, Position, Span};
use crate::statistics::Statistics;
use crate::store::{Reading, Store};

/// Keeps streams in memory. Every append is committed at once.
#[derive(Debug)]
pub struct Memory<T> {
    bounds: Bounds,
    streams: Mutex<Streams>,
    commits: Commits<T>,
}

#[derive(Debug, Default)]
struct Streams {
    by_name: HashMap<Arc<str>, Stream>,
    statistics: Statistics,
}

#[derive(Debug)]
struct Stream {
    epoch: Arc<str>,
    messages: VecDeque<(Message, Option<Bytes>)>,
    offsets_by_id: HashMap<Bytes, u64>,
    bytes: u64,
    last: u64,
    last_time: u64,
}

impl<T> Memory<T> {
    /// A store without streams.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, streams: Mutex::default(), commits: Commits::default() }
    }
}

impl<T: Send> Store<T> for Memory<T> {
    fn position(&self, stream: &str) -> Option<Position> {
        lock(&self.streams).by_name.get(stream).map(Stream::position)
    }

    fn append_all(&self, appends: &mut Vec<Append<T>>) {
        let mut streams = lock(&self.streams);
        // Under the lock still, so that the commits come in the order of their offsets.
        let commits = appends.drain(..).map(|append| streams.append(append, &self.bounds));
        self.commits.put_without_waking(commits);
    }

    fn poll_committed(&self, context: &mut Context<'_>) -> Poll<Commit<T>> {
        self.commits.poll(context)
    }

    fn try_committed(&self) -> Option<Commit<T>> {
        self.commits.next()
    }

    fn read(&self, stream: &str, span: Span) -> Reading {
        let streams = lock(&self.streams);
        let page = match streams.by_name.get(stream) {
            Some(stream) => Page { position: Some(stream.position()), messages: stream.read(span) },
            None => Page { position: None, messages: Vec::new() },
        };
        Box::pin(std::future::ready(Ok(page)))
    }

    fn expire(&self, now: u64) {
        let too_old_at = self.bounds.too_old_at(now);
        lock(&self.streams).by_name.retain(|_, stream| {
            stream.drop_until(too_old_at);
            stream.last_time >= too_old_at
        });
    }

    fn statistics(&self) -> Statistics {
        let streams = lock(&self.streams);
        Statistics { streams: streams.by_name.len(), ..streams.statistics.clone() }
    }
}

impl Streams {
    fn append<T>(&mut self, append: Append<T>, bounds: &Bounds) -> Commit<T> {
        let Append { stream: name, epoch, id, time, payload, tag } = append;
        let Self { by_name, statistics } = self;
        let is_full = by_name.len() >= bounds.streams_max;
        let stream = match by_name.entry(name.clone()) {
            Entry::Occupied(known) => Some(known.into_mut()),
            Entry::Vacant(_) if is_full => None,
            Entry::Vacant(new) => Some(new.insert(Stream::new(epoch.clone()))),
        };
        let (epoch, outcome) = match stream {
            Some(stream) => {
                let outcome = stream.append(id, time, payload, bounds);
                (stream.epoch.clone(), outcome)
            }
            None => (epoch, Outcome::Refused(Error::TooManyStreams)),
        };
        match outcome {
            Outcome::Kept(_) => statistics.kept += 1,
            Outcome::Known(_) => statistics.known += 1,
            Outcome::Refused(_) => statistics.refused += 1,
        }
        Commit { stream: name, epoch, outcome, tag: Some(tag) }
    }
}

impl Stream {
    fn new(epoch: Arc<str>) -> Self {
        let (messages, offsets_by_id) = Default::default();
        Self { epoch, messages, offsets_by_id, bytes: 0, last: 0, last_time: 0 }
    }

    fn position(&self) -> Position {
        let first = self.messages.front().map_or(self.last + 1, |(message, _)| message.offset);
        Position { epoch: self.epoch.clone(), first, last: self.last }
    }

    fn append(&mut self, id: Option<Bytes>, time: u64, payload: Bytes, bounds: &Bounds) -> Outcome {
        if let Some(offset) = id.as_ref().and_then(|id| self.offsets_by_id.get(id)) {
            return Outcome::Known(*offset);
        }
        self.last += 1;
        self.last_time = time;
        let message = Message { offset: self.last, time, payload };
        if let Some(id) = &id {
            self.offsets_by_id.insert(id.clone(), self.last);
        }
        self.bytes += message.payload.len() as u64;
        self.messages.push_back((message.clone(), id));
        while self.messages.len() as u64 > bounds.messages_max || self.bytes > bounds.bytes_max {
            self.drop_first();
        }
        self.drop_until(bounds.too_old_at(time));
        Outcome::Kept(message)
    }

    fn read(&self, span: Span) -> Vec<Message> {
        let messages = self.messages.iter().map(|(message, _)| message);
        let within = messages.filter(|message| (span.from..=span.to).contains(&message.offset));
        if span.last_ones {
            let mut last_ones: Vec<_> = span.fitting(within.rev().cloned()).collect();
            last_ones.reverse();
            last_ones
        } else {
            span.fitting(within.cloned()).collect()
        }
    }

    fn drop_until(&mut self, too_old_at: u64) {
        while self.messages.front().is_some_and(|(message, _)| message.time < too_old_at) {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        let Some((message, id)) = self.messages.pop_front() else { return };
        self.bytes -= message.payload.len() as u64;
        if let Some(id) = id {
            self.offsets_by_id.remove(&id);
        }
    }
}
