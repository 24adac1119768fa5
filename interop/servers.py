"""Python's `websockets` as a server; prints its URL. Paths: / echoes, /fragments sends one message in three
fragments, /close closes with 4001 and a reason at once. With TLS if TLS_CERT and TLS_KEY name files, and on the
Unix-domain socket WS_UNIX if that is given."""

import asyncio
import os
import ssl

from websockets.asyncio.server import serve, unix_serve


async def behave(socket):
    if socket.request.path == "/fragments":
        await socket.send(["frag", "", "mented"])
    if socket.request.path == "/close":
        await socket.close(4001, "as asked")
    async for message in socket:
        await socket.send(message)


async def main():
    options = dict(max_size=64 * 1024 * 1024, subprotocols=["v1.echo"])
    # A client that offers no subprotocol this server knows is served without one.
    options["select_subprotocol"] = lambda _, offered: "v1.echo" if "v1.echo" in offered else None
    scheme = "ws"
    if "TLS_CERT" in os.environ:
        scheme = "wss"
        options["ssl"] = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        options["ssl"].load_cert_chain(os.environ["TLS_CERT"], os.environ["TLS_KEY"])
    if "WS_UNIX" in os.environ:
        async with unix_serve(behave, os.environ["WS_UNIX"], **options) as server:
            print(f"{scheme}://localhost/", flush=True)
            await server.serve_forever()
    async with serve(behave, "127.0.0.1", 0, **options) as server:
        print(f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/", flush=True)
        await server.serve_forever()


asyncio.run(main())
