//! A conversation, from the open connection to its end.

use super::farewell::{self, Farewell};
use super::happening::{Awaited, Happening, Sources};
use super::input::Input;
use super::interrupt::Interrupt;
use super::pings::Pings;
use super::record::{Direction, Record};
use super::screen::Screen;
use super::statistics::{self, Statistics};
use super::typed::{self, Command};
use crate::failure::{Failure, Kind};
use crate::printable::{printable, printable_bytes};
use crate::seconds::shown;
use bytes::Bytes;
use std::{fmt, time::Duration};
use tokio::sync::mpsc;
use tokio::time::Instant;
use wskit::reconnect::Ended;
use wskit::{ClientStream, CloseFrame, Error, Message, SendError, WebSocket};

/// How the conversation goes.
#[derive(Debug)]
pub(super) struct SessionOptions {
    /// Close when this many messages have arrived.
    pub(super) expected: Option<u64>,
    /// How long the peer may be silent after the end of the input.
    pub(super) linger: Option<Duration>,
    /// How often a Ping is sent.
    pub(super) ping_interval: Option<Duration>,
    /// Every Ping and Pong is told of.
    pub(super) shows_control: bool,
    /// A connection that is lost is not the end.
    pub(super) reconnects: bool,
}

pub(super) struct Session {
    pub(super) sources: Sources,
    pub(super) screen: Screen,
    pub(super) statistics: Statistics,
    options: SessionOptions,
    pings: Pings,
    pings_sent: u64,
    next_ping: Option<Instant>,
    /// When the peer has been silent for long enough.
    silent_until: Option<Instant>,
    /// How many messages have arrived.
    received: u64,
    stage: Stage,
}

/// How far the input has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// There may be more.
    Reading,
    /// It has ended. The peer has not yet shown that it has seen it all.
    Ended,
    /// The peer has answered the last Ping.
    Seen,
}

/// How much longer than the silence after it the answer to the last Ping is waited for.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// The payload of the Ping that follows the end of the input.
const LAST_PING: &[u8] = b"end of input";

impl Session {
    pub(super) fn new(
        socket: WebSocket<ClientStream>,
        input: mpsc::Receiver<Input>,
        interrupt: Interrupt,
        screen: Screen,
        options: SessionOptions,
    ) -> Session {
        let next_ping = options.ping_interval.and_then(after);
        Session {
            sources: Sources { socket, input, interrupt, input_first: false },
            screen,
            statistics: Statistics::default(),
            options,
            pings: Pings::default(),
            pings_sent: 0,
            next_ping,
            silent_until: None,
            received: 0,
            stage: Stage::Reading,
        }
    }

    /// Converses until one side closes the connection or it is lost. Gives how it ended if another may
    /// take its place.
    pub(super) async fn run(&mut self) -> Result<Option<Ended>, Failure> {
        let ended = self.converse().await;
        self.statistics.ended(&self.sources.socket);
        ended
    }

    /// Goes on with another connection.
    pub(super) fn go_on(&mut self, socket: WebSocket<ClientStream>) -> Result<(), Failure> {
        self.sources.socket = socket;
        self.pings = Pings::default();
        self.next_ping = self.options.ping_interval.and_then(after);
        if self.stage != Stage::Reading {
            self.end_of_input()?;
        }
        Ok(())
    }

    async fn converse(&mut self) -> Result<Option<Ended>, Failure> {
        loop {
            let awaited = Awaited {
                input: self.stage == Stage::Reading,
                ping_at: self.next_ping,
                silent_until: self.silent_until,
            };
            let farewell = match self.sources.next(awaited).await {
                Happening::Received(None) => return Ok(None),
                Happening::Received(Some(Ok(Message::Close(frame)))) => {
                    self.screen.record(&Record::of_close(Direction::Received, frame.as_ref()))?;
                    return self.closed(frame).await;
                }
                Happening::Received(Some(Ok(message))) => self.receive(&message),
                Happening::Received(Some(Err(error))) => {
                    if self.options.reconnects && error.is_transient() {
                        return Ok(Some(Ended::Failed(error)));
                    }
                    self.screen.stop_prompting();
                    return Err(error.into());
                }
                Happening::Asked(Some(input)) => self.obey(input).await?,
                Happening::Asked(None) => self.end_of_input()?,
                Happening::PingIsDue => {
                    self.send_due_ping()?;
                    None
                }
                Happening::Interrupted => Some(Farewell::Interrupted),
                Happening::Silence => Some(self.silence()),
            };
            if let Some(farewell) = farewell {
                farewell.say(&mut self.sources.socket, &mut self.screen).await?;
                return Ok(None);
            }
        }
    }

    /// The peer has closed the connection, and has been answered.
    async fn closed(&mut self, frame: Option<CloseFrame>) -> Result<Option<Ended>, Failure> {
        let ended = Ended::Closed(frame.clone());
        let Sources { socket, interrupt, .. } = &mut self.sources;
        if self.options.reconnects && ended.is_transient() {
            farewell::await_end(socket, interrupt).await;
            return Ok(Some(ended));
        }
        farewell::accept(frame, socket, interrupt, &mut self.screen).await?;
        self.missing().map_or(Ok(None), Err)
    }

