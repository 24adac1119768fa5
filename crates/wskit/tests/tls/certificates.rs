//! Certificates that are not what they should be, and what the client says of them.

use super::{Authority, HOST, client, common::Issued};
use tokio::io::duplex;
use wskit::tls::{ClientTls, EncryptedKey, server_config};
use wskit::{Client, Error, Server};

/// What the client says of a server with this certificate.
async fn verdict(client: &Client, issued: &Issued) -> Result<(), String> {
    let (near, far) = duplex(1 << 16);
    let server = Server::new().tls(issued.server());
    let (near, far) = tokio::join!(client.secure(near), server.secure(far));
    let error = match near {
        Ok(_) => return far.map(drop).map_err(|error| error.to_string()),
        Err(error) => error,
    };
    assert!(matches!(&error, Error::Tls(error) if error.rustls().is_some()), "{error}");
    let text = error.to_string();
    assert!(!text.contains('\n') && text.starts_with("no TLS connection: "), "{text}");
    Err(text)
}

#[tokio::test]
async fn a_certificate_that_is_wrong_is_refused_with_the_reason() {
    let authority = Authority::new();
    let other_authority = Authority::new();
    let client = client(&authority);
    verdict(&client, &authority.issue(HOST)).await.unwrap();
    for (issued, why) in [
        (other_authority.issue(HOST), "comes from an authority that is not trusted"),
        (authority.issue("other.example"), "is for other.example, and not for chat.test.example"),
        (authority.issue("10.0.0.1"), "and not for chat.test.example"),
        (authority.issue_expired(), "expired"),
        (authority.issue_too_early(), "is not valid for another"),
    ] {
        let error = verdict(&client, &issued).await.unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}

#[tokio::test]
async fn the_system_does_not_trust_the_authority_of_a_test() {
    let issued = Authority::new().issue(HOST);
    let url = format!("wss://{HOST}/");
    // A root of its own, for a machine may trust nobody, which is another error.
    let tls = ClientTls::new().also_trust(Authority::new().pem.as_bytes()).unwrap();
    let tls = tls.config().unwrap();
    let client = Client::new(&url).unwrap().tls(tls);
    let error = verdict(&client, &issued).await.unwrap_err();
    assert!(error.contains("not trusted"), "{error}");
}

#[tokio::test]
async fn a_server_may_sign_its_certificate_itself_if_the_client_knows_it() {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new([HOST.to_owned()]).unwrap();
    let chain = params.self_signed(&key).unwrap().pem();
    let issued = Issued { chain, key: key.serialize_pem() };
    let tls = ClientTls::new().also_trust(issued.chain.as_bytes()).unwrap().config().unwrap();
    let url = format!("wss://{HOST}/");
    verdict(&Client::new(&url).unwrap().tls(tls), &issued).await.unwrap();
}

#[tokio::test]
async fn the_certificate_of_an_authority_is_none_for_a_server() {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new([HOST.to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let chain = params.self_signed(&key).unwrap().pem();
    let issued = Issued { chain, key: key.serialize_pem() };
    let tls = ClientTls::new().trust_only(issued.chain.as_bytes()).unwrap().config().unwrap();
    let client = Client::new(&format!("wss://{HOST}/")).unwrap().tls(tls);
    let error = verdict(&client, &issued).await.unwrap_err();
    assert!(error.contains("is that of an authority"), "{error}");
}

#[tokio::test]
async fn anyone_is_trusted_only_where_that_is_asked_for() {
    let tls = ClientTls::new().dangerously_trust_anyone().config().unwrap();
    let client = Client::new(&format!("wss://{HOST}/")).unwrap().tls(tls);
    verdict(&client, &Authority::new().issue("other.example")).await.unwrap();
    verdict(&client, &Authority::new().issue_expired()).await.unwrap();
}

#[test]
fn texts_that_are_no_certificates_or_keys_are_refused_with_the_reason() {
    let authority = Authority::new();
    let (issued, other) = (authority.issue(HOST), authority.issue(HOST));
    let (chain, key) = (issued.chain.as_bytes(), issued.key.as_bytes());
    let encrypted =
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let encrypted_before = b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    for (chain, key, why) in [
        (&b""[..], key, "no certificate in the PEM text"),
        (key, key, "no certificate in the PEM text"),
        (b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", key, "cannot be read"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", key, "cannot be used"),
        (chain, b"", "no private key in the PEM text"),
        (chain, chain, "no private key in the PEM text"),
        (chain, other.key.as_bytes(), "does not belong to the certificate"),
    ] {
        let error = server_config(chain, key).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    for encrypted in [&encrypted[..], encrypted_before] {
        let error = server_config(chain, encrypted).unwrap_err();
        assert!(error.to_string().contains("is encrypted"), "{error}");
        assert!(matches!(error, Error::Argument(why) if why.is::<EncryptedKey>()));
    }
    let error = ClientTls::new().also_trust(b"no PEM").unwrap_err().to_string();
    assert!(error.contains("no certificate"), "{error}");
    let unsound = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let error = ClientTls::new().trust_only(unsound).unwrap().config().unwrap_err().to_string();
    assert!(error.contains("cannot be trusted"), "{error}");
}
