"""Python's `websockets` as a client of the echo server at WS_URL, which prefers the subprotocol v2.echo to v1.echo;
through the Unix-domain socket WS_UNIX if that is given."""

import asyncio
import os
import sys

from websockets.asyncio.client import connect, unix_connect
from websockets.exceptions import ConnectionClosed

from checks import check, outcome

MIB = 1024 * 1024
UNIX = os.environ.get("WS_UNIX")
PEER = "python websockets client" + (", unix" if UNIX else "")


def opened(**options):
    options.update(max_size=64 * MIB, compression=None)
    if UNIX:
        return unix_connect(UNIX, os.environ["WS_URL"], **options)
    return connect(os.environ["WS_URL"], **options)


def echoes(message):
    async def run():
        async with opened() as socket:
            await socket.send(message)
            assert await socket.recv() == message, "another message came back"

    return run


def closes(code, reason):
    async def run():
        socket = await opened()
        await socket.close(code, reason)
        assert socket.protocol.close_rcvd.code == code, socket.protocol.close_rcvd
        assert socket.protocol.close_rcvd_then_sent is False, "the server closed first"
        try:
            await socket.recv()
        except ConnectionClosed:
            return
        raise AssertionError("a message after the closing handshake")

    return run


async def fragments():
    async with opened() as socket:
        for text in (["frag", "", "mented"], [b"\x00", b"\xff" * 70_000, b""]):
            await socket.send(text)
            assert await socket.recv() == type(text[0])().join(text)


async def pings():
    async with opened() as socket:
        for payload in (b"", b"between", b"x" * 125):
            await asyncio.wait_for(await socket.ping(payload), 60)


async def subprotocols():
    for offered, agreed in ((["v1.echo", "v2.echo"], "v2.echo"), (["soap", "v1.echo"], "v1.echo"), (["soap"], None)):
        async with opened(subprotocols=offered) as socket:
            assert socket.subprotocol == agreed, socket.subprotocol


async def main():
    messages = {
        "text": "hello",
        "text beyond ASCII": "κόσμε 🔑 \0",
        "empty text": "",
        "empty binary": b"",
        "binary of every byte": bytes(range(256)),
        "text of 16 MiB": "é" * (8 * MIB),
        "binary of 16 MiB": b"wskit.io" * (2 * MIB),
    }
    for name, message in messages.items():
        await check(f"{PEER}: {name}", echoes(message))
    await check(f"{PEER}: fragments", fragments)
    await check(f"{PEER}: pings", pings)
    for code, reason in ((1000, ""), (1001, "leaving"), (3000, "résumé"), (4999, "x" * 123)):
        await check(f"{PEER}: closes with {code} and a reason of {len(reason)}", closes(code, reason))
    await check(f"{PEER}: subprotocols", subprotocols)
    sys.exit(outcome())


asyncio.run(main())
