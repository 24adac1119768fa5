//! What programs say and read, as JSON.

use super::Answer;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Value, json};
use wskit_hub::{Complaint, Hub, Publication, Range, Refusal, Timestamp};

/// The most messages in one request.
const MESSAGES_MAX: usize = 1_000;

/// The room of `/api/rooms/ROOM/messages`.
pub(super) fn room(path: &str) -> Option<String> {
    let room = path.strip_prefix("/api/rooms/")?.strip_suffix("/messages")?;
    Some(percent_decode_str(room).decode_utf8_lossy().into_owned())
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Batch { messages: Vec<Message> },
    Single(Message),
}

#[derive(Deserialize)]
struct Message {
    #[serde(default = "server")]
    from: String,
    text: String,
    id: Option<String>,
}

fn server() -> String {
    "server".into()
}

/// Publishes the message, or the messages, of this body.
pub(super) async fn publish(hub: &Hub, room: &str, body: &[u8], now: Timestamp) -> Answer {
    let publication = |Message { from, text, id }: Message| Publication { from, text, id };
    let wrong = || {
        let shapes = r#"{"text":"hello"} or {"messages":[{"text":"hello"}]}, each with a "from" and an "id" if you like"#;
        Answer::error(400, "body_invalid", &format!("The body has to be {shapes}."))
    };
    match serde_json::from_slice(body) {
        Err(_) => wrong(),
        Ok(Body::Batch { messages }) if messages.len() > MESSAGES_MAX => Answer::error(
            413,
            "batch_too_large",
            &format!("There are at most {MESSAGES_MAX} messages in one request."),
        ),
        Ok(Body::Batch { messages }) => {
            let publications = messages.into_iter().map(publication).collect();
            match hub.publish(room, publications, now).await {
                Err(refusal) => refused(&refusal),
                Ok(outcomes) => {
                    let results: Vec<_> = outcomes.iter().map(result).collect();
                    Answer::json(200, &json!({ "results": results }))
                }
            }
        }
        Ok(Body::Single(message)) => {
            match hub.publish(room, vec![publication(message)], now).await.as_deref() {
                Err(refusal) => refused(refusal),
                Ok([outcome]) => {
                    Answer::json(outcome.as_ref().map_or_else(status, |_| 200), &result(outcome))
                }
                Ok(_) => wrong(),
            }
        }
    }
}

/// Reads what was said: `after` an offset, or `before` one; the last messages without either.
pub(super) async fn read(hub: &Hub, room: &str, query: &str) -> Answer {
    let (mut range, mut limit) = (Range::Before(u64::MAX), None);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let Ok(number) = value.parse::<u64>() else {
            let words = "after, before and limit are numbers.";
            return Answer::error(400, "query_invalid", words);
        };
        match name {
            "after" => range = Range::After(number),
            "before" => range = Range::Before(number),
            "limit" => limit = usize::try_from(number).ok(),
            _ => {}
        }
    }
    match hub.read(room, range, limit).await {
        Ok(history) => Answer::new(200, "application/json", history.text().to_owned()),
        Err(refusal) => refused(&refusal),
    }
}

fn result(outcome: &Result<u64, Complaint>) -> Value {
    match outcome {
        Ok(offset) => json!({ "offset": offset }),
        Err(complaint) => json!({ "reason": complaint.reason(), "text": complaint.to_string() }),
    }
}

fn status(complaint: &Complaint) -> u16 {
    match complaint {
        Complaint::Busy | Complaint::NotKept | Complaint::TooManyRooms => 503,
        Complaint::MessageTooLarge { .. } => 413,
        _ => 400,
    }
}

fn refused(refusal: &Refusal) -> Answer {
    let reason = match refusal {
        Refusal::RoomName => "room_invalid",
        Refusal::Closed(_) => "stopping",
        _ => "not_now",
    };
    Answer::error(refusal.http_status(), reason, &refusal.to_string())
}
