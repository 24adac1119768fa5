//! `Stream` and `Sink`, combined by `futures-util`.

mod common;

use common::pair;
use futures_util::{SinkExt, StreamExt, TryStreamExt, stream, stream::FusedStream};
use wskit::{Error, Message};

fn numbers() -> impl Iterator<Item = Message> {
    (0..1000).map(|number| Message::text(number.to_string()))
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_forwarded_into_a_sink() {
    // One connection leads to the next one, and that one back to where all begins.
    let (mut near, middle) = pair().await;
    let (next, far) = pair().await;
    let (sink, source) = next.split();
    let there = tokio::spawn(
        middle
            .try_filter(|message| {
                let is_text = message.is_text();
                async move { is_text }
            })
            .forward(sink),
    );
    let (mut echo_sink, echo_source) = far.split();
    let echoing = tokio::spawn(async move {
        let received: Vec<Message> = echo_source.try_collect().await.unwrap();
        let refused = echo_sink.send(Message::text("late")).await;
        assert!(matches!(refused, Err(Error::Send(_))));
        received
    });
    near.send_all(&mut stream::iter(numbers().map(Ok))).await.unwrap();
    SinkExt::close(&mut near).await.unwrap();
    assert_eq!(near.next().await.unwrap().unwrap(), Message::Close(None));
    assert!(near.next().await.is_none() && near.is_terminated());
    there.await.unwrap().unwrap();
    let answers: Vec<Message> = source.try_collect().await.unwrap();
    assert_eq!(answers, [Message::Close(None)]);
    let expected: Vec<Message> = numbers().chain([Message::Close(None)]).collect();
    assert_eq!(echoing.await.unwrap(), expected);
}
