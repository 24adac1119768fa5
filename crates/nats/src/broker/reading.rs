//! What a stream keeps, as the server tells of it.

use std::ops::RangeInclusive;
use std::time::Duration;

use async_nats::Message;
use async_nats::header::{NATS_SEQUENCE, NATS_STREAM};
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy, pull};
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{DirectGetErrorKind, LastRawMessageErrorKind};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use wskit_store::Error;

use super::{Broker, failed};
use crate::kept::Entry;
use crate::record::{Record, number};

/// A message as JetStream keeps it.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) offset: u64,
    pub(crate) record: Record,
    pub(crate) payload: Bytes,
}

/// How long the payload is, where only the headers are told.
const PAYLOAD_BYTES: &str = "Nats-Msg-Size";

/// So many messages are asked for at a time.
const REQUESTS_AT_ONCE: usize = 64;

/// So many headers are read at a time.
const HEADERS_AT_ONCE: usize = 1_000;

impl Broker {
    /// The messages at these offsets, as many of them as there still are, in their order.
    pub(crate) async fn fetch(
        &self,
        stream_name: &str,
        offsets: RangeInclusive<u64>,
    ) -> Result<Vec<Stored>, Error> {
        let stream = &self.handle(stream_name).await?;
        let one = async |offset| match stream.direct_get(offset).await {
            Ok(message) => Ok(Some(message)),
            // A replica answers, which may be behind; the leader knows whether it is gone.
            Err(error) if error.kind() == DirectGetErrorKind::NotFound => {
                match stream.get_raw_message(offset).await {
                    Ok(message) => Ok(Some(message)),
                    Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => {
                        Ok(None)
                    }
                    Err(error) => Err(failed(&error)),
                }
            }
            Err(error) => Err(failed(&error)),
        };
        let wanted = offsets.clone();
        let messages = futures_util::stream::iter(offsets).map(one).buffered(REQUESTS_AT_ONCE);
        let mut messages: Vec<_> = messages
            .try_filter_map(async |message| Ok(message.map(Stored::from)))
            .try_collect()
            .await?;
        // A busy server may not find what it has. What is gone is gone from the front, for nothing else is deleted.
        let mut first_there = *wanted.end() + 1;
        let without_gap = messages.iter().rev().take_while(|message| {
            let follows = message.offset + 1 == first_there;
            first_there -= u64::from(follows);
            follows
        });
        let count = without_gap.count();
        messages.drain(..messages.len() - count);
        if first_there > *wanted.start()
            && let Some(info) = self.info(stream_name).await?
            && first_there > info.state.first_sequence
        {
            return Err(Error::Failed(format!("NATS: {stream_name} cannot be read just now")));
        }
        Ok(messages)
    }

    /// What there is to know of the messages up to this offset without their payloads, each with its offset.
    pub(crate) async fn scan(
        &self,
        stream: &str,
        to: u64,
    ) -> Result<Vec<(u64, Record, Entry)>, Error> {
        let mut found = Vec::new();
        let stream = self.handle(stream).await?;
        let consumer: Consumer<pull::Config> = stream
            .create_consumer(pull::Config {
                deliver_policy: DeliverPolicy::All,
                ack_policy: AckPolicy::None,
                headers_only: true,
                memory_storage: true,
                num_replicas: 1,
                inactive_threshold: Duration::from_secs(30),
                ..pull::Config::default()
            })
            .await
            .map_err(|error| failed(&error))?;
        let mut last = 0;
        while last < to {
            let batch = consumer.fetch().max_messages(HEADERS_AT_ONCE).messages().await;
            let mut batch = batch.map_err(|error| failed(&error))?;
            let before = last;
            while let Some(message) =
                batch.try_next().await.map_err(|error| Error::Failed(error.to_string()))?
            {
                last = message
                    .info()
                    .map_err(|error| Error::Failed(error.to_string()))?
                    .stream_sequence;
                let headers = message.headers.clone().unwrap_or_default();
                let payload_bytes = number(&headers, PAYLOAD_BYTES).unwrap_or_default();
                let record = Record::parse(&headers);
                let entry = Entry { payload_bytes, id: record.id };
                found.push((last, record, entry));
            }
            if last == before {
                break;
            }
        }
        // The server lets go of it by itself if this does not arrive.
        let _the_network_may_fail = stream.delete_consumer(&consumer.cached_info().name).await;
        Ok(found)
    }
}

impl Stored {
    /// A message as the server tells of it when it has kept it, and the stream that keeps it.
    pub(crate) fn told(message: Message) -> Option<(String, Self)> {
        let headers = message.headers.unwrap_or_default();
        let stream = headers.get(NATS_STREAM)?.as_str().to_owned();
        let offset = number(&headers, NATS_SEQUENCE.as_ref())?;
        Some((stream, Self { offset, record: Record::parse(&headers), payload: message.payload }))
    }
}

impl From<StreamMessage> for Stored {
    fn from(message: StreamMessage) -> Self {
        let StreamMessage { sequence, headers, payload, .. } = message;
        Self { offset: sequence, record: Record::parse(&headers), payload }
    }
}
