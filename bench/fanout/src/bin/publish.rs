//! Members of rooms of their own say what is to be acknowledged: `publish ADDRESS PUBLISHERS IN_FLIGHT WARM_UP SECONDS`.
//!
//! Each has so many messages on their way, and says another for each acknowledgement. Prints how many were acknowledged
//! in a second.

use fanout::readers::{PATIENCE, Readers};
use fanout::text_frame;
use std::io::{self, Error};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const QUIET: Duration = Duration::from_millis(300);
const TEXT: &str = "the harbour lights were lit before the";

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, publishers, in_flight, warm_up, seconds] = &arguments[..] else {
        panic!("publish ADDRESS PUBLISHERS IN_FLIGHT WARM_UP SECONDS")
    };
    let address: SocketAddr = address.parse().expect("an address and a port");
    let publishers: usize = publishers.parse().expect("a number");
    let in_flight: usize = in_flight.parse().expect("a number");
    let duration = |text: &str| Duration::from_secs_f64(text.parse().expect("seconds"));
    let (warm_up, seconds) = (duration(warm_up), duration(seconds));

    // With a name for itself, so that its ids are kept too, and a message that is sent again would be known.
    let target = |number| format!("/chat/room-{number}?client=publisher-of-the-bench-{number}");
    let targets: Vec<_> = (0..publishers).map(target).collect();
    let mut readers = Readers::open(address, &targets, "")?;
    readers.read_until_quiet(QUIET)?;
    let mut said = 0_u64;
    let mut command = || {
        said += 1;
        text_frame(format!(r#"{{"say":"{TEXT}","id":"{said}"}}"#).as_bytes())
    };
    for publisher in 0..publishers {
        let frames: Vec<u8> = (0..in_flight).flat_map(|_| command()).collect();
        readers.speak(publisher, &frames)?;
    }
    let (mut acknowledged, mut begun) = (0_u64, Instant::now());
    let mut is_warm = false;
    loop {
        let mut answers = vec![0; publishers];
        let mut refused = None;
        readers
            .read(PATIENCE, |publisher, event| {
                if event.starts_with(br#"{"event":"acknowledged""#) {
                    answers[publisher] += 1;
                } else if event.starts_with(br#"{"event":"error""#) {
                    refused = Some(String::from_utf8_lossy(event).into_owned());
                }
            })?
            .ok_or_else(|| Error::other("acknowledgements are missing"))?;
        if let Some(refused) = refused {
            return Err(Error::other(refused));
        }
        acknowledged += answers.iter().sum::<u64>();
        if !is_warm && begun.elapsed() >= warm_up {
            (acknowledged, begun, is_warm) = (0, Instant::now(), true);
        } else if is_warm && begun.elapsed() >= seconds {
            println!("{}", acknowledged as f64 / begun.elapsed().as_secs_f64());
            return Ok(());
        }
        for (publisher, answered) in answers.into_iter().enumerate().filter(|(_, count)| *count > 0)
        {
            let frames: Vec<u8> = (0..answered).flat_map(|_| command()).collect();
            readers.speak(publisher, &frames)?;
        }
    }
}
