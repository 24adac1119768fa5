"""A WebSocket client on a bare socket, which takes next to no memory and time of its own."""

import re
import socket
import struct
import zlib

FIN, RSV1 = 0x80, 0x40
TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9
KEY = bytes.fromhex("12345678")
REQUEST = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{offer}\r\n"
)


def frame(opcode: int, payload: bytes, first_bits: int = FIN) -> bytes:
    """A masked frame."""
    length = len(payload)
    if length < 126:
        header = bytes([first_bits | opcode, 0x80 | length])
    elif length < 1 << 16:
        header = struct.pack(">BBH", first_bits | opcode, 0x80 | 126, length)
    else:
        header = struct.pack(">BBQ", first_bits | opcode, 0x80 | 127, length)
    keys = (KEY * (length // 4 + 1))[:length]
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(keys, "big")
    return header + KEY + masked.to_bytes(length, "big")


class Client:
    """A connection after its opening handshake, or a bare one to a server that has none."""

    def __init__(self, port: int, path: str = "/", offer: str | None = None, websocket: bool = True):
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.agreed = ""
        if websocket:
            self.open(port, path, offer)

    def open(self, port: int, path: str, offer: str | None) -> None:
        header = f"Sec-WebSocket-Extensions: {offer}\r\n" if offer else ""
        self.socket.sendall(REQUEST.format(path=path, port=port, offer=header).encode())
        head = b""
        # Byte for byte, for what comes behind the head is read by others.
        while not head.endswith(b"\r\n\r\n"):
            head += self.exactly(1)
        if b" 101 " not in head.splitlines()[0]:
            raise RuntimeError(f"refused: {head.splitlines()[0].decode()}")
        if agreed := re.search(rb"(?im)^sec-websocket-extensions:(.*)$", head):
            self.agreed = agreed[1].decode().strip()

    def exactly(self, count: int) -> bytes:
        """The next `count` bytes."""
        parts = []
        while count:
            part = self.socket.recv(min(count, 1 << 20))
            if not part:
                raise RuntimeError("the server has ended the connection")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def message(self) -> bytes:
        """The payload of the next message, as it stands in its frames."""
        whole = b""
        while True:
            first, second = self.exactly(2)
            length = second & 0x7F
            if length >= 126:
                length = int.from_bytes(self.exactly(2 if length == 126 else 8), "big")
            payload = self.exactly(length)
            if first & 0x0F < CLOSE:
                whole += payload
                if first & FIN:
                    return whole

    def deflated(self, text: bytes) -> bytes:
        """A frame with this text, compressed as it was agreed."""
        bits = re.search(r"client_max_window_bits=(\d+)", self.agreed)
        deflate = zlib.compressobj(wbits=-int(bits[1]) if bits else -15)
        compressed = deflate.compress(text) + deflate.flush(zlib.Z_SYNC_FLUSH)
        return frame(TEXT, compressed.removesuffix(b"\0\0\xff\xff"), FIN | RSV1)

    def reset(self) -> None:
        """Ends the connection at once."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
