//! An HTTP/2 connection that was accepted: many requests, each handled in a task of its own.

use crate::accepting::{Accepting, Conversation, Service, Stream, Transport, refuse, spawn};
use crate::entrance::{Place, Refusal, ServedPlace};
use crate::forwarded::Peer;
use crate::refusals::Refusals;
use crate::shutdown::Shutdown;
use std::{net::IpAddr, sync::Arc};
use wskit::http2::Requests;
use wskit::{Error, PendingRequest};

/// The requests of a connection that has brought the first.
pub(crate) struct Streams {
    pub(crate) first: Result<PendingRequest<Stream>, Error>,
    pub(crate) requests: Requests<Transport>,
}

impl Streams {
    /// Handles every request until the connection ends. When the server goes down, the client is told to
    /// open no more streams, and those that are open say goodbye by themselves.
    pub(crate) async fn handle<S: Service>(
        self,
        accepting: Arc<Accepting<S>>,
        peer: Peer,
        _place_of_the_connection: ServedPlace,
        mut shutdown: Shutdown,
    ) {
        let Streams { first, mut requests } = self;
        let mut next = Some(first);
        let mut goes_down = false;
        while let Some(request) = next {
            match request {
                Ok(request) => {
                    spawn(open(accepting.clone(), request, peer, shutdown.clone()));
                }
                Err(error) => accepting.entrance.refusals.record_error(peer.address(), &error),
            }
            next = tokio::select! {
                next = requests.next() => next,
                () = shutdown.begun(), if !goes_down => {
                    goes_down = true;
                    requests.shut_down();
                    requests.next().await
                }
            };
        }
    }

    /// Answers every request that there is no place, until the connection ends.
    pub(crate) async fn refuse(
        self,
        refusal: Refusal,
        refusals: &Refusals,
        address: Option<IpAddr>,
    ) {
        let Streams { first, mut requests } = self;
        let mut next = Some(first);
        requests.shut_down();
        while let Some(request) = next {
            if let Ok(request) = request {
                refuse(request, refusal, refusals, address).await;
            }
            next = requests.next().await;
        }
    }
}

/// Answers a request, which takes a place of its own beside that of the connection.
async fn open<S: Service>(
    accepting: Arc<Accepting<S>>,
    request: PendingRequest<Stream>,
    peer: Peer,
    shutdown: Shutdown,
) -> Option<Conversation<S>> {
    match accepting.entrance.place(peer)? {
        Place::Served(place) => {
            let (request, visitor) = accepting.let_in(request, peer, place).await?;
            let opened = accepting.service.open(request, visitor).await?;
            Some(Conversation { accepting, opened, shutdown })
        }
        Place::Refused(_among_refused, refusal) => {
            refuse(request, refusal, &accepting.entrance.refusals, peer.address()).await;
            None
        }
    }
}
