"""http2_bridge.py server HOST:PORT: lets the suite's client, which speaks HTTP/1.1 alone, reach a server over HTTP/2.
http2_bridge.py client HOST:PORT: lets clients over HTTP/2 reach the suite's server.

Prints its own URL. Each WebSocket is a stream on one side, opened with an extended CONNECT, and a TCP connection on the
other. Once it is open bytes are passed on as they come, so frames are those of the two ends; END_STREAM stands for the
end of a TCP connection and RST_STREAM for its reset (RFC 8441 §5). All streams to a server are on one connection. Whoever
breaks the rules of HTTP/2 ends the bridge, and so does a server that ends the connection.
"""

import asyncio
import base64
import contextlib
import functools
import hashlib
import sys

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, RequestReceived, ResponseReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings

# Headers that belong to the opening handshake of HTTP/1.1 alone.
HTTP1_ONLY = {"host", "connection", "upgrade", "sec-websocket-key", "sec-websocket-accept"}


class Reset(Exception):
    """The peer has reset a stream, or has gone."""


class Http2:
    """A connection of HTTP/2."""

    def __init__(self, reader, writer, requested=None):
        """With `requested`, which is called with each request's stream and headers, a server's end of it."""
        self.reader, self.writer, self.requested = reader, writer, requested
        self.connection = H2Connection(H2Configuration(client_side=requested is None, header_encoding="utf-8"))
        if requested:
            settings = {SettingCodes.ENABLE_CONNECT_PROTOCOL: 1, SettingCodes.MAX_CONCURRENT_STREAMS: 100}
            self.connection.local_settings = Settings(client=False, initial_values=settings)
        self.connection.initiate_connection()
        self.streams, self.news, self.tasks = {}, asyncio.Event(), set()
        self.flush()

    def flush(self):
        data = self.connection.data_to_send()
        if not self.writer.is_closing():
            self.writer.write(data)

    async def run(self):
        """Hands to each stream what arrives for it, until the connection ends."""
        try:
            while data := await self.reader.read(65536):
                for event in self.connection.receive_data(data):
                    self.handle(event)
                self.flush()
                self.news.set()
                self.news = asyncio.Event()
        except ProtocolError as error:
            sys.exit(f"that is not HTTP/2: {error}")
        except ConnectionError:
            pass
        for stream in self.streams.values():
            stream.events.put_nowait(StreamReset(stream.id))
        self.writer.close()

    def handle(self, event):
        if isinstance(event, RequestReceived):
            task = asyncio.create_task(self.requested(Stream(self, event.stream_id), dict(event.headers)))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        elif stream := self.streams.get(getattr(event, "stream_id", None)):
            stream.events.put_nowait(event)

    async def wait_until(self, condition):
        while not condition():
            await self.news.wait()

    async def request(self, headers):
        settings = self.connection.remote_settings
        await self.wait_until(lambda: settings.get(SettingCodes.ENABLE_CONNECT_PROTOCOL) == 1)
        stream = Stream(self, self.connection.get_next_available_stream_id())
        stream.send_headers(headers)
        return stream


