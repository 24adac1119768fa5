"""aiohttp as a server; prints its URL. Paths: / echoes, /fragments sends one message whole, as aiohttp has no fragments,
/close closes with 4001 and a reason at once. With TLS if TLS_CERT and TLS_KEY name files."""

import asyncio
import os
import ssl

from aiohttp import WSMsgType, web


async def behave(request):
    # A Close frame is answered by hand, for aiohttp answers any with 1000.
    socket = web.WebSocketResponse(max_msg_size=64 * 1024 * 1024, protocols=["v1.echo"], autoclose=False)
    await socket.prepare(request)
    if request.path == "/fragments":
        await socket.send_str("fragmented")
    if request.path == "/close":
        await socket.close(code=4001, message=b"as asked")
    while not socket.closed:
        message = await socket.receive()
        if message.type == WSMsgType.TEXT:
            await socket.send_str(message.data)
        if message.type == WSMsgType.BINARY:
            await socket.send_bytes(message.data)
        if message.type == WSMsgType.CLOSE:
            await socket.close(code=message.data or 1000)
    return socket


async def main():
    context, scheme = None, "ws"
    if "TLS_CERT" in os.environ:
        context, scheme = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), "wss"
        context.load_cert_chain(os.environ["TLS_CERT"], os.environ["TLS_KEY"])
    application = web.Application()
    application.router.add_get("/{path:.*}", behave)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    print(f"{scheme}://127.0.0.1:{runner.addresses[0][1]}/", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
