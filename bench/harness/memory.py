"""Resident growth of a server for each idle connection: fresh, after messages, after compressed traffic."""

import argparse
import contextlib
import dataclasses
import json
import pathlib
import resource
import sys
import time
from collections.abc import Callable

from harness import report, servers
from harness.client import BINARY, Client, frame

CONNECTIONS = 10_000
# Beyond this the rest of the connections is spared: what was seen so far tells.
GROWTH_BYTES_MAX = 1 << 30
FRESH, AFTER_4_KIB, AFTER_1_MIB, AFTER_COMPRESSED = "fresh", "after 4 KiB", "after 1 MiB", "after 1 KiB compressed"
COLUMNS = [FRESH, AFTER_4_KIB, AFTER_1_MIB, AFTER_COMPRESSED]
ROOM_MEMBERS = 100
MIB = bytes(1 << 20)
PATIENCE = ["--keepalive-interval", "3600", "--keepalive-timeout", "3600"]
SENTENCE = json.dumps([{"id": 7919 * i, "user": f"user-{i:03}", "text": f"number {i}"} for i in range(30)]).encode()[:1024]
TEXT_ABOUT = (
    "Bytes of resident memory (VmRSS) that a server has grown by for each idle connection, with up to 10,000 of them: "
    "fresh, then after an echo of 4 KiB on each and then of 1 MiB on each; and, by another run, after an echo of 1 KiB of "
    "JSON on each, compressed as it was agreed. What belongs to the thread was there before. A column stops at 1 GiB."
)


@dataclasses.dataclass(frozen=True)
class Subject:
    """A server with its settings, and how clients come to it."""

    server: servers.Server
    compression: str | None = None
    offer: str | None = None
    path: Callable[[int], str] = lambda number: "/"
    # Members of a chat say nothing here: what they say belongs to the room.
    echoes: bool = True


def subjects(names: str | None) -> dict[str, Subject]:
    """What is measured, by the name of its row."""
    rows = {}
    for server in servers.named(names):
        if not server.websocket:
            continue
        if server.name == "wskit":
            rows |= wskit(server)
            continue
        rows[server.name] = Subject(server)
        for mode in server.compressed:
            rows[f"{server.name}, {mode}"] = Subject(server, mode, "permessage-deflate; client_max_window_bits")
    return rows


def wskit(echo: servers.Server) -> dict[str, Subject]:
    """All the modes of compression, and the chat; patient, for clients do not answer Pings here."""
    echo = dataclasses.replace(
        echo,
        command=echo.command + PATIENCE,
        compressed={
            "shared": ["--compression", "shared"],
            "dedicated, 15 bits": ["--compression", "dedicated"],
            "dedicated, 9 bits": ["--compression", "dedicated", "--compression-window", "9"],
        },
    )
    serve = dataclasses.replace(
        echo, command=[echo.command[0], "serve", "--ephemeral", "--threads", "1", "--listen", "127.0.0.1:{port}", *PATIENCE]
    )
    offer = "permessage-deflate; client_max_window_bits"
    rows = {"wskit": Subject(echo)}
    rows |= {f"wskit, {mode}": Subject(echo, mode, offer) for mode in echo.compressed}
    room = lambda number: f"/chat/room-{number // ROOM_MEMBERS}"
    rows["wskit serve"] = Subject(serve, path=room, echoes=False)
    rows["wskit serve, shared"] = Subject(serve, "shared", offer, path=room, echoes=False)
    return rows


def resident_bytes(process: int) -> int:
    for line in pathlib.Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the server has ended")


class Growth:
    """The memory that a server has grown by since it was warm."""

    def __init__(self, process: int):
        self.process = process
        self.before = resident_bytes(process)

    def now(self) -> int:
        return resident_bytes(self.process) - self.before

    def each(self, count: int, act: Callable[[int], None]) -> float:
        """Growth for each connection when `act` was done with all of them, or until it is too much."""
        for done in range(count):
            if done % 100 == 0 and self.now() > GROWTH_BYTES_MAX:
                return self.now() / done
            act(done)
        time.sleep(1)
        return self.now() / count


def echo(client: Client, request: bytes, payload_bytes: int) -> None:
    client.socket.sendall(request)
    if len(client.message()) != payload_bytes:
        raise RuntimeError("that is not an echo")


def compressed(client: Client, text: bytes) -> None:
    client.socket.sendall(client.deflated(text))
    client.message()


def measure(subject: Subject, count: int) -> dict[str, float]:
    """A row of the table."""
    cells = {}
    with servers.running(subject.server, subject.compression, core=None) as (process, port), contextlib.ExitStack() as stack:
        clients = []

        def connect(number: int) -> None:
            client = Client(port, subject.path(number), subject.offer)
            stack.callback(client.reset)
            clients.append(client)

        def echo_all(column: str, payload: bytes) -> None:
            request = frame(BINARY, payload)
            cells[column] = growth.each(count, lambda number: echo(clients[number], request, len(payload)))

        connect(count)
        warm = clients.pop()
        if subject.compression and not warm.agreed:
            raise RuntimeError("it does not agree to compression")
        if subject.echoes:
            compressed(warm, SENTENCE) if subject.compression else echo(warm, frame(BINARY, MIB), len(MIB))
        growth = Growth(process.pid)
        cells[FRESH] = growth.each(count, connect)
        if subject.echoes and subject.compression:
            cells[AFTER_COMPRESSED] = growth.each(count, lambda number: compressed(clients[number], SENTENCE))
        elif subject.echoes:
            echo_all(AFTER_4_KIB, bytes(4 << 10))
            echo_all(AFTER_1_MIB, MIB)
    return cells


def main(arguments: list[str]) -> int:
    options = argparse.ArgumentParser(prog="bench/run memory", description=__doc__)
    options.add_argument("--servers", metavar="NAME,…", help="which servers; all if not given")
    options.add_argument("--connections", type=int, default=CONNECTIONS)
    options = options.parse_args(arguments)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    rows, built = {}, {}
    for name, subject in subjects(options.servers).items():
        server = subject.server.name
        built[server] = built.get(server) or servers.build(subject.server)
        if built[server]:
            try:
                rows[name] = measure(subject, options.connections)
            except (OSError, RuntimeError) as error:
                print(f"{name} is left out: {error}")
                continue
            print(name, rows[name], flush=True)
    report.write("memory", "Memory for each idle connection", TEXT_ABOUT, COLUMNS, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
