//! The steps of [`Server`] one by one, for those who receive requests by another HTTP server.

use super::Server;
use crate::alarm::Alarm;
use crate::socket::Opened;
use crate::{Error, Limits, WebSocket};
use bytes::BytesMut;
use std::future::Future;
use tokio::time::timeout;
use wskit_proto::Output;
use wskit_proto::handshake::{Acceptance, Agreed, ControlData, Offer, Request, RequestError};

/// # Requests that another HTTP server has received
///
/// Such a server reads the request and writes the response; what is between them and what comes
/// after is here. The rules are the same as for a request that is
/// [received](Server::receive_request) as bytes.
///
/// ```
/// use wskit::{Message, RequestLine, Server, WebSocket};
/// use tokio::io::{AsyncRead, AsyncWrite};
///
/// /// Gives the headers of the response, whose status is 101, and the connection.
/// fn upgrade<S: AsyncRead + AsyncWrite + Unpin>(
///     stream: S,
///     headers: &[(&str, &[u8])],
/// ) -> Result<(Vec<(String, Vec<u8>)>, WebSocket<S>), wskit::RequestError> {
///     let server = Server::new();
///     let line = RequestLine { method: "GET", target: "/chat", minor_version: 1 };
///     let offer = server.check_request(line, headers.iter().copied())?.into_offer()?;
///     let acceptance = server.choose(&offer);
///     let mut response = Vec::new();
///     let agreed = server.agree(offer, acceptance, |name, value| {
///         response.push((name.to_owned(), value.to_vec()));
///     })?;
///     Ok((response, server.open(stream, Default::default(), agreed)))
/// }
/// ```
impl Server {
    /// Checks a request, which begins with a [`RequestLine`](crate::RequestLine) or with
    /// [`PseudoHeaders`](crate::PseudoHeaders), within the server's limits. [`Request::into_offer`]
    /// does the rest.
    pub fn check_request<'a>(
        &self,
        control_data: impl Into<ControlData<'a>>,
        headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<Request, RequestError> {
        Request::new(control_data, headers, self.settings.head_limits)
    }

    /// What a client may cost, as it was [set](Server::limits).
    pub fn chosen_limits(&self) -> Limits {
        self.settings.options.config.limits
    }

    /// What this server would answer: the first of its subprotocols that was offered.
    pub fn choose(&self, offer: &Offer) -> Acceptance {
        let subprotocol = offer.choose_subprotocol(&self.settings.subprotocols);
        Acceptance { subprotocol, ..Acceptance::default() }
    }

    /// Checks the origin and accepts the offer: the response has the status of its
    /// [`Bootstrap`](crate::Bootstrap) and the headers that `add_header` is given. None is given if the
    /// offer is refused.
    pub fn agree(
        &self,
        offer: Offer,
        acceptance: Acceptance,
        add_header: impl FnMut(&str, &[u8]),
    ) -> Result<Agreed, RequestError> {
        offer.check_origin(&self.settings.origins)?;
        let compression = &self.settings.options.config.compression;
        Ok(offer.accept_with_headers(acceptance, compression, add_header))
    }

    /// Takes a step of the opening handshake within the [opening timeout](Server::opening_timeout),
    /// such as waiting until the other server has written the response.
    pub async fn in_time<T>(
        &self,
        step: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let Some(time) = self.settings.opening_timeout else { return step.await };
        timeout(time, step).await.unwrap_or(Err(Error::OpeningTimeout(time)))
    }

    /// The connection, once the response has been written to the stream, or will be before
    /// anything else. `received` is what was read from the stream behind the request.
    pub fn open<S>(&self, stream: S, received: BytesMut, agreed: Agreed) -> WebSocket<S> {
        let (output, alarm) = (Output::default(), Alarm::new());
        let opened = Opened { stream, input: received, output, agreed, alarm };
        WebSocket::server(opened, &self.settings.options)
    }
}
