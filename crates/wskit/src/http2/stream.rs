//! A stream of an HTTP/2 connection, as a stream of bytes.

use super::live::{Live, LiveHalf};
use super::{Beneath, add_header, broken};
use crate::Split;
use bytes::{Buf, Bytes, BytesMut};
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{Method, Response, StatusCode};
use std::{
    fmt, io,
    io::IoSlice,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use wskit_proto::handshake::Rejection;

/// One stream of an HTTP/2 connection: what a WebSocket over HTTP/2 runs on (RFC 8441 §5).
///
/// What is not read holds the peer back, by the flow control of HTTP/2. The end of the peer's side
/// (END_STREAM) is the end of the bytes, a reset of the stream (RST_STREAM) is an error; shutting down
/// ends this side. A stream that is dropped before both sides have ended is reset with CANCEL.
#[derive(Debug)]
pub struct Http2Stream {
    reader: Http2Reader,
    writer: Http2Writer,
    beneath: Option<Arc<Beneath>>,
}

/// The half of an [`Http2Stream`] that is read from.
pub struct Http2Reader {
    frames: RecvStream,
    /// What is left of the last DATA frame.
    rest: Bytes,
    /// A client's stream has none, for its connection waits for no stream.
    _live: Option<LiveHalf>,
}

/// The half of an [`Http2Stream`] that is written to.
pub struct Http2Writer {
    writing: Writing,
    _live: Option<LiveHalf>,
}

enum Writing {
    /// A server has yet to answer.
    Answering(SendResponse<Bytes>, Content),
    Data(SendStream<Bytes>),
    /// This side has ended.
    Ended,
}

/// How much of its content the refusal of a request has.
#[derive(Clone, Copy)]
enum Content {
    /// All, which leaves as the client takes it.
    Whole,
    /// What the client has room for at once, so that a stream which the client does not end, as that
    /// of a CONNECT, waits for nothing.
    AsFits,
    /// None, as RFC 9110 §9.3.2 demands for HEAD.
    None,
}

impl Content {
    fn for_method(method: &Method) -> Content {
        match *method {
            Method::CONNECT => Content::AsFits,
            Method::HEAD => Content::None,
            _ => Content::Whole,
        }
    }
}

impl Http2Stream {
    /// The stream of a request that waits for its answer, one of those that are alive.
    pub(super) fn requested(
        method: &Method,
        frames: RecvStream,
        answer: SendResponse<Bytes>,
        live: &Live,
    ) -> Http2Stream {
        Http2Stream::new(
            frames,
            Writing::Answering(answer, Content::for_method(method)),
            Some(live),
        )
    }

    /// The stream of a request that was answered.
    pub(super) fn answered(
        frames: RecvStream,
        data: SendStream<Bytes>,
        beneath: Option<Arc<Beneath>>,
    ) -> Http2Stream {
        Http2Stream { beneath, ..Http2Stream::new(frames, Writing::Data(data), None) }
    }

    fn new(frames: RecvStream, writing: Writing, live: Option<&Live>) -> Http2Stream {
        let half = || live.map(Live::half);
        Http2Stream {
            reader: Http2Reader { frames, rest: Bytes::new(), _live: half() },
            writer: Http2Writer { writing, _live: half() },
            beneath: None,
        }
    }

    /// What the connection runs on, where a [`Client`](crate::Client) has made it.
    pub fn beneath(&self) -> Option<&Beneath> {
        self.beneath.as_deref()
    }

    /// Whether the peer has ended its side (END_STREAM), and all that it sent before has been read.
    pub fn has_ended(&self) -> bool {
        self.reader.rest.is_empty() && self.reader.frames.is_end_stream()
    }

    /// A response to the request, to be completed.
    pub(crate) fn response(&mut self, status: u16) -> PendingResponse<'_> {
        let mut head = Response::new(());
        *head.status_mut() =
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        PendingResponse { writer: &mut self.writer, head }
    }

    /// Answers the request with an error, and ends this side.
    pub(crate) fn reject(&mut self, rejection: Rejection) -> io::Result<()> {
        let rejection = rejection.without_upgrade();
        let mut response = self.response(rejection.final_status());
        for (name, value) in rejection.final_headers() {
            response.add_header(name, value);
        }
        response.end(rejection.body)
    }

    /// Refuses a request that is malformed (RFC 9113 §8.1.1).
    pub(super) fn reset(&mut self, reason: Reason) {
        match &mut self.writer.writing {
            Writing::Answering(answer, _) => answer.send_reset(reason),
            Writing::Data(data) => data.send_reset(reason),
            Writing::Ended => {}
        }
    }
}

/// A response that is about to be sent.
pub(crate) struct PendingResponse<'a> {
    writer: &'a mut Http2Writer,
    head: Response<()>,
}

