//! The conversation at the head of the protocol's description, held with the engine word by word.

use wskit_hub::{Connection, Hub, Limits, Timestamp, Visit};

const DESCRIPTION: &str = include_str!("../../../docs/chat-protocol.md");

/// When each thing of the conversation is sent, in milliseconds after 2026-11-23T09:30:00Z.
const SENT_AT: [u64; 5] = [12_345, 20_000, 21_000, 22_000, 23_000];

#[tokio::test]
async fn the_described_conversation_is_what_happens() {
    let at = |milliseconds| Timestamp::from_unix_milliseconds(1_795_426_200_000 + milliseconds);
    let connection = Connection {
        http_version: "1.1".into(),
        key: Some("dGhlIHNhbXBsZSBub25jZQ==".into()),
        accept: Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".into()),
        ..Connection::default()
    };
    let visit =
        |name: &str| Visit { room: "lobby".into(), name: Some(name.into()), ..Visit::default() };
    let hub = Hub::new(Limits::default(), 0x9f2c_51d0_7a3b_e846);
    let (mut bob, _mailbox) = hub.join(&visit("bob"), &connection, at(0)).await.unwrap();
    bob.say("anybody here?", at(0)).unwrap();
    let (mut ann, mut mailbox) = hub.join(&visit("ann"), &connection, at(1)).await.unwrap();

    let mut times = SENT_AT.into_iter();
    let (mut sent, mut received) = (0, 0);
    for line in DESCRIPTION.lines() {
        if let Some(text) = line.strip_prefix("> ") {
            ann.receive_text(text, at(times.next().expect("a time for each text sent")));
            sent += 1;
        } else if let Some(described) = line.strip_prefix("< ") {
            let event = mailbox.try_next().expect("an event").expect("an open mailbox");
            assert_eq!(event.text(), described);
            received += 1;
        }
    }
    assert_eq!(mailbox.try_next(), None);
    assert_eq!((sent, received), (SENT_AT.len(), 7));
}
