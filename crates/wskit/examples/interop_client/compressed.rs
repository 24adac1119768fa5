//! Thousands of compressed messages each way.

use crate::Fault;
use wskit::{Client, CloseCode, Compression, CompressionMode, Message, WindowBits};

const MESSAGES: usize = 2000;

/// So many messages are sent before their echoes are read.
const AT_ONCE: usize = 20;

/// Everything comes back as it was sent, with what was agreed, and compression saved something.
pub(crate) async fn echoes(url: &str, mode: CompressionMode, window_bits: u8) -> Result<(), Fault> {
    let window_bits = WindowBits::new(window_bits).ok_or("no window")?;
    let compression = Compression { mode, window_bits, message_bytes_min: 0, level: 6 };
    let mut socket = Client::new(url)?.compression(compression).connect().await?;
    let agreed = socket.agreed().deflate.ok_or("the server does not compress")?;
    if agreed.server_max_window_bits > window_bits
        || mode == CompressionMode::Shared && !agreed.server_no_context_takeover
    {
        return Err(format!("{agreed:?}").into());
    }
    let mut random = Random(1);
    for _ in 0..MESSAGES / AT_ONCE {
        let messages: Vec<_> = (0..AT_ONCE).map(|_| random.message()).collect();
        for message in &messages {
            socket.feed(message.clone()).await?;
        }
        socket.flush().await?;
        for message in &messages {
            let echo = socket.recv().await.ok_or("no echo")??;
            if echo != *message {
                return Err(format!("{message:?} came back as {echo:?}").into());
            }
        }
    }
    let (received, sent) = socket.savings();
    for (way, savings) in [("received", received), ("sent", sent)] {
        if savings.plain_bytes < 100_000 || savings.compressed_bytes > savings.plain_bytes / 2 {
            return Err(format!("{way}: {savings:?}").into());
        }
    }
    socket.close(CloseCode::NORMAL, "").await?;
    Ok(())
}

/// The same messages on every run.
struct Random(u32);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as usize % limit
    }

    fn message(&mut self) -> Message {
        match self.below(10) {
            0 => Message::text(""),
            1 => Message::binary(vec![]),
            2 | 3 => {
                let letters = [2, 256][self.below(2)];
                let len = self.below(3000);
                Message::binary((0..len).map(|_| self.below(letters) as u8).collect::<Vec<_>>())
            }
            _ => {
                let words = ["name", "größe", "🔑", "true", "messages", "the same words"];
                let items = (0..self.below(60)).map(|_| {
                    let (key, value) = (words[self.below(words.len())], self.below(100_000));
                    format!("{{\"{key}\":{value},\"{}\":null}}", words[self.below(words.len())])
                });
                Message::text(format!("[{}]", items.collect::<Vec<_>>().join(",")))
            }
        }
    }
}
