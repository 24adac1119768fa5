"""Python's `h2` and `wsproto` as a client of the echo server at WS_URL, over HTTP/2 with prior knowledge."""

import asyncio
import os
import sys
from urllib.parse import urlsplit

import h2.config
import h2.connection
import h2.events
from h2.errors import ErrorCodes
from h2.settings import SettingCodes
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage

from checks import check, outcome

PEER = "python h2 client"
URL = urlsplit(os.environ["WS_URL"])


class Http2:
    """A connection with several streams."""

    async def __aenter__(self):
        self.reader, self.writer = await asyncio.open_connection(URL.hostname, URL.port)
        self.connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.connection.initiate_connection()
        self.queues, self.settled = {}, asyncio.Event()
        self.flush()
        self.reading = asyncio.create_task(self.read())
        await self.settled.wait()
        return self

    async def __aexit__(self, *_):
        self.reading.cancel()
        self.writer.close()

    def flush(self):
        self.writer.write(self.connection.data_to_send())

    async def read(self):
        while data := await self.reader.read(65536):
            for event in self.connection.receive_data(data):
                if isinstance(event, h2.events.RemoteSettingsChanged):
                    self.settled.set()
                stream = getattr(event, "stream_id", None)
                if stream in self.queues:
                    self.queues[stream].put_nowait(event)
            self.flush()

    def request(self, headers=(), **replaced):
        """Sends an extended CONNECT and returns its stream."""
        pseudo = {":method": "CONNECT", ":protocol": "websocket", ":scheme": "http", ":path": "/", ":authority": URL.netloc}
        pseudo |= {":" + name: value for name, value in replaced.items()}
        stream = self.connection.get_next_available_stream_id()
        self.queues[stream] = asyncio.Queue()
        self.connection.send_headers(stream, [*pseudo.items(), ("sec-websocket-version", "13"), *headers])
        self.flush()
        return stream

    async def response(self, stream):
        """The headers of the response."""
        while True:
            event = await self.queues[stream].get()
            if isinstance(event, h2.events.ResponseReceived):
                return dict(event.headers)
            assert not isinstance(event, h2.events.StreamReset), event

    async def open(self, headers=()):
        stream = self.request(headers)
        response = await self.response(stream)
        assert response[":status"] == "200", response
        assert not {"upgrade", "connection", "sec-websocket-accept"} & response.keys(), response
        return WebSocket(self, stream)


class WebSocket:
    def __init__(self, http2, stream):
        self.http2, self.stream = http2, stream
        self.protocol = Connection(ConnectionType.CLIENT)
        self.ended = False

    async def send(self, event):
        data = self.protocol.send(event)
        while data:
            room = min(self.http2.connection.local_flow_control_window(self.stream), 16384)
            if room == 0:
                await asyncio.sleep(0.001)
                continue
            self.http2.connection.send_data(self.stream, data[:room])
            self.http2.flush()
            data = data[room:]

    async def events(self):
        """What arrives, up to END_STREAM."""
        while True:
            for event in self.protocol.events():
                yield event
            if self.ended:
                return
            event = await self.http2.queues[self.stream].get()
            if isinstance(event, h2.events.DataReceived):
                if event.data:  # The last frame ends the stream and is empty.
                    self.protocol.receive_data(event.data)
                self.http2.connection.acknowledge_received_data(event.flow_controlled_length, self.stream)
                self.http2.flush()
            elif isinstance(event, h2.events.StreamEnded):
                self.ended = True
            elif isinstance(event, h2.events.StreamReset):
                raise AssertionError(event)

    async def message(self):
        whole = []
        async for event in self.events():
            if isinstance(event, (TextMessage, BytesMessage)):
                whole.append(event.data)
                if event.message_finished:
                    return type(whole[0])().join(whole)
            else:
                return event


async def echoes():
    async with Http2() as http2:
        socket = await http2.open()
        for message in ("", "aßc" * 1000, "x" * 1_000_000):
            await asyncio.gather(socket.send(TextMessage(message)), expect(socket, message))
        await asyncio.gather(socket.send(BytesMessage(b"\xff" * 3_000_000)), expect(socket, b"\xff" * 3_000_000))


async def expect(socket, message):
    found = await socket.message()
    assert found == message, f"another message came back: {str(found)[:100]}"


async def many():
    async with Http2() as http2:
        async def talk(number):
            socket = await http2.open()
            for turn in range(20):
                await socket.send(TextMessage(f"{number} {turn}"))
                await expect(socket, f"{number} {turn}")

        await asyncio.gather(*(talk(number) for number in range(50)))


async def settings():
    async with Http2() as http2:
        assert http2.connection.remote_settings[SettingCodes.ENABLE_CONNECT_PROTOCOL] == 1


async def pings_and_closes():
    async with Http2() as http2:
        socket = await http2.open()
        await socket.send(Ping(b"still there?"))
        pong = await socket.message()
        assert isinstance(pong, Pong) and pong.payload == b"still there?", pong
        await socket.send(CloseConnection(3001, "enough"))
        close = await socket.message()
        assert isinstance(close, CloseConnection) and close.code == 3001, close
        assert [event async for event in socket.events()] == [], "something after the Close"
        http2.connection.end_stream(socket.stream)
        http2.flush()
        # The connection goes on.
        await expect_echo(await http2.open())


async def expect_echo(socket):
    await socket.send(TextMessage("hello"))
    await expect(socket, "hello")


async def subprotocol():
    async with Http2() as http2:
        stream = http2.request([("sec-websocket-protocol", "v1.echo, v2.echo")])
        response = await http2.response(stream)
        assert response["sec-websocket-protocol"] == "v2.echo", response


async def refusals():
    async with Http2() as http2:
        response = await http2.response(http2.request(protocol="webrtc"))
        assert response[":status"] == "501", response
        response = await http2.response(http2.request([("origin", "http://evil.example")]))
        assert response[":status"] == "403", response


async def reset():
    async with Http2() as http2:
        socket = await http2.open()
        http2.connection.reset_stream(socket.stream, ErrorCodes.CANCEL)
        http2.flush()
        await expect_echo(await http2.open())


async def main():
    for run in (settings, echoes, many, pings_and_closes, subprotocol, refusals, reset):
        await check(f"{PEER}: {run.__name__}", run)
    return outcome()


sys.exit(asyncio.run(main()))
