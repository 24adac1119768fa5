"""aiohttp as a client of the echo server at WS_URL."""

import asyncio
import os
import sys

import aiohttp

from checks import check, outcome

MIB = 1024 * 1024
PEER = "python aiohttp client"


async def main():
    async with aiohttp.ClientSession() as session:

        def opened(**options):
            return session.ws_connect(os.environ["WS_URL"], max_msg_size=64 * MIB, **options)

        def echoes(message):
            async def run():
                async with opened() as socket:
                    send = socket.send_str if isinstance(message, str) else socket.send_bytes
                    await send(message)
                    assert (await socket.receive()).data == message, "another message came back"

            return run

        async def compressed():
            async with opened(compress=15) as socket:
                assert socket.compress, "no compression was agreed on"
                for length in (10, 1000, 100_000):
                    await socket.send_str("so so " * length)
                    assert (await socket.receive()).data == "so so " * length

        async def pings():
            async with opened(autoping=False) as socket:
                await socket.ping(b"between")
                answer = await socket.receive()
                assert (answer.type, answer.data) == (aiohttp.WSMsgType.PONG, b"between"), answer

        async def closes():
            async with opened() as socket:
                await socket.close(code=3000, message=b"that is all")
                assert socket.close_code == 3000, socket.close_code
                assert socket.exception() is None, socket.exception()

        messages = {
            "text beyond ASCII": "κόσμε 🔑 \0",
            "empty text": "",
            "binary of every byte": bytes(range(256)),
            "text of 16 MiB": "é" * (8 * MIB),
            "binary of 16 MiB": b"wskit.io" * (2 * MIB),
        }
        for name, message in messages.items():
            await check(f"{PEER}: {name}", echoes(message))
        await check(f"{PEER}: compressed text", compressed)
        await check(f"{PEER}: a ping", pings)
        await check(f"{PEER}: closes with 3000", closes)
    sys.exit(outcome())


asyncio.run(main())
