//! What is asked of the NATS server.

mod reading;

use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::context::{PublishAckFuture, PublishError};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::response::Response;
use async_nats::jetstream::stream::{
    Config, Info, LastRawMessageErrorKind, Republish, StorageType, Stream,
};
use async_nats::jetstream::{Context, ErrorCode};
use async_nats::{Client, Subscriber};
use bytes::Bytes;
use futures_util::TryStreamExt;
use serde_json::{Value, json};
use wskit_store::{Bounds, Error};

use crate::names::Names;
use crate::record::{After, Record};

pub(crate) use reading::Stored;

/// A connection to NATS, and what everything is called there. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Broker {
    pub(crate) client: Client,
    pub(crate) jetstream: Context,
    pub(crate) names: Names,
    pub(crate) replicas: usize,
}

/// What became of the wish to begin a stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Begun {
    Here,
    /// Another node has begun one.
    Elsewhere,
}

/// JetStream knows for so long which attempts it has kept; only those under way at the same time matter.
const ATTEMPTS_KNOWN_FOR: Duration = Duration::from_secs(30);

/// The server keeps nothing for a shorter time.
const AGE_MIN: Duration = Duration::from_millis(100);

impl Broker {
    pub(crate) fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// What is kept of a room comes as messages from now on, each once, unless the network loses it.
    pub(crate) async fn subscribe(&self, room: &str) -> Result<Subscriber, Error> {
        self.client.subscribe(self.names.kept(room)).await.map_err(|error| failed(&error))
    }

    /// The stream of a room, if there is one.
    pub(crate) async fn find(&self, room: &str) -> Result<Option<String>, Error> {
        let names =
            self.ask("STREAM.NAMES", &json!({ "subject": self.names.subject(room) })).await?;
        Ok(names["streams"][0].as_str().map(str::to_owned))
    }

    /// How many streams all rooms have.
    pub(crate) async fn count(&self) -> Result<usize, Error> {
        // The number alone is wanted, and no names.
        let question = json!({ "subject": self.names.all_subjects(), "offset": u32::MAX });
        let names = self.ask("STREAM.NAMES", &question).await?;
        Ok(names["total"]
            .as_u64()
            .and_then(|total| usize::try_from(total).ok())
            .unwrap_or_default())
    }

    /// The rooms whose streams have no message: all are too old, or nobody came as far as putting one in.
    pub(crate) async fn empty(&self) -> Result<Vec<String>, Error> {
        let mut empty = Vec::new();
        let mut streams = self.jetstream.streams();
        while let Some(info) = streams.try_next().await.map_err(|error| failed(&error))? {
            if info.state.messages == 0 {
                empty.extend(self.names.room(&info.config.name));
            }
        }
        Ok(empty)
    }

