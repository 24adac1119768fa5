//! The settings of an HTTP/2 server, as they stand on the wire (RFC 9113 §6.5).

use super::report::Setting;

/// The setting without which there are no WebSockets (RFC 8441 §3).
pub(super) const ENABLE_CONNECT_PROTOCOL: u16 = 8;

/// How long the header of a frame is.
const FRAME_HEADER_BYTES: usize = 9;

/// All settings in what a server sent first, in order.
pub(super) fn read(mut received: &[u8]) -> Vec<Setting> {
    let mut settings = Vec::new();
    while let Some((&[a, b, c, kind, flags, ..], rest)) =
        received.split_first_chunk::<FRAME_HEADER_BYTES>()
    {
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        let Some((payload, next)) = rest.split_at_checked(length) else { break };
        let is_acknowledgement = flags & 1 != 0;
        if kind == 4 && !is_acknowledgement {
            settings.extend(payload.chunks_exact(6).map(setting));
        }
        received = next;
    }
    settings
}

fn setting(bytes: &[u8]) -> Setting {
    let number = u16::from_be_bytes([bytes[0], bytes[1]]);
    let value = u32::from_be_bytes([bytes[2], bytes[3], bytes[4], bytes[5]]);
    Setting { number, name: name(number), value }
}

/// As the registry of the IANA has it.
fn name(number: u16) -> Option<&'static str> {
    Some(match number {
        1 => "SETTINGS_HEADER_TABLE_SIZE",
        2 => "SETTINGS_ENABLE_PUSH",
        3 => "SETTINGS_MAX_CONCURRENT_STREAMS",
        4 => "SETTINGS_INITIAL_WINDOW_SIZE",
        5 => "SETTINGS_MAX_FRAME_SIZE",
        6 => "SETTINGS_MAX_HEADER_LIST_SIZE",
        ENABLE_CONNECT_PROTOCOL => "SETTINGS_ENABLE_CONNECT_PROTOCOL",
        9 => "SETTINGS_NO_RFC7540_PRIORITIES",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_frame_by_frame_and_no_further_than_they_came() {
        let frames = [
            &[0, 0, 12, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100, 0, 77, 0, 0, 1, 0][..],
            // A WINDOW_UPDATE, an acknowledgement, and settings that change their mind.
            &[0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 1, 0],
            &[0, 0, 0, 4, 1, 0, 0, 0, 0],
            &[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 1],
        ]
        .concat();
        let read_all: Vec<_> = read(&frames).iter().map(|s| (s.number, s.value)).collect();
        assert_eq!(read_all, [(3, 100), (77, 256), (8, 1)]);
        assert_eq!(read(&frames)[0].name, Some("SETTINGS_MAX_CONCURRENT_STREAMS"));
        assert_eq!(read(&frames)[1].name, None);
        for cut in 0..frames.len() {
            assert!(read(&frames[..cut]).len() < 3);
        }
    }
}