class Stream:
    """The bytes of one WebSocket on that connection."""

    def __init__(self, http2, number):
        self.http2, self.connection, self.id = http2, http2.connection, number
        self.events = asyncio.Queue()
        http2.streams[number] = self

    def send_headers(self, headers):
        self.connection.send_headers(self.id, headers)
        self.http2.flush()

    async def response(self):
        while not isinstance(event := await self.events.get(), ResponseReceived):
            if isinstance(event, StreamReset):
                raise Reset
        return dict(event.headers)

    async def join(self, reader, writer):
        """Passes on what comes from either side, until both have ended."""
        try:
            async with asyncio.TaskGroup() as directions:
                directions.create_task(self.send_all(reader))
                directions.create_task(self.receive_all(writer))
        except* Reset:
            writer.transport.abort()
        except* OSError:
            self.reset()
        finally:
            self.forget()
            writer.close()

    async def send_all(self, reader):
        try:
            while data := await reader.read(65536):
                await self.send(data)
            self.connection.end_stream(self.id)
            self.http2.flush()
        except ProtocolError:
            pass  # The peer has reset it or is leaving; what was received before is still to be passed on.

    async def send(self, data):
        while data:
            await self.http2.wait_until(lambda: self.connection.local_flow_control_window(self.id) > 0)
            room = self.connection.local_flow_control_window(self.id)
            room = min(room, self.connection.max_outbound_frame_size)
            self.connection.send_data(self.id, data[:room])
            self.http2.flush()
            data = data[room:]
        await self.http2.writer.drain()

    async def receive_all(self, writer):
        while not isinstance(event := await self.events.get(), StreamEnded):
            if isinstance(event, StreamReset):
                raise Reset
            if isinstance(event, DataReceived):
                writer.write(event.data)
                await writer.drain()
                self.acknowledge(event)
        writer.write_eof()

    def acknowledge(self, event):
        self.connection.acknowledge_received_data(event.flow_controlled_length, self.id)
        self.http2.flush()

    def reset(self):
        with contextlib.suppress(ProtocolError):  # It may have ended already.
            self.connection.reset_stream(self.id, ErrorCodes.CANCEL)
            self.http2.flush()

    def forget(self):
        """What nobody will read gives its room in the connection's window back."""
        del self.http2.streams[self.id]
        while not self.events.empty():
            if isinstance(event := self.events.get_nowait(), DataReceived):
                self.acknowledge(event)


async def read_head(reader):
    """The second word of the first line, a target or a status, and the headers."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
    return first.split(" ")[1], headers


def head(first, *headers):
    lines = [first, *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "Upgrade: websocket", "Connection: Upgrade", "", ""]).encode()


def shared(headers):
    """The headers that mean the same in both versions of HTTP."""
    return [(name, value) for name, value in headers.items() if name not in HTTP1_ONLY and name[0] != ":"]


def accept_value(key):
    return base64.b64encode(hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()).decode()


async def to_http2(http2, reader, writer):
    """Carries one WebSocket of an HTTP/1.1 client to the server."""
    target, headers = await read_head(reader)
    connect = {":method": "CONNECT", ":protocol": "websocket", ":scheme": "http"}
    connect |= {":path": target, ":authority": headers["host"]}
    stream = await http2.request([*connect.items(), *shared(headers)])
    response = await stream.response()
    if response[":status"] != "200":
        sys.exit(f"the server refused a WebSocket: {response}")
    accept = ("Sec-WebSocket-Accept", accept_value(headers["sec-websocket-key"]))
    writer.write(head("HTTP/1.1 101 Switching Protocols", accept, *shared(response)))
    await stream.join(reader, writer)


async def to_http1(address, stream, headers):
    """Carries one WebSocket of an HTTP/2 client to the suite's server."""
    if (headers[":method"], headers.get(":protocol")) != ("CONNECT", "websocket"):
        sys.exit(f"this opens no WebSocket: {headers}")
    reader, writer = await asyncio.open_connection(*address)
    handshake = [("Host", ":".join(address)), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]
    writer.write(head(f"GET {headers[':path']} HTTP/1.1", *handshake, *shared(headers)))
    status, response = await read_head(reader)
    if status != "101":
        sys.exit(f"the suite refused a WebSocket: {status}")
    stream.send_headers([(":status", "200"), *shared(response)])
    await stream.join(reader, writer)


async def main(role, address):
    address = address.rsplit(":", 1)
    if role == "server":
        http2 = Http2(*await asyncio.open_connection(*address))
        bridge = await asyncio.start_server(lambda *client: to_http2(http2, *client), "127.0.0.1", 0)
    else:
        serve = functools.partial(to_http1, address)
        bridge = await asyncio.start_server(lambda *client: Http2(*client, serve).run(), "127.0.0.1", 0)
    print(f"ws://127.0.0.1:{bridge.sockets[0].getsockname()[1]}/", flush=True)
    if role == "server":
        await http2.run()
        sys.exit("the server ended the connection")
    await bridge.serve_forever()


asyncio.run(main(*sys.argv[1:]))
