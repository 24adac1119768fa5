"""Clients that come and go, well and badly: how each kind behaves, for as long as it stays."""

import asyncio
import base64
import os
import random
import socket
import struct

# With a masking key of zeros.
CLOSE = b"\x88\x82\0\0\0\0\x03\xe8"
STAYS_MAX = 5
# A client that does not answer is dropped before.
SILENT_MAX = 60
# A client that reads too slowly is dropped before, if enough is spoken.
SLOW_MAX = 180


def request(room: int) -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        f"GET /chat/room-{room}?name=visitor HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def text(words: str) -> bytes:
    payload = words.encode()
    return bytes([0x81, 0x80 | len(payload)]) + bytes(4) + payload


async def read_for(reader: asyncio.StreamReader, seconds: float) -> None:
    """Reads and answers no Ping; so it does not stay for long."""
    try:
        async with asyncio.timeout(seconds):
            while await reader.read(1 << 16):
                pass
    except TimeoutError:
        pass


async def polite(port: int, room: int) -> None:
    """Says something and takes leave."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request(room))
        await reader.readuntil(b"\r\n\r\n")
        writer.write(text("hello all"))
        await read_for(reader, random.uniform(0, STAYS_MAX))
        writer.write(CLOSE)
        await read_for(reader, STAYS_MAX)
    finally:
        writer.close()


async def killed(port: int, room: int) -> None:
    """Ends as a program does that is killed while something was on its way."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request(room))
        await reader.readuntil(b"\r\n\r\n")
        writer.write(text("good")[: random.randrange(1, 9)])
        await read_for(reader, random.uniform(0, STAYS_MAX))
    finally:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()


async def half_open(port: int, room: int) -> None:
    """Enters, and is never heard of again; it does not see its end either."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request(room))
        await asyncio.sleep(SILENT_MAX)
    finally:
        writer.transport.abort()


async def unfinished(port: int, room: int) -> None:
    """Never finishes its opening handshake."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        whole = request(room)
        writer.write(whole[: random.randrange(len(whole) - 1)])
        await read_for(reader, SILENT_MAX)
    finally:
        writer.transport.abort()


async def slow(port: int, room: int) -> None:
    """Reads, but slower than is spoken."""
    loop = asyncio.get_running_loop()
    with socket.socket() as connection:
        connection.setblocking(False)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        await loop.sock_connect(connection, ("127.0.0.1", port))
        await loop.sock_sendall(connection, request(room))
        # Not so slow that it seems to be dead: the server sees that something was taken when a third of what its
        # system holds for the connection has left.
        for _ in range(4 * SLOW_MAX):
            if not await loop.sock_recv(connection, 16384):
                break
            await asyncio.sleep(0.25)


KINDS = {"polite": polite, "killed": killed, "half-open": half_open, "unfinished": unfinished, "slow": slow}


async def come_and_go(port: int, rooms: int, each_second: float, seconds: float, came: dict[str, int]) -> None:
    """Lets visitors of all kinds in turn come for so long, and waits until the last of them has gone."""
    loop = asyncio.get_running_loop()
    until, visits, turn = loop.time() + seconds, set(), 0
    while loop.time() < until:
        name, kind = list(KINDS.items())[turn % len(KINDS)]
        visit = asyncio.create_task(quietly(kind(port, random.randrange(rooms))))
        visits.add(visit)
        visit.add_done_callback(visits.discard)
        came[name] = came.get(name, 0) + 1
        turn += 1
        await asyncio.sleep(random.expovariate(each_second))
    # Those who would wait for their end have theirs now.
    for visit in visits:
        visit.cancel()
    await asyncio.gather(*visits, return_exceptions=True)


async def quietly(visit) -> None:
    """The server may end any of them."""
    try:
        await visit
    except (OSError, EOFError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass
