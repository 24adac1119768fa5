//! What the tests share: a clock that is told, and members of a hub that keeps its rooms in memory.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part")]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use serde_json::Value;
use wskit_hub::{
    Closing, Connection, Delivery, Hub, Limits, Mailbox, Membership, Refusal, Timestamp, Visit,
};

/// 2025-10-09T08:53:20.000Z and so many milliseconds.
pub fn at(milliseconds: u64) -> Timestamp {
    Timestamp::from_unix_milliseconds(1_760_000_000_000 + milliseconds)
}

pub fn hub_with(change: impl FnOnce(&mut Limits)) -> Hub {
    let mut limits = Limits::default();
    change(&mut limits);
    Hub::new(limits, 0x5eed)
}

/// Joins a hub that keeps its rooms in memory, for which it never waits.
pub fn join(
    hub: &Hub,
    visit: &Visit,
    connection: &Connection,
    now: Timestamp,
) -> Result<(Membership, Mailbox), Refusal> {
    match pin!(hub.join(visit, connection, now)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(joined) => joined,
        Poll::Pending => panic!("joining waits for something"),
    }
}

/// What waits in the mailbox of a member who stays.
pub fn events(mailbox: &mut Mailbox) -> Vec<Value> {
    let deliveries = std::iter::from_fn(|| mailbox.try_next());
    deliveries.map(|delivery| event(&delivery.unwrap())).collect()
}

fn event(delivery: &Delivery) -> Value {
    serde_json::from_str(delivery.text()).unwrap()
}

/// A member and its mailbox, as one connection has them.
pub struct Client {
    pub membership: Membership,
    pub mailbox: Mailbox,
}

impl Client {
    pub fn enter(
        hub: &Hub,
        visit: &Visit,
        connection: &Connection,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let (membership, mailbox) = join(hub, visit, connection, now)?;
        Ok(Self { membership, mailbox })
    }

    pub fn join(hub: &Hub, room: &str, name: impl Into<Option<&'static str>>) -> Self {
        let name = name.into().map(Into::into);
        let visit = Visit { room: room.into(), name, ..Visit::default() };
        Self::enter(hub, &visit, &Connection::default(), at(0)).unwrap()
    }

    /// Joins and reads what came by then.
    pub fn quiet(hub: &Hub, room: &str, name: impl Into<Option<&'static str>>) -> Self {
        let mut client = Self::join(hub, room, name);
        client.events();
        client
    }

    pub fn send(&mut self, text: &str) {
        self.membership.receive_text(text, at(0));
    }

    /// What waits, up to the closing if there is one.
    pub fn events(&mut self) -> Vec<Value> {
        let deliveries = std::iter::from_fn(|| self.mailbox.try_next()?.ok());
        deliveries.map(|delivery| event(&delivery)).collect()
    }

    /// What kinds of events wait.
    pub fn kinds(&mut self) -> Vec<String> {
        self.events().iter().map(|event| event["event"].as_str().unwrap().to_owned()).collect()
    }

    /// The reasons of the errors that wait.
    pub fn errors(&mut self) -> Vec<String> {
        let reasons = self
            .events()
            .into_iter()
            .filter_map(|event| event.get("reason")?.as_str().map(String::from));
        reasons.collect()
    }

    pub fn closing(&mut self) -> Option<Closing> {
        std::iter::from_fn(|| self.mailbox.try_next()).find_map(Result::err)
    }
}
