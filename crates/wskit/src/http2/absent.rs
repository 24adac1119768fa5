//! Stands for HTTP/2 where the feature `http2` is not there: streams of it do not exist.

use std::{convert::Infallible, io};
use wskit_proto::handshake::Rejection;

#[derive(Debug)]
pub(crate) struct Http2Stream(Infallible);

impl Http2Stream {
    pub(crate) fn response(&mut self, _status: u16) -> Http2Stream {
        match self.0 {}
    }

    pub(crate) fn add_header(&mut self, _name: &str, _value: &[u8]) {
        match self.0 {}
    }

    pub(crate) fn accept(self) -> io::Result<()> {
        match self.0 {}
    }

    pub(crate) fn reject(&mut self, _rejection: Rejection) -> io::Result<()> {
        match self.0 {}
    }
}
