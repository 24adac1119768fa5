//! The thread that reads, so that nobody else waits for the disk.

use std::sync::mpsc::{Receiver, Sender};

use bytes::Bytes;
use redb::{Database, ReadableDatabase};
use tokio::sync::oneshot;

use super::ended;
use super::tables::{Entry, MESSAGES, MessageRow};
use crate::error::Error;
use crate::message::{Message, Page, Span};
use crate::store::Reading;

/// What somebody wants to read, and where the answer goes.
#[derive(Debug)]
pub(super) struct Question {
    entry: Entry,
    span: Span,
    answer: oneshot::Sender<Result<Vec<Message>, Error>>,
}

/// Asks the thread.
pub(super) fn ask(
    questions: Option<&Sender<Question>>,
    entry: Option<Entry>,
    span: Span,
) -> Reading {
    let Some(entry) = entry else {
        return Box::pin(std::future::ready(Ok(Page { position: None, messages: Vec::new() })));
    };
    let position = entry.position();
    let (answer, answered) = oneshot::channel();
    let asked = match questions {
        Some(questions) => questions.send(Question { entry, span, answer }).map_err(|_| ended()),
        None => Err(ended()),
    };
    Box::pin(async move {
        asked?;
        let messages = answered.await.map_err(|_| ended())??;
        Ok(Page { position: Some(position), messages })
    })
}

/// Answers until nobody can ask any more.
pub(super) fn run(database: &Database, questions: &Receiver<Question>) {
    for Question { entry, span, answer } in questions {
        // Who asked may have gone.
        if !answer.is_closed() {
            let messages = read(database, &entry, span);
            let _gone = answer.send(messages.map_err(|error| Error::Failed(error.to_string())));
        }
    }
}

fn read(database: &Database, entry: &Entry, span: Span) -> Result<Vec<Message>, redb::Error> {
    let from = span.from.max(entry.first);
    let to = span.to.min(entry.last);
    if from > to {
        return Ok(Vec::new());
    }
    let transaction = database.begin_read()?;
    let table = transaction.open_table(MESSAGES)?;
    let range = table.range((entry.number, from)..=(entry.number, to))?;
    let mut failure = None;
    let mut message = |row: Result<_, redb::StorageError>| {
        let (key, value): (
            redb::AccessGuard<'_, (u64, u64)>,
            redb::AccessGuard<'_, MessageRow<'_>>,
        ) = row.map_err(|error| failure = Some(error)).ok()?;
        let (time, _, payload) = value.value();
        Some(Message { offset: key.value().1, time, payload: Bytes::copy_from_slice(payload) })
    };
    let messages = if span.last_ones {
        let mut last_ones: Vec<_> = span.fitting(range.rev().map_while(&mut message)).collect();
        last_ones.reverse();
        last_ones
    } else {
        span.fitting(range.map_while(&mut message)).collect()
    };
    match failure {
        Some(error) => Err(error.into()),
        None => Ok(messages),
    }
}
