//! What nodes tell each other beside what is kept.

use async_nats::Subscriber;
use bytes::Bytes;
use futures_util::StreamExt;

use crate::broker::Broker;

/// Carries short words from each node to all. What is told while there is no connection is lost, so it has to be told
/// again and again.
#[derive(Debug)]
pub struct Exchange {
    broker: Broker,
    heard: Option<Subscriber>,
}

impl Exchange {
    pub(crate) fn new(broker: Broker) -> Self {
        Self { broker, heard: None }
    }

    /// Tells all nodes, this one too.
    pub async fn tell(&self, words: String) {
        if self.broker.is_connected() {
            let told = self.broker.client.publish(self.broker.names.here(), words.into());
            let _another_time = told.await;
        }
    }

    /// What a node tells next; pending for ever if the connection is given up. Cancel safe.
    pub async fn next(&mut self) -> Bytes {
        if self.heard.is_none() {
            let subscribed = self.broker.client.subscribe(self.broker.names.here()).await;
            self.heard = subscribed.ok();
        }
        match &mut self.heard {
            Some(heard) => match heard.next().await {
                Some(message) => message.payload,
                None => std::future::pending().await,
            },
            None => std::future::pending().await,
        }
    }
}
