//! A tunnel through a SOCKS proxy: version 5 (RFC 1928), with a name and a password (RFC 1929).

use super::ProxyFault;
use crate::client::authority::Credentials;
use std::{io, net::IpAddr};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

const VERSION: u8 = 5;
const CREDENTIALS_VERSION: u8 = 1;

const NO_CREDENTIALS: u8 = 0;
const NAME_AND_PASSWORD: u8 = 2;
const NO_METHOD: u8 = 0xff;

const CONNECT: u8 = 1;
const RESERVED: u8 = 0;
const SUCCEEDED: u8 = 0;

const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// The reply of a proxy that does not reach the host.
pub(super) const HOST_UNREACHABLE: u8 = 4;

/// What the proxy is asked to connect to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target<'a> {
    Address(IpAddr),
    Name(&'a str),
}

/// RFC 1929 §2: each has 1 to 255 bytes.
pub(super) fn check(credentials: &Credentials) -> Result<(), &'static str> {
    match [&credentials.name, &credentials.password].map(|part| u8::try_from(part.len())) {
        [Ok(1..), Ok(1..)] => Ok(()),
        _ => Err("SOCKS needs a user name and a password, of at most 255 bytes each"),
    }
}

/// Has the proxy open a tunnel. Nothing beyond its replies is read.
pub(super) async fn open<S>(
    stream: &mut S,
    target: Target<'_>,
    port: u16,
    credentials: Option<&Credentials>,
) -> Result<(), ProxyFault>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = request(target, port)?;
    let methods: &[u8] = match credentials {
        None => &[VERSION, 1, NO_CREDENTIALS],
        Some(_) => &[VERSION, 2, NO_CREDENTIALS, NAME_AND_PASSWORD],
    };
    send(stream, methods).await?;
    match (read::<2, _>(stream).await?, credentials) {
        ([VERSION, NO_CREDENTIALS], _) => {}
        ([VERSION, NAME_AND_PASSWORD], Some(credentials)) => {
            authenticate(stream, credentials).await?;
        }
        ([VERSION, NO_METHOD], None) => return Err(ProxyFault::CredentialsNeeded),
        ([VERSION, NO_METHOD], Some(_)) => return Err(ProxyFault::CredentialsRefused),
        _ => return Err(ProxyFault::NotSocks),
    }
    send(stream, &request).await?;
    // RFC 1928 §6: a reply has at least one byte of an address.
    let [version, reply, _reserved, kind, first] = read(stream).await?;
    if version != VERSION {
        return Err(ProxyFault::NotSocks);
    }
    if reply != SUCCEEDED {
        return Err(ProxyFault::Refused(reply));
    }
    // The rest of the address that the proxy connects from, and its port.
    let rest = match kind {
        IPV4 => 3 + 2,
        IPV6 => 15 + 2,
        NAME => usize::from(first) + 2,
        _ => return Err(ProxyFault::NotSocks),
    };
    let mut address = [0; 255 + 2];
    stream.read_exact(&mut address[..rest]).await.map_err(broken)?;
    Ok(())
}

fn request(target: Target<'_>, port: u16) -> Result<Vec<u8>, ProxyFault> {
    let mut request = vec![VERSION, CONNECT, RESERVED];
    match target {
        Target::Address(IpAddr::V4(address)) => {
            request.push(IPV4);
            request.extend(address.octets());
        }
        Target::Address(IpAddr::V6(address)) => {
            request.push(IPV6);
            request.extend(address.octets());
        }
        Target::Name(name) => {
            let length = u8::try_from(name.len()).map_err(|_| ProxyFault::NameTooLong)?;
            request.extend([NAME, length]);
            request.extend(name.as_bytes());
        }
    }
    request.extend(port.to_be_bytes());
    Ok(request)
}

/// RFC 1929 §2.
async fn authenticate<S>(stream: &mut S, credentials: &Credentials) -> Result<(), ProxyFault>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut request = vec![CREDENTIALS_VERSION];
    for part in [&credentials.name, &credentials.password] {
        request.push(u8::try_from(part.len()).map_err(|_| ProxyFault::NameTooLong)?);
        request.extend(part);
    }
    send(stream, &request).await?;
    let [_version, status] = read(stream).await?;
    if status == SUCCEEDED { Ok(()) } else { Err(ProxyFault::CredentialsRefused) }
}

async fn send<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> Result<(), ProxyFault> {
    stream.write_all(bytes).await.map_err(broken)?;
    stream.flush().await.map_err(broken)
}

async fn read<const LENGTH: usize, S>(stream: &mut S) -> Result<[u8; LENGTH], ProxyFault>
where
    S: AsyncRead + Unpin,
{
    let mut bytes = [0; LENGTH];
    stream.read_exact(&mut bytes).await.map_err(broken)?;
    Ok(bytes)
}

fn broken(error: io::Error) -> ProxyFault {
    ProxyFault::Broken(error)
}

/// Whether the same may be asked again later: not where rules forbid it or the proxy cannot do it.
pub(super) fn is_transient(reply: u8) -> bool {
    matches!(reply, 1 | 3..=6)
}

