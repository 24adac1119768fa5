//! Who is let in to speak TLS, and what others are told.

use super::{Authority, HOST, client, server};
use std::{sync::Arc, time::Duration};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use wskit::tls::ClientTls;
use wskit::tls::rustls::crypto::ring;
use wskit::tls::rustls::pki_types::pem::PemObject;
use wskit::tls::rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use wskit::tls::rustls::sign::CertifiedKey;
use wskit::tls::rustls::{
    ConfigBuilder, RootCertStore, ServerConfig, WantsVerifier, pki_types::CertificateDer,
};
use wskit::{Client, Error, Server};

#[tokio::test]
async fn a_plain_request_to_a_tls_port_is_told_so() {
    let (mut near, far) = duplex(1 << 16);
    let server = server(&Authority::new());
    let serving = tokio::spawn(async move { server.secure(far).await.map(drop) });
    near.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    near.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    assert!(answer.contains("this port speaks TLS; the URL begins with https://"), "{answer}");
    drop(near);
    let error = serving.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Tls(_)), "{error}");
}

#[tokio::test]
async fn a_server_without_tls_passes_streams_as_they_are() {
    let (near, far) = duplex(1 << 16);
    let client = Client::new("ws://test.example/").unwrap();
    let near = client.secure(near).await.unwrap();
    let far = Server::new().secure(far).await.unwrap();
    assert!(near.tls().is_none() && far.tls().is_none());
}

#[tokio::test]
async fn what_is_no_tls_at_all_is_refused_with_an_alert() {
    let (mut near, far) = duplex(1 << 16);
    near.write_all(b"\x00\x01\x02\x03\x04\x05\x06\x07\x08").await.unwrap();
    let error = server(&Authority::new()).secure(far).await.unwrap_err();
    assert!(matches!(error, Error::Tls(_)), "{error}");
    let mut answer = Vec::new();
    near.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer[..2], [21, 3], "an alert");
}

#[tokio::test(start_paused = true)]
async fn neither_end_waits_for_the_other_for_ever() {
    let authority = Authority::new();
    let (_near, far) = duplex(64);
    let time = Duration::from_secs(3);
    let error = server(&authority).opening_timeout(time).secure(far).await.unwrap_err();
    assert!(matches!(error, Error::OpeningTimeout(_)), "{error}");
    let (near, _far) = duplex(1 << 16);
    let error = client(&authority).opening_timeout(time).secure(near).await.unwrap_err();
    assert!(matches!(error, Error::OpeningTimeout(_)), "{error}");
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_or_leaves_is_named_so() {
    let authority = Authority::new();
    for (answer, why) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "does not speak TLS on this port"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "does not speak TLS on this port"),
        (b"", "ended the connection during the TLS handshake"),
        // A fatal alert: handshake_failure.
        (&[21, 3, 3, 0, 2, 2, 40], "speaks no TLS that is safe"),
    ] {
        let (near, mut far) = duplex(1 << 16);
        far.write_all(answer).await.unwrap();
        far.shutdown().await.unwrap();
        let error = client(&authority).secure(near).await.unwrap_err().to_string();
        assert!(error.starts_with("no TLS connection: "), "{error}");
        assert!(error.contains(why), "{error}");
    }
}

fn builder() -> ConfigBuilder<ServerConfig, WantsVerifier> {
    let builder = ServerConfig::builder_with_provider(ring::default_provider().into());
    builder.with_safe_default_protocol_versions().unwrap()
}

/// Remembers what the client says before there is a certificate.
#[derive(Debug)]
struct Listening(Arc<CertifiedKey>, tokio::sync::mpsc::UnboundedSender<(String, Vec<Vec<u8>>)>);

impl ResolvesServerCert for Listening {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let protocols = hello.alpn().into_iter().flatten().map(<[u8]>::to_vec).collect();
        self.1.send((hello.server_name().unwrap_or_default().to_owned(), protocols)).unwrap();
        Some(self.0.clone())
    }
}