impl PendingResponse<'_> {
    pub(crate) fn add_header(&mut self, name: &str, value: &[u8]) {
        add_header(self.head.headers_mut(), name, value);
    }

    /// Opens the stream.
    pub(crate) fn accept(self) -> io::Result<()> {
        let data = self.writer.answer(self.head, false)?;
        self.writer.writing = Writing::Data(data);
        Ok(())
    }

    /// Ends the stream after this body, of any length.
    fn end(mut self, mut body: Bytes) -> io::Result<()> {
        let Writing::Answering(_, content) = self.writer.writing else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        if !matches!(content, Content::AsFits) {
            self.add_header("content-length", body.len().to_string().as_bytes());
        }
        let is_whole = matches!(content, Content::None);
        let mut data = self.writer.answer(self.head, is_whole)?;
        self.writer.writing = Writing::Ended;
        if is_whole {
            return Ok(());
        }
        if matches!(content, Content::AsFits) {
            data.reserve_capacity(body.len());
            body.truncate(data.capacity());
        }
        data.send_data(body, true).map_err(broken)
    }
}

impl Http2Writer {
    fn answer(&mut self, head: Response<()>, is_whole: bool) -> io::Result<SendStream<Bytes>> {
        match &mut self.writing {
            Writing::Answering(answer, _) => answer.send_response(head, is_whole).map_err(broken),
            Writing::Data(_) | Writing::Ended => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Why nothing can be written.
    fn poll_fault(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let reset = match &mut self.writing {
            Writing::Data(data) => ready!(data.poll_reset(cx)),
            Writing::Answering(..) => return Poll::Ready(io::ErrorKind::NotConnected.into()),
            Writing::Ended => return Poll::Ready(io::ErrorKind::BrokenPipe.into()),
        };
        Poll::Ready(match reset {
            Ok(reason) => broken(reason.into()),
            Err(error) => broken(error),
        })
    }
}

impl AsyncRead for Http2Reader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.rest.is_empty() {
            match ready!(self.frames.poll_data(cx)) {
                Some(Ok(data)) => self.rest = data,
                Some(Err(error)) => return Poll::Ready(Err(broken(error))),
                None => return Poll::Ready(Ok(())),
            }
        }
        let taken = self.rest.len().min(buffer.remaining());
        buffer.put_slice(&self.rest[..taken]);
        self.rest.advance(taken);
        // Only now may the peer send as much again: whoever does not read is sent no more.
        let _the_stream_may_have_ended = self.frames.flow_control().release_capacity(taken);
        Poll::Ready(Ok(()))
    }
}

impl Http2Writer {
    /// Hands over as much of so many bytes as the peer takes.
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        bytes: usize,
        copy: impl FnOnce(usize) -> Bytes,
    ) -> Poll<io::Result<usize>> {
        let Writing::Data(data) = &mut self.writing else { return self.poll_fault(cx).map(Err) };
        if bytes == 0 {
            return Poll::Ready(Ok(0));
        }
        data.reserve_capacity(bytes);
        let room = match data.capacity() {
            0 => ready!(data.poll_capacity(cx)),
            room => Some(Ok(room)),
        };
        if let Some(Ok(room)) = room {
            let taken = room.min(bytes);
            if data.send_data(copy(taken), false).is_ok() {
                return Poll::Ready(Ok(taken));
            }
        }
        self.poll_fault(cx).map(Err)
    }
}

impl AsyncWrite for Http2Writer {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_send(cx, bytes.len(), |taken| Bytes::copy_from_slice(&bytes[..taken]))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let bytes = slices.iter().map(|slice| slice.len()).sum();
        self.poll_send(cx, bytes, |taken| {
            let mut copy = BytesMut::with_capacity(taken);
            for slice in slices {
                copy.extend_from_slice(&slice[..slice.len().min(taken - copy.len())]);
            }
            copy.freeze()
        })
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Ready at once: whoever drives the connection writes what it was handed.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.writing {
            Writing::Ended => Poll::Ready(Ok(())),
            Writing::Data(data) => match data.send_data(Bytes::new(), true) {
                Ok(()) => {
                    self.writing = Writing::Ended;
                    Poll::Ready(Ok(()))
                }
                Err(_) => self.poll_fault(cx).map(Err),
            },
            Writing::Answering(..) => self.poll_fault(cx).map(Err),
        }
    }
}

impl AsyncRead for Http2Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.reader).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Http2Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.writer).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.writer).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_shutdown(cx)
    }
}

impl Split for Box<Http2Stream> {
    type Reader = Http2Reader;
    type Writer = Http2Writer;

    fn split(self) -> (Http2Reader, Http2Writer) {
        (self.reader, self.writer)
    }
}

impl fmt::Debug for Http2Reader {
    /// Without the bytes, which may be of messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Http2Reader({} bytes)", self.rest.len())
    }
}

impl fmt::Debug for Http2Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.writing {
            Writing::Answering(..) => "Http2Writer(Answering)",
            Writing::Data(_) => "Http2Writer(Data)",
            Writing::Ended => "Http2Writer(Ended)",
        })
    }
}
