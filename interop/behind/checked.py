"""Through a proxy that ends TLS: the chat at CHAT, whose process is SERVER and whose log is LOG, and two echo servers,
ECHO with a keepalive and SILENT without. Python's `websockets` is the client."""

import asyncio
import json
import os
import signal
import sys
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from checks import check, outcome
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

PEER = sys.argv[1]
CHAT, ECHO, SILENT = (os.environ[name] for name in ("CHAT", "ECHO", "SILENT"))
MIB = 1024 * 1024


def chat(name="", host=CHAT, **options):
    return connect(f"wss://{host}/chat/lobby?name={name}", proxy=None, max_size=None, **options)


def echo(host=ECHO):
    return connect(f"wss://{host}/", proxy=None, max_size=None, ping_interval=None, compression=None)


async def event(socket, wanted):
    while (received := json.loads(await socket.recv()))["event"] != wanted:
        pass
    return received


async def page_and_health():
    def get(path):
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"https://{CHAT}{path}") as response:
            return response.read()

    assert b"chat.js" in await asyncio.to_thread(get, "/")
    assert await asyncio.to_thread(get, "/readyz") == b"ready\n"


async def two_chat_from_the_page():
    async with chat("ann", origin=f"https://{CHAT}") as ann, chat("bob", origin=f"https://{CHAT}") as bob:
        await event(ann, "welcome")
        await bob.send("hello")
        assert (await event(ann, "message"))["text"] == "hello"


async def foreign_pages_are_refused():
    # A client may say what it likes of the host; the proxy writes it over.
    for headers in ({}, {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}):
        try:
            await chat(origin="https://evil.example", additional_headers=headers)
        except InvalidStatus as error:
            assert error.response.status_code == 403, error
        else:
            raise AssertionError("it was let in")


async def address():
    claims = {"X-Forwarded-For": "192.0.2.1", "Forwarded": "for=192.0.2.1"}
    host = CHAT.replace("localhost", "127.0.0.1")
    async with chat(host=host, local_addr=("127.0.0.9", 0), additional_headers=claims) as socket:
        await event(socket, "welcome")
    # The log is written behind what happens; that a line never comes is found out by `check`.
    known = set()
    while "127.0.0.9" not in known:
        lines = Path(os.environ["LOG"]).read_text().splitlines(keepends=True)
        known = {json.loads(line).get("address") for line in lines if line.endswith("\n")}
        await asyncio.sleep(0.05)
    assert "192.0.2.1" not in known, known


async def large():
    async with echo() as socket:
        for message in (os.urandom(8 * MIB), "é" * MIB):
            await socket.send(message)
            assert await socket.recv() == message, "another message came back"


async def closed(socket, code):
    try:
        while True:
            await asyncio.wait_for(socket.recv(), 30)
    except ConnectionClosed:
        assert socket.close_code == code, (socket.close_code, socket.close_reason)


async def close_codes():
    async with echo() as socket:
        await socket.close(4321, "of the client")
        assert socket.protocol.close_rcvd.code == 4321
    async with connect(f"wss://{CHAT}/chat/no%20room", proxy=None) as socket:
        await closed(socket, 1008)
        assert socket.close_reason.startswith("a room's name"), socket.close_reason
    async with chat() as socket:
        await socket.send("x" * MIB)
        await closed(socket, 1009)


async def silence():
    """The proxy cuts what is silent for 5 s, unless the server's Pings keep it."""
    async with echo() as kept, echo(SILENT) as cut:
        await closed(cut, 1006)
        await asyncio.sleep(3)
        await kept.send("still here")
        assert await kept.recv() == "still here"


async def stop():
    async with chat() as socket:
        await event(socket, "welcome")
        os.kill(int(os.environ["SERVER"]), signal.SIGTERM)
        await closed(socket, 1012)
        assert "come back in" in socket.close_reason, socket.close_reason


async def main():
    await check(f"{PEER}: the page, and whether the server is ready", page_and_health)
    await check(f"{PEER}: two chat from the page", two_chat_from_the_page)
    await check(f"{PEER}: foreign pages are refused", foreign_pages_are_refused)
    await check(f"{PEER}: the client's address is known, and not what it claims", address)
    await check(f"{PEER}: large messages", large)
    await check(f"{PEER}: close codes", close_codes)
    await check(f"{PEER}: long silence", silence)
    await check(f"{PEER}: the server stops", stop)


asyncio.run(main())
sys.exit(outcome())
