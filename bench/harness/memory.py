"""Resident growth of a server for each idle connection: fresh, after messages, after compressed traffic."""

import contextlib
import dataclasses
import json
import pathlib
import resource
import time
from collections.abc import Callable

from harness import servers, tables
from harness.client import BINARY, Client, frame
from harness.servers import variant

CONNECTIONS = 10_000
# Beyond this the rest of the connections is spared: what was seen so far tells.
GROWTH_BYTES_MAX = 1 << 30
FRESH, AFTER_4_KIB, AFTER_1_MIB, AFTER_COMPRESSED = "fresh", "after 4 KiB", "after 1 MiB", "after 1 KiB compressed"
ROOM_MEMBERS = 100
MIB = bytes(1 << 20)
PATIENCE = ["--keepalive-interval", "3600", "--keepalive-timeout", "3600"]
SENTENCE = json.dumps([{"id": 7919 * i, "user": f"user-{i:03}", "text": f"number {i}"} for i in range(30)]).encode()[:1024]
PLAIN = [FRESH, AFTER_4_KIB, AFTER_1_MIB]
COMPRESSED = [FRESH, AFTER_COMPRESSED]
OFFER = "permessage-deflate; client_max_window_bits"
ABOUT = [
    "Resident memory (VmRSS) that a server has grown by for each idle connection, with 10,000 of them: fresh, then after an",
    "echo of 4 KiB on each, then of 1 MiB on each. In runs of their own: after an echo of 1 KiB of JSON on each, compressed",
    "as was agreed; and fresh members of a chat, 100 in each room. One connection that has done the same was there before,",
    "so what belongs to the thread is not counted. Where it grows by more than 1 GiB fewer connections are taken.",
]


@dataclasses.dataclass(frozen=True)
class Subject:
    """A server with its settings, and how clients come to it."""

    server: servers.Server
    compression: str | None = None
    offer: str | None = None
    path: Callable[[int], str] = lambda number: "/"
    # Members of a chat say nothing here: what is said belongs to the room.
    echoes: bool = True


def subjects(chosen: list[servers.Server]) -> list[Subject]:
    found = []
    for server in chosen:
        if server.name == "wskit":
            found += wskit(server)
        elif server.websocket:
            server = dataclasses.replace(server, command=server.lean or server.command)
            found.append(Subject(server))
            found += [Subject(variant(server, mode), mode, OFFER) for mode in server.compressed]
    return found


def wskit(echo: servers.Server) -> list[Subject]:
    """All the modes of compression, and the chat; patient, for clients do not answer Pings here."""
    dedicated = ["--compression", "dedicated", "--compression-window"]
    modes = {"shared": ["--compression", "shared"], "15 bits": [*dedicated, "15"], "9 bits": [*dedicated, "9"]}
    echo = dataclasses.replace(echo, command=echo.command + PATIENCE, compressed=modes)
    command = [echo.command[0], "serve", "--ephemeral", "--threads", "1", "--listen", "127.0.0.1:{port}", *PATIENCE]
    chat = dataclasses.replace(echo, name="wskit serve", command=command)
    found = [Subject(echo), *(Subject(variant(echo, mode), mode, OFFER) for mode in modes)]
    for server, mode, offer in [(chat, None, None), (variant(chat, "shared"), "shared", OFFER)]:
        found.append(Subject(server, mode, offer, path=room, echoes=False))
    return found


def room(number: int) -> str:
    return f"/chat/room-{number // ROOM_MEMBERS}"


def resident_bytes(process: int) -> int:
    for line in pathlib.Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the server has ended")


class Growth:
    """The memory that a server has grown by for each connection, since it was warm."""

    def __init__(self, process: int):
        self.process = process
        self.each = 0.0

    def after(self, count: int, act: Callable[[int], None]) -> float:
        """What it is when `act` was done with all connections, or with so many that it is too much."""
        before = resident_bytes(self.process)
        done = 0
        while done < count and (done % 100 or resident_bytes(self.process) - before < GROWTH_BYTES_MAX):
            act(done)
            done += 1
        time.sleep(1)
        self.each += (resident_bytes(self.process) - before) / done
        return self.each


def echo(client: Client, request: bytes, payload_bytes: int) -> None:
    client.socket.sendall(request)
    if len(client.message()) != payload_bytes:
        raise RuntimeError("that is not an echo")


def compressed(client: Client, text: bytes) -> None:
    client.socket.sendall(client.deflated(text))
    client.message()


def held(subject: Subject, count: int) -> dict[str, float]:
    """What a server holds, by what was done before."""
    cells = {}
    with servers.running(subject.server, subject.compression, core=None) as (process, port), contextlib.ExitStack() as stack:
        clients = []

        def connect(number: int) -> None:
            client = Client(port, subject.path(number), subject.offer)
            stack.callback(client.reset)
            clients.append(client)

        def echo_all(column: str, payload: bytes) -> None:
            request = frame(BINARY, payload)
            cells[column] = growth.after(len(clients), lambda number: echo(clients[number], request, len(payload)))

        connect(count)
        warm = clients.pop()
        if subject.compression and not warm.agreed:
            raise RuntimeError("it does not agree to compression")
        if subject.echoes:
            compressed(warm, SENTENCE) if subject.compression else echo(warm, frame(BINARY, MIB), len(MIB))
        growth = Growth(process.pid)
        cells[FRESH] = growth.after(count, connect)
        if subject.echoes and subject.compression:
            cells[AFTER_COMPRESSED] = growth.after(len(clients), lambda number: compressed(clients[number], SENTENCE))
        elif subject.echoes:
            echo_all(AFTER_4_KIB, bytes(4 << 10))
            echo_all(AFTER_1_MIB, MIB)
    return cells


def measure(arguments) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    measured = subjects(arguments.chosen)
    outcomes = {row: {} for row in [*PLAIN, AFTER_COMPRESSED]}
    for subject in measured:
        name = subject.server.name
        try:
            cells = held(subject, CONNECTIONS)
        except (OSError, RuntimeError) as failure:
            print(f"{name}: {failure}", flush=True)
            continue
        for row, grown in cells.items():
            outcomes[row][name] = [{"bytes": grown}]
        print(f"{name}: {', '.join(f'{row} {grown:,.0f}' for row, grown in cells.items())}", flush=True)

    lines = tables.head("Memory for each idle connection", arguments.chosen, arguments, timed=False)
    lines += ["", *ABOUT]

    def add(title: str, rows: list[str], wanted: Callable[[Subject], bool], best: str | None = "least"):
        shown = [subject.server for subject in measured if wanted(subject)]
        lines.extend(tables.table(title, {row: outcomes[row] for row in rows}, shown, "bytes", "{:,.0f}".format, best))

    add("Bytes, without compression", PLAIN, lambda subject: subject.echoes and not subject.compression)
    add("Bytes, with compression", COMPRESSED, lambda subject: subject.echoes and subject.compression)
    add("Bytes, in a chat", [FRESH], lambda subject: not subject.echoes, best=None)
    tables.write("memory", lines, outcomes, arguments.chosen, arguments)
