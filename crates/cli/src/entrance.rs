//! Who may come in: places for connections, all together and for each address, and what is known of who has one.

use crate::accepting::Stream;
use crate::addresses::{AddressPlace, Addresses, TooMany, counted};
use crate::forwarded::{Client, Peer, Proxies};
use crate::places::{Places, Taken};
use crate::refusals::Refusals;
use std::net::IpAddr;
use std::sync::Arc;
use wskit::{Field, PendingRequest, Rejection};

/// How many connections beyond the limits are told so at a time. More only see their end.
const REFUSALS_MAX: usize = 256;

/// Lets connections in, as long as there are places.
pub(crate) struct Entrance {
    served: Arc<Places>,
    refused: Arc<Places>,
    addresses: Arc<Addresses>,
    proxies: Proxies,
    pub(crate) refusals: Refusals,
}

/// What a connection holds until its request is there.
pub(crate) enum Place {
    Served(ServedPlace),
    Refused(Taken, Refusal),
}

/// A place among those who are served.
pub(crate) struct ServedPlace {
    _of_all: Taken,
    /// Missing where the client has yet to be known, or is not counted.
    of_address: Option<AddressPlace>,
}

/// Who sent a request.
pub(crate) struct Visitor {
    /// Where it connects from, if that is known.
    pub(crate) address: Option<IpAddr>,
    /// Where it is recorded if it is not let in.
    pub(crate) refusals: Refusals,
    /// To be held as long as the connection lasts.
    pub(crate) served: ServedPlace,
}

/// Why somebody is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There are as many connections as there may be.
    Busy,
    /// The address has as many connections as it may have.
    TooManyOfAddress,
    /// A proxy says something that cannot be read.
    ForwardedUnreadable,
}

impl Entrance {
    pub(crate) fn new(
        connections_max: usize,
        each_max: usize,
        proxies: Proxies,
        refusals: Refusals,
    ) -> Entrance {
        Entrance {
            served: Places::new(connections_max),
            refused: Places::new(REFUSALS_MAX),
            addresses: Addresses::new(each_max),
            proxies,
            refusals,
        }
    }

    /// How many places for connections are taken.
    pub(crate) fn taken(&self) -> usize {
        self.served.taken()
    }

    /// A place for a connection of this peer, or at least for telling it that there is none.
    pub(crate) fn place(&self, peer: Peer) -> Option<Place> {
        let refusal = match self.served.take() {
            None => Refusal::Busy,
            Some(_of_all) => match self.of_address(peer) {
                Ok(of_address) => {
                    return Some(Place::Served(ServedPlace { _of_all, of_address }));
                }
                Err(TooMany) => Refusal::TooManyOfAddress,
            },
        };
        let among_refused = self.refused.take()?;
        Some(Place::Refused(among_refused, refusal))
    }

    /// Clients behind a proxy are counted when they are known.
    fn of_address(&self, peer: Peer) -> Result<Option<AddressPlace>, TooMany> {
        match peer.address() {
            Some(address) if !self.proxies.trust(peer) => self.addresses.take(address),
            _ => Ok(None),
        }
    }

    /// Finds out who sent the request and which host it is for, and lets it in. Who is not let in is told of with its
    /// address, as far as that is known.
    pub(crate) fn admit(
        &self,
        request: &mut PendingRequest<Stream>,
        peer: Peer,
        mut place: ServedPlace,
    ) -> Result<Visitor, (Refusal, Option<IpAddr>)> {
        let client = self.proxies.look_behind(peer, request.request().headers());
        let Client { address, host } =
            client.map_err(|_| (Refusal::ForwardedUnreadable, peer.address()))?;
        if let Some(client) = address.filter(|_| place.of_address.is_none()) {
            let of_address = self.addresses.take(client);
            place.of_address =
                of_address.map_err(|TooMany| (Refusal::TooManyOfAddress, address))?;
        }
        if let Some(host) = host {
            let replaced = request.replace_host(&host);
            replaced.map_err(|_| (Refusal::ForwardedUnreadable, address))?;
        }
        let refusals = self.refusals.clone();
        Ok(Visitor { address, refusals, served: place })
    }
}

impl Visitor {
    /// Where it comes from, as it is counted.
    pub(crate) fn place(&self) -> Option<String> {
        self.address.and_then(counted).map(|address| address.to_string())
    }
}

impl Refusal {
    /// The reason, as programs know it.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Refusal::Busy => "busy",
            Refusal::TooManyOfAddress => "too_many_of_address",
            Refusal::ForwardedUnreadable => "forwarded_unreadable",
        }
    }

    /// What is answered.
    pub(crate) fn rejection(self) -> Rejection {
        let (status, words, come_back) = match self {
            Refusal::Busy => (503, "the server has no place for another connection", Some("5")),
            Refusal::TooManyOfAddress => (
                429,
                "there are too many connections from your address; end one of them",
                Some("30"),
            ),
            Refusal::ForwardedUnreadable => (
                400,
                "what the proxy says of you in X-Forwarded-Host or Forwarded cannot be read",
                None,
            ),
        };
        let rejection = Rejection::new(status, words);
        match come_back.map(|seconds| Field::new("Retry-After", seconds)) {
            Some(Ok(field)) => rejection.with_header(field),
            _ => rejection,
        }
    }
}
