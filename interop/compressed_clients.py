"""Python's `websockets` as a client that compresses, of the echo servers at WS_URL (which keep no context) and
WS_URL_DEDICATED (which keep it)."""

import asyncio
import os
import sys

from websockets.asyncio.client import connect
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from checks import check, outcome
from random_messages import random_messages

MESSAGES = 2000
AT_ONCE = 20
SHARED, DEDICATED = os.environ["WS_URL"], os.environ["WS_URL_DEDICATED"]


def echoes(url, agreed, **offer):
    async def run():
        extensions = [ClientPerMessageDeflateFactory(**offer)]
        async with connect(url, compression=None, extensions=extensions, max_queue=None) as socket:
            (deflate,) = socket.protocol.extensions
            settings = (
                deflate.remote_no_context_takeover,
                deflate.local_no_context_takeover,
                deflate.remote_max_window_bits,
                deflate.local_max_window_bits,
            )
            assert settings == agreed, settings
            messages = random_messages(7)
            for _ in range(MESSAGES // AT_ONCE):
                sent = [next(messages) for _ in range(AT_ONCE)]
                for number, message in enumerate(sent):
                    third = len(message) // 3
                    if number % 5 == 4:
                        message = [message[:third], message[third : 2 * third], message[2 * third :]]
                    await socket.send(message)
                for message in sent:
                    assert await socket.recv() == message, "another message came back"

    return run


async def main():
    combinations = {
        "no context, as the server wants it": (SHARED, (True, True, 15, 15), {}),
        "no context, as the client wants it": (
            DEDICATED,
            (True, True, 15, 15),
            {"server_no_context_takeover": True, "client_no_context_takeover": True},
        ),
        "context": (DEDICATED, (False, False, 15, 15), {"client_max_window_bits": True}),
    }
    for bits in (9, 12):
        windows = {"server_max_window_bits": bits, "client_max_window_bits": bits}
        combinations[f"context, {bits} bits"] = (DEDICATED, (False, False, bits, bits), windows)
    for name, (url, agreed, offer) in combinations.items():
        await check(f"python websockets client: compressed messages, {name}", echoes(url, agreed, **offer))
    sys.exit(outcome())


asyncio.run(main())
