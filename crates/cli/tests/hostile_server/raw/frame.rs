//! Frames as RFC 6455 §5.2 draws them, with every bit in the test's hand.

pub(crate) const CONTINUATION: u8 = 0;
pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

pub(crate) const RSV1: u8 = 0b100;
pub(crate) const RSV2: u8 = 0b010;
pub(crate) const RSV3: u8 = 0b001;

/// How many bits of the header carry the payload length.
#[derive(Clone, Copy)]
pub(crate) enum LengthForm {
    /// The fewest that hold it, the only legal form.
    Minimal,
    Sixteen,
    SixtyFour,
}

/// A frame to send: well formed until told otherwise.
#[derive(Clone)]
pub(crate) struct Frame {
    fin: bool,
    reserved: u8,
    opcode: u8,
    masking_key: Option<[u8; 4]>,
    length_form: LengthForm,
    declared: Option<u64>,
    payload: Vec<u8>,
}

impl Frame {
    pub(crate) fn new(opcode: u8, payload: impl AsRef<[u8]>) -> Self {
        Frame {
            fin: true,
            reserved: 0,
            opcode,
            masking_key: Some([0x37, 0xfa, 0x21, 0x3d]),
            length_form: LengthForm::Minimal,
            declared: None,
            payload: payload.as_ref().to_vec(),
        }
    }

    pub(crate) fn text(payload: impl AsRef<[u8]>) -> Self {
        Frame::new(TEXT, payload)
    }

    pub(crate) fn binary(payload: impl AsRef<[u8]>) -> Self {
        Frame::new(BINARY, payload)
    }

    pub(crate) fn continuation(payload: impl AsRef<[u8]>) -> Self {
        Frame::new(CONTINUATION, payload)
    }

    pub(crate) fn ping(payload: impl AsRef<[u8]>) -> Self {
        Frame::new(PING, payload)
    }

    pub(crate) fn pong(payload: impl AsRef<[u8]>) -> Self {
        Frame::new(PONG, payload)
    }

    pub(crate) fn close(code: u16, reason: &str) -> Self {
        Frame::new(CLOSE, close_payload(code, reason))
    }

    /// FIN clear: more fragments follow.
    pub(crate) fn unfinished(mut self) -> Self {
        self.fin = false;
        self
    }

    pub(crate) fn reserved(mut self, bits: u8) -> Self {
        self.reserved = bits;
        self
    }

    pub(crate) fn unmasked(mut self) -> Self {
        self.masking_key = None;
        self
    }

    pub(crate) fn length_form(mut self, form: LengthForm) -> Self {
        self.length_form = form;
        self
    }

    /// The header states this length, whatever the payload is.
    pub(crate) fn declaring(mut self, length: u64) -> Self {
        self.declared = Some(length);
        self
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![u8::from(self.fin) << 7 | self.reserved << 4 | self.opcode];
        let mask_bit = u8::from(self.masking_key.is_some()) << 7;
        let length = self.declared.unwrap_or(self.payload.len() as u64);
        match (self.length_form, length) {
            (LengthForm::Minimal, 0..=125) => bytes.push(mask_bit | length as u8),
            (LengthForm::Sixteen, _) | (LengthForm::Minimal, 126..=0xffff) => {
                bytes.push(mask_bit | 126);
                bytes.extend((length as u16).to_be_bytes());
            }
            _ => {
                bytes.push(mask_bit | 127);
                bytes.extend(length.to_be_bytes());
            }
        }
        match self.masking_key {
            None => bytes.extend(&self.payload),
            Some(key) => {
                bytes.extend(key);
                bytes.extend(
                    self.payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key),
                );
            }
        }
        bytes
    }
}

pub(crate) fn close_payload(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes(), reason.as_bytes()].concat()
}

/// A frame the server sent. Parsing one is itself a test: a server's frame that breaks RFC 6455 panics.
#[derive(Debug, PartialEq)]
pub(crate) struct Received {
    pub fin: bool,
    /// RSV1, which marks a compressed message (RFC 7692 §6).
    pub compressed: bool,
    pub opcode: u8,
    pub payload: Vec<u8>,
}

impl Received {
    /// The first frame of `bytes` and its length there, or `None` while it is incomplete.
    pub(crate) fn parse(bytes: &[u8]) -> Option<(Received, usize)> {
        let (&first, &second) = (bytes.first()?, bytes.get(1)?);
        let (fin, opcode) = (first & 0x80 != 0, first & 0x0f);
        assert_eq!(first & 0x30, 0, "the server set RSV2 or RSV3 (§5.2)");
        let compressed = first & 0x40 != 0;
        assert!(
            !compressed || matches!(opcode, TEXT | BINARY),
            "the server set RSV1 where no message begins (RFC 7692 §6)"
        );
        assert!(
            matches!(opcode, 0..=2 | 8..=10),
            "the server used reserved opcode {opcode} (§5.2)"
        );
        assert_eq!(second & 0x80, 0, "the server masked a frame (§5.1)");
        let (length, header) = match second {
            126 => (u16::from_be_bytes(bytes.get(2..4)?.try_into().unwrap()) as usize, 4),
            127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().unwrap()) as usize, 10),
            length => (length as usize, 2),
        };
        let minimal_header = match length {
            0..=125 => 2,
            126..=0xffff => 4,
            _ => 10,
        };
        assert_eq!(header, minimal_header, "the server's length is not minimal (§5.2)");
        assert!(
            opcode < CLOSE || fin && length <= 125,
            "the server broke the rules of control frames (§5.5)"
        );
        let payload = bytes.get(header..header + length)?.to_vec();
        Some((Received { fin, compressed, opcode, payload }, header + length))
    }

    /// The code of a Close frame; `None` when its body is empty.
    pub(crate) fn close_code(&self) -> Option<u16> {
        assert_eq!(self.opcode, CLOSE, "not a Close frame: {self:?}");
        assert_ne!(self.payload.len(), 1, "the server sent a Close body of one byte (§5.5.1)");
        std::str::from_utf8(self.payload.get(2..).unwrap_or_default())
            .expect("a close reason in UTF-8 (§5.5.1)");
        self.payload.first_chunk().map(|code| u16::from_be_bytes(*code))
    }
}
