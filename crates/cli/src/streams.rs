//! An HTTP/2 connection that was accepted: many requests, each handled in a task of its own.

use crate::accepting::{Stream, Transport, refuse};
use crate::entrance::{Entrance, Place, Refusal, ServedPlace, Visitor};
use crate::forwarded::Peer;
use crate::refusals::Refusals;
use crate::shutdown::Shutdown;
use std::{future::Future, net::IpAddr, sync::Arc};
use wskit::http2::Requests;
use wskit::{Error, PendingRequest};

/// The requests of a connection that has brought the first.
pub(crate) struct Streams {
    pub(crate) first: Result<PendingRequest<Stream>, Error>,
    pub(crate) requests: Requests<Transport>,
}

/// The same where there is a place for it.
pub(crate) struct ServedStreams {
    streams: Streams,
    entrance: Arc<Entrance>,
    /// The connection's own.
    place: ServedPlace,
    peer: Peer,
}

impl ServedStreams {
    /// Handles every request until the connection ends. When the server goes down, the client is told to
    /// open no more streams, and those that are open say goodbye by themselves.
    pub(crate) async fn handle<H, F>(self, shutdown: Shutdown, handle: H)
    where
        H: Fn(PendingRequest<Stream>, Box<Visitor>, Shutdown) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = ()> + Send,
    {
        let ServedStreams { streams, entrance, place, peer } = self;
        let Streams { first, mut requests } = streams;
        let mut next = Some(first);
        let mut goes_down = false;
        while let Some(request) = next {
            match request {
                Ok(request) => {
                    let handling = admit(request, entrance.clone(), peer);
                    let (handle, shutdown) = (handle.clone(), shutdown.clone());
                    tokio::spawn(async move {
                        // Boxed, so that what only the opening needs is not kept.
                        let Some((request, visitor)) = Box::pin(handling).await else { return };
                        handle(request, visitor, shutdown).await;
                    });
                }
                Err(error) => entrance.refusals.record_error(peer.address(), &error),
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
        drop(place);
    }
}

impl Streams {
    /// Serves this peer, which has this place.
    pub(crate) fn served(
        self,
        entrance: Arc<Entrance>,
        place: ServedPlace,
        peer: Peer,
    ) -> ServedStreams {
        ServedStreams { streams: self, entrance, place, peer }
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

/// Lets a request in, which takes a place of its own beside that of the connection.
async fn admit(
    mut request: PendingRequest<Stream>,
    entrance: Arc<Entrance>,
    peer: Peer,
) -> Option<(PendingRequest<Stream>, Box<Visitor>)> {
    let (refusal, address) = match entrance.place(peer)? {
        Place::Served(place) => match entrance.admit(&mut request, peer, place) {
            Ok(visitor) => return Some((request, visitor)),
            Err(refused) => refused,
        },
        Place::Refused(_permit, refusal) => (refusal, peer.address()),
    };
    refuse(request, refusal, &entrance.refusals, address).await;
    None
}
