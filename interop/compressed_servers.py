"""Python's `websockets` as servers that compress whatever comes and echo it; prints the URL and the name of each, once
all listen."""

import asyncio

from websockets.asyncio.server import serve
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory


async def echo(socket):
    async for message in socket:
        await socket.send(message)


async def main():
    servers = {
        "context-keeping": {},
        "contextless": {"server_no_context_takeover": True, "client_no_context_takeover": True},
    }
    lines = []
    for name, options in servers.items():
        extensions = [ServerPerMessageDeflateFactory(**options)]
        server = await serve(echo, "127.0.0.1", 0, compression=None, extensions=extensions)
        lines.append(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ {name} python websockets")
    print("\n".join(lines), flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