/// What a reply says, in words (RFC 1928 §6).
pub(super) fn meaning(reply: u8) -> &'static str {
    match reply {
        1 => "it failed",
        2 => "its rules do not allow the connection",
        3 => "it does not reach the network",
        HOST_UNREACHABLE => "it does not reach the host",
        5 => "the server refused the connection",
        6 => "the time of the connection ran out",
        7 => "it does not know the command CONNECT",
        8 => "it does not know this kind of address",
        _ => "it does not say why",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::duplex;

    const CLIENT_NAME: &str = "example.com";

    fn credentials() -> Credentials {
        Credentials { name: b"ann".to_vec(), password: b"secret".to_vec() }
    }

    /// What `open` makes of a proxy that says this, and what it said itself.
    async fn against(
        replies: &[u8],
        target: Target<'_>,
        credentials: Option<&Credentials>,
    ) -> (Result<(), ProxyFault>, Vec<u8>, Vec<u8>) {
        let (mut near, mut far) = duplex(1024);
        far.write_all(replies).await.unwrap();
        far.shutdown().await.unwrap();
        let opened = open(&mut near, target, 443, credentials).await;
        let mut rest = Vec::new();
        near.read_to_end(&mut rest).await.unwrap();
        drop(near);
        let mut sent = Vec::new();
        far.read_to_end(&mut sent).await.unwrap();
        (opened, sent, rest)
    }

    #[tokio::test]
    async fn a_name_is_asked_for_and_no_byte_too_many_is_read() {
        let bound: [&[u8]; 3] = [
            &[1, 127, 0, 0, 1, 0, 80],
            &[3, 3, b'a', b'.', b'b', 0, 80],
            &[&[4][..], &[0; 18]].concat(),
        ];
        for bound in bound {
            let replies = [&[5, 0, 5, 0, 0], bound, b"more"].concat();
            let (opened, sent, rest) = against(&replies, Target::Name(CLIENT_NAME), None).await;
            assert!(opened.is_ok(), "{opened:?}");
            assert_eq!(
                sent,
                [&[5, 1, 0, 5, 1, 0, 3, 11], CLIENT_NAME.as_bytes(), &[1, 187]].concat()
            );
            assert_eq!(rest, b"more");
        }
    }

    #[tokio::test]
    async fn addresses_are_sent_as_such() {
        let replies = [5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        let target = Target::Address("10.1.2.3".parse().unwrap());
        let (_, sent, _) = against(&replies, target, None).await;
        assert_eq!(sent[3..], [5, 1, 0, 1, 10, 1, 2, 3, 1, 187]);
        let target = Target::Address("::1".parse().unwrap());
        let (_, sent, _) = against(&replies, target, None).await;
        assert_eq!((&sent[3..7], &sent[7..22], sent[22]), (&[5, 1, 0, 4][..], &[0; 15][..], 1));
    }

    #[tokio::test]
    async fn credentials_are_shown_if_the_proxy_asks() {
        let replies = [5, 2, 1, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        let target = Target::Name(CLIENT_NAME);
        let (opened, sent, _) = against(&replies, target, Some(&credentials())).await;
        assert!(opened.is_ok(), "{opened:?}");
        assert!(sent.starts_with(b"\x05\x02\x00\x02\x01\x03ann\x06secret\x05\x01\x00"));
        let (_, sent, _) = against(&[5, 0], target, Some(&credentials())).await;
        assert!(!sent.windows(6).any(|window| window == b"secret"), "nobody asked");
    }

    #[tokio::test]
    async fn what_is_wrong_is_said() {
        use ProxyFault::{Broken, CredentialsNeeded, CredentialsRefused, NotSocks, Refused};
        let fault = async |replies: &[u8], credentials: Option<&Credentials>| {
            against(replies, Target::Name(CLIENT_NAME), credentials).await.0.unwrap_err()
        };
        let known = credentials();
        assert!(matches!(fault(&[5, 0xff], None).await, CredentialsNeeded));
        assert!(matches!(fault(&[5, 0xff], Some(&known)).await, CredentialsRefused));
        assert!(matches!(fault(&[5, 2, 1, 1], Some(&known)).await, CredentialsRefused));
        // It asks for what was not offered.
        assert!(matches!(fault(&[5, 2], None).await, NotSocks));
        assert!(matches!(fault(b"HTTP/1.1 400 Bad Request", None).await, NotSocks));
        assert!(matches!(fault(&[5, 0, 5, 5, 0, 1, 0, 0, 0, 0, 0, 0], None).await, Refused(5)));
        assert!(matches!(fault(&[5, 0, 5, 0, 0, 9, 0], None).await, NotSocks));
        for cut in [&[][..], &[5], &[5, 0, 5], &[5, 0, 5, 0, 0, 1, 0, 0, 0]] {
            assert!(matches!(fault(cut, None).await, Broken(_)), "{cut:?}");
        }
        let name = "a".repeat(256);
        let opened = against(&[5, 0], Target::Name(&name), None).await.0;
        assert!(matches!(opened, Err(ProxyFault::NameTooLong)));
    }
}
