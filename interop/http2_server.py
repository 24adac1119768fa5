"""An echo server by Python's `h2` and `wsproto`, over HTTP/2 with prior knowledge. Prints its URL. A message of more than
one DATA frame is sent back in as many as flow control wants."""

import asyncio

import h2.config
import h2.connection
import h2.events
from h2.settings import SettingCodes, Settings
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage


class Client:
    def __init__(self, writer):
        self.writer = writer
        self.connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        settings = {SettingCodes.ENABLE_CONNECT_PROTOCOL: 1, SettingCodes.MAX_CONCURRENT_STREAMS: 100}
        self.connection.local_settings = Settings(client=False, initial_values=settings)
        self.connection.initiate_connection()
        self.sockets, self.waiting = {}, {}

    def open(self, stream, headers):
        wanted = {":method": "CONNECT", ":protocol": "websocket", ":scheme": "http", "sec-websocket-version": "13"}
        wrong = {name: headers.get(name) for name, value in wanted.items() if headers.get(name) != value}
        if wrong or {"sec-websocket-key", "connection", "upgrade"} & headers.keys():
            self.connection.send_headers(stream, [(":status", "400")], end_stream=True)
            return
        self.connection.send_headers(stream, [(":status", "200")])
        self.sockets[stream], self.waiting[stream] = Connection(ConnectionType.SERVER), b""

    def receive(self, stream):
        socket = self.sockets[stream]
        for event in socket.events():
            if isinstance(event, (TextMessage, BytesMessage)):
                self.waiting[stream] += socket.send(type(event)(event.data, message_finished=event.message_finished))
            elif isinstance(event, Ping):
                self.waiting[stream] += socket.send(event.response())
            elif isinstance(event, CloseConnection):
                self.waiting[stream] += socket.send(event.response())

    def send(self):
        for stream, data in list(self.waiting.items()):
            while data and (room := min(self.connection.local_flow_control_window(stream), 16384)):
                self.connection.send_data(stream, data[:room])
                data = data[room:]
            self.waiting[stream] = data
            if not data and self.sockets[stream].state.name == "CLOSED":
                self.connection.end_stream(stream)
                del self.waiting[stream]
        self.writer.write(self.connection.data_to_send())

    def handle(self, event):
        if isinstance(event, h2.events.RequestReceived):
            self.open(event.stream_id, dict(event.headers))
        elif isinstance(event, h2.events.DataReceived):
            self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            if event.data:  # The last frame ends the stream and is empty.
                self.sockets[event.stream_id].receive_data(event.data)
                self.receive(event.stream_id)
        elif isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset)):
            self.sockets.pop(event.stream_id, None)
            self.waiting.pop(event.stream_id, None)


async def serve(reader, writer):
    client = Client(writer)
    client.send()
    while data := await reader.read(65536):
        for event in client.connection.receive_data(data):
            client.handle(event)
        client.send()
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/", flush=True)
    await server.serve_forever()


asyncio.run(main())