#[tokio::test]
async fn the_client_names_the_host_and_the_protocol() {
    let authority = Authority::new();
    let issued = authority.issue(HOST);
    let chain = vec![CertificateDer::from_pem_slice(issued.chain.as_bytes()).unwrap()];
    let key = PemObject::from_pem_slice(issued.key.as_bytes()).unwrap();
    let key = CertifiedKey::from_der(chain, key, &ring::default_provider()).unwrap();
    let (heard, mut hellos) = tokio::sync::mpsc::unbounded_channel();
    let config = builder()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Listening(Arc::new(key), heard)));
    let server = Server::new().tls(config);
    let (near, far) = duplex(1 << 16);
    let client = client(&authority);
    let (near, far) = tokio::join!(client.secure(near), server.secure(far));
    let (near, far) = (near.unwrap(), far.unwrap());
    assert_eq!(hellos.recv().await, Some((HOST.to_owned(), vec![b"http/1.1".to_vec()])));
    assert_eq!(near.tls().unwrap().alpn_protocol(), Some(&b"http/1.1"[..]));
    assert_eq!(far.tls().unwrap().alpn_protocol(), Some(&b"http/1.1"[..]));
}

#[tokio::test]
async fn a_protocol_that_is_not_spoken_is_no_connection() {
    let authority = Authority::new();
    let mut config = authority.issue(HOST).server();
    config.alpn_protocols = vec![b"acme".to_vec()];
    let server = Server::new().tls(config);
    let (near, far) = duplex(1 << 16);
    let client_of_http = client(&authority);
    let (near, _) = tokio::join!(client_of_http.secure(near), server.secure(far));
    let error = near.unwrap_err().to_string();
    assert!(error.contains("does not speak HTTP/1.1 inside of TLS"), "{error}");

    let (near, far) = duplex(1 << 16);
    let mut config = authority.client();
    config.alpn_protocols = vec![b"acme".to_vec()];
    let client = client_of_http.tls(config);
    drop(far);
    let error = client.secure(near).await.unwrap_err().to_string();
    assert!(error.contains("names protocols (ALPN), but not http/1.1"), "{error}");
}

/// A server that wants certificates of this authority.
fn demanding(authority: &Authority, clients: &Authority) -> Server {
    let issued = authority.issue(HOST);
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(clients.pem.as_bytes()).unwrap()).unwrap();
    let config = builder()
        .with_client_cert_verifier(
            WebPkiClientVerifier::builder_with_provider(
                roots.into(),
                ring::default_provider().into(),
            )
            .build()
            .unwrap(),
        )
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(issued.chain.as_bytes()).unwrap()],
            PemObject::from_pem_slice(issued.key.as_bytes()).unwrap(),
        )
        .unwrap();
    Server::new().tls(config)
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_a_server_that_wants_one() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let server = demanding(&authority, &clients);
    let attempt = async |tls: ClientTls| {
        let tls = tls.trust_only(authority.pem.as_bytes()).unwrap().config().unwrap();
        let client = client(&authority).tls(tls);
        let (near, far) = duplex(1 << 16);
        let serving = async { server.accept(server.secure(far).await?).await.map(drop) };
        let opening = async { client.connect_on(client.secure(near).await?).await.map(drop) };
        tokio::join!(opening, serving)
    };
    let show = |issued: &super::common::Issued| {
        let shown = ClientTls::new();
        shown.client_certificate(issued.chain.as_bytes(), issued.key.as_bytes()).unwrap()
    };
    let (opened, served) = attempt(show(&clients.issue("ann"))).await;
    opened.unwrap();
    served.unwrap();
    for (tls, why) in [
        (ClientTls::new(), "wants a client certificate, and none was shown"),
        (show(&authority.issue("ann")), "does not accept the client certificate"),
    ] {
        let (opened, served) = attempt(tls).await;
        let error = opened.unwrap_err();
        assert!(matches!(error, Error::Tls(_)), "{error}");
        assert!(error.to_string().contains(why), "{error}");
        served.unwrap_err();
    }
}