    /// How a stream is and where it stands, if it is there.
    pub(crate) async fn info(&self, stream: &str) -> Result<Option<Info>, Error> {
        let asked = self.jetstream.request(format!("STREAM.INFO.{stream}"), &());
        match asked.await.map_err(|error| failed(&error))? {
            Response::Ok(info) => Ok(Some(info)),
            Response::Err { error } if error.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                Ok(None)
            }
            Response::Err { error } => Err(failed(&error)),
        }
    }

    pub(crate) async fn begin(
        &self,
        room: &str,
        epoch: &str,
        bounds: &Bounds,
    ) -> Result<Begun, Error> {
        let config = self.config(room, epoch, bounds);
        let subject = format!("STREAM.CREATE.{}", config.name);
        let mut answer = self.jetstream.request(subject.clone(), &config).await;
        // A server that deletes its last stream removes the folder of all, and one that is begun meanwhile misses it.
        if matches!(&answer, Ok(Response::Err { error }) if error.error_code() == ErrorCode::STREAM_CREATE)
        {
            answer = self.jetstream.request(subject, &config).await;
        }
        match answer.map_err(|error| failed(&error))? {
            Response::Ok::<Value>(_) => Ok(Begun::Here),
            Response::Err { error } => match error.error_code() {
                ErrorCode::STREAM_SUBJECT_OVERLAP | ErrorCode::STREAM_NAME_EXIST => {
                    Ok(Begun::Elsewhere)
                }
                _ => Err(failed(&error)),
            },
        }
    }

    /// Sees to it that a stream is as this node would have begun it, if it was begun by one that was set otherwise.
    pub(crate) async fn adapt(
        &self,
        found: &Config,
        room: &str,
        epoch: &str,
        bounds: &Bounds,
    ) -> Result<(), Error> {
        let wanted = self.config(room, epoch, bounds);
        let as_set = |config: &Config| (config.max_messages, config.max_age, config.num_replicas);
        if as_set(found) == as_set(&wanted) {
            return Ok(());
        }
        let subject = format!("STREAM.UPDATE.{}", wanted.name);
        self.ask(&subject, &serde_json::to_value(&wanted).unwrap_or_default()).await.map(drop)
    }

    fn config(&self, room: &str, epoch: &str, bounds: &Bounds) -> Config {
        let age_max = bounds.age_max.max(AGE_MIN);
        let longest = Duration::from_nanos(i64::MAX as u64);
        Config {
            name: self.names.stream(room, epoch),
            subjects: vec![self.names.subject(room)],
            max_messages: i64::try_from(bounds.messages_max.max(1)).unwrap_or(-1),
            max_bytes: -1,
            max_messages_per_subject: -1,
            max_message_size: -1,
            max_consumers: -1,
            // For ever is zero.
            max_age: if age_max >= longest { Duration::ZERO } else { age_max },
            storage: StorageType::File,
            num_replicas: self.replicas,
            // The server wants it to be no longer than messages are kept.
            duplicate_window: ATTEMPTS_KNOWN_FOR.min(age_max),
            // The offsets have no gap.
            deny_delete: true,
            republish: Some(Republish {
                source: self.names.subject(room),
                destination: self.names.kept(room),
                headers_only: false,
            }),
            allow_direct: true,
            ..Config::default()
        }
    }

    /// Publishes a message; what becomes of it is told by the future that is returned.
    pub(crate) async fn publish(
        &self,
        room: &str,
        after: &After<'_>,
        record: &Record,
        payload: Bytes,
    ) -> Result<PublishAckFuture, PublishError> {
        let message = PublishMessage::build().headers(record.headers(after)).payload(payload);
        self.jetstream.send_publish(self.names.subject(room), message).await
    }

    /// Lets go of the messages before this offset.
    pub(crate) async fn purge(&self, stream: &str, first: u64) -> Result<(), Error> {
        self.ask(&format!("STREAM.PURGE.{stream}"), &json!({ "seq": first })).await.map(drop)
    }

    /// Deletes a stream that is over, unless there is another of its name.
    pub(crate) async fn delete_ended(&self, stream: &str) -> Result<(), Error> {
        match self.is_ended(stream).await? {
            true => self.delete(stream).await,
            false => Ok(()),
        }
    }

    /// Whether the last message of a stream is its end.
    async fn is_ended(&self, stream: &str) -> Result<bool, Error> {
        let Some(info) = self.info(stream).await? else { return Ok(false) };
        if info.state.messages == 0 {
            return Ok(false);
        }
        match self.handle(stream).await?.get_raw_message(info.state.last_sequence).await {
            Ok(message) => Ok(Stored::from(message).record.is_end),
            Err(error) => match error.kind() {
                LastRawMessageErrorKind::NoMessageFound => Ok(false),
                // Another node was faster.
                LastRawMessageErrorKind::JetStream(error)
                    if error.error_code() == ErrorCode::STREAM_NOT_FOUND =>
                {
                    Ok(false)
                }
                _ => Err(failed(&error)),
            },
        }
    }

    /// Sees to it that a stream is gone.
    pub(crate) async fn delete(&self, stream: &str) -> Result<(), Error> {
        let nothing = json!({});
        let asked = self.jetstream.request(format!("STREAM.DELETE.{stream}"), &nothing);
        match asked.await.map_err(|error| failed(&error))? {
            Response::Ok::<Value>(_) => Ok(()),
            Response::Err { error } if error.error_code() == ErrorCode::STREAM_NOT_FOUND => Ok(()),
            Response::Err { error } => Err(failed(&error)),
        }
    }

    async fn handle(&self, stream: &str) -> Result<Stream<()>, Error> {
        self.jetstream.get_stream_no_info(stream).await.map_err(|error| failed(&error))
    }

    async fn ask(&self, subject: &str, question: &Value) -> Result<Value, Error> {
        let asked = self.jetstream.request(subject.to_owned(), question);
        match asked.await.map_err(|error| failed(&error))? {
            Response::Ok(answer) => Ok(answer),
            Response::Err { error } => Err(failed(&error)),
        }
    }
}

/// There is no connection just now.
pub(crate) fn away() -> Error {
    Error::Failed("NATS: the server is away".into())
}

pub(crate) fn failed(error: &dyn std::error::Error) -> Error {
    Error::Failed(words(error))
}

/// The error with what is behind it.
pub(crate) fn words(error: &dyn std::error::Error) -> String {
    let mut words = format!("NATS: {error}");
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !words.contains(&more) {
            words += &format!(": {more}");
        }
        source = error.source();
    }
    words
}