    fn receive(&mut self, message: &Message) -> Option<Farewell> {
        if let Message::Ping(_) | Message::Pong(_) = message {
            let record = Record::of_message(Direction::Received, message);
            if let Err(error) = self.screen.record(&record) {
                return Some(Farewell::Failed(error.into()));
            }
        }
        match message {
            Message::Ping(payload) if self.options.shows_control => {
                self.screen.announce(format_args!("Ping received{}", quoted(payload)));
            }
            Message::Pong(payload) => self.pong(payload),
            Message::Text(_) | Message::Binary(_) => {
                if let Err(error) = self.screen.message(message) {
                    return Some(Farewell::Failed(error.into()));
                }
                self.received += 1;
                self.statistics.received(statistics::payload_bytes(message));
                self.restart_silence();
                if Some(self.received) == self.options.expected {
                    return Some(Farewell::Done);
                }
            }
            _ => {}
        }
        None
    }

    fn pong(&mut self, payload: &[u8]) {
        if payload == LAST_PING && self.stage == Stage::Ended {
            self.stage = Stage::Seen;
            self.restart_silence();
        } else if let Some(sent) = self.pings.answered(payload) {
            let time = sent.elapsed();
            self.screen.announce(format_args!("Pong after {}{}", shown(time), quoted(payload)));
        } else if self.options.shows_control {
            self.screen.announce(format_args!("Pong received{}", quoted(payload)));
        }
    }

    /// Does what the input asks for; there is room for one message.
    async fn obey(&mut self, input: Input) -> Result<Option<Farewell>, Failure> {
        match input {
            Input::Message(message) => self.send(message)?,
            Input::Part { kind, bytes, last } => {
                self.statistics.sent_part(bytes.len(), last);
                sent(self.sources.socket.feed_part(kind, bytes, last).await)?;
            }
            Input::Command(Command::Ping(payload)) => self.ping(payload)?,
            Input::Command(Command::Close(frame)) => return Ok(Some(Farewell::Typed(frame))),
            Input::Command(Command::Help) => {
                typed::HELP.iter().for_each(|line| self.screen.announce(line));
            }
            Input::Mistake(mistake) => self.screen.announce(printable(&mistake)),
            Input::Unusable(why) => {
                return Ok(Some(Farewell::Failed(Failure::new(Kind::Local, why))));
            }
        }
        self.screen.prompt();
        Ok(None)
    }

    fn end_of_input(&mut self) -> Result<Option<Farewell>, Failure> {
        if self.options.linger == Some(Duration::ZERO) {
            return Ok(Some(Farewell::Done));
        }
        self.send(Message::Ping(Bytes::from_static(LAST_PING)))?;
        self.stage = Stage::Ended;
        self.restart_silence();
        Ok(None)
    }

    fn send_due_ping(&mut self) -> Result<(), Failure> {
        self.next_ping = self.options.ping_interval.and_then(after);
        self.pings_sent += 1;
        self.ping(self.pings_sent.to_string().into())
    }

    fn ping(&mut self, payload: Bytes) -> Result<(), Failure> {
        self.pings.remember(payload.clone());
        self.send(Message::Ping(payload))
    }

    fn send(&mut self, message: Message) -> Result<(), Failure> {
        // Before it is given away, for a message that is shared has to be copied to be masked.
        let record = self.screen.prepare(&Record::of_message(Direction::Sent, &message))?;
        let bytes = statistics::payload_bytes(&message);
        let outcome = self.sources.socket.start_send(message);
        if outcome.is_ok() {
            self.screen.write_prepared(record)?;
            self.statistics.sent(bytes);
        }
        sent(outcome)
    }

    /// Gives the peer time anew, after the end of the input.
    fn restart_silence(&mut self) {
        let extra = match self.stage {
            Stage::Reading => return,
            Stage::Ended => ANSWER_TIME,
            Stage::Seen => Duration::ZERO,
        };
        let time = self.options.linger.map(|linger| linger.saturating_add(extra));
        self.silent_until = time.and_then(after);
    }

    fn silence(&self) -> Farewell {
        self.missing().map_or(Farewell::Done, Farewell::Failed)
    }

    /// The conversation is over: the failure if fewer messages have arrived than were expected.
    fn missing(&self) -> Option<Failure> {
        let expected = self.options.expected.filter(|expected| self.received < *expected)?;
        let words = format_args!("{} of {expected} expected messages have arrived", self.received);
        Some(Failure::new(Kind::Connection, words))
    }
}

/// The time from now, unless it is too far away ever to come.
fn after(time: Duration) -> Option<Instant> {
    Instant::now().checked_add(time)
}

/// What cannot be sent because the connection has ended is no failure of its own: what ended it
/// is about to be received.
fn sent(result: Result<(), Error>) -> Result<(), Failure> {
    match result {
        Err(Error::Send(SendError::Closed) | Error::Lost(_)) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A payload in words, if it has any.
fn quoted(payload: &[u8]) -> impl fmt::Display {
    if payload.is_empty() { String::new() } else { format!(": {}", printable_bytes(payload)) }
}
