"""What clients cost: instructions in user space, and system calls, for each message that is sent and its reply."""

import base64
import contextlib
import dataclasses
import hashlib
import re
import socket
import subprocess
import tempfile
import threading

from harness import callgrind, servers, tables
from harness.client import BINARY, frame
from harness.servers import Server

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
ROUNDS = 200


@dataclasses.dataclass(frozen=True)
class Cell:
    length: int
    in_flight: int


CELLS = {
    "16 × 1": Cell(16, 1),
    "16 × 32": Cell(16, 32),
    "125 × 32": Cell(125, 32),
    "1 KiB × 32": Cell(1 << 10, 32),
    "16 KiB × 1": Cell(16 << 10, 1),
}
ABOUT = [
    "A client sends so many messages, and reads their replies before it sends more; its server is canned and not counted.",
    "Instructions in user space of the client's process for each message and its reply: what two runs under callgrind",
    "differ by. System calls are those of a run of 200 rounds, its opening and its masking keys' randomness among them.",
]


def client(name: str, package: str | None = None) -> Server:
    return Server(name, servers.cargo(f"client-{name}"), [str(servers.BUILT / f"client-{name}")], package=package)


CLIENTS = [
    client("wskit"),
    client("fastwebsockets", "fastwebsockets"),
    client("tokio-websockets", "tokio-websockets"),
    client("tokio-tungstenite", "tokio-tungstenite"),
]


@contextlib.contextmanager
def answering(cell: Cell):
    """A server that answers messages, as long as the cell says, with zeros of the same length; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer, args=(listener, cell), daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        thread.join(10)


def answer(listener: socket.socket, cell: Cell) -> None:
    stream, _ = listener.accept()
    request_bytes = len(frame(BINARY, bytes(cell.length)))
    # As a frame of a client has it, but for the masking bit and the key.
    header = bytearray(frame(BINARY, bytes(cell.length))[: request_bytes - cell.length - 4])
    header[1] &= 0x7F
    replies = (bytes(header) + bytes(cell.length)) * cell.in_flight
    with stream, contextlib.suppress(OSError):
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += stream.recv(4096)
        key = re.search(rb"(?im)^sec-websocket-key:\s*(\S+)", head)[1]
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        response = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        stream.sendall(response + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        waiting = 0
        while piece := stream.recv(1 << 20):
            waiting += len(piece)
            if waiting >= request_bytes * cell.in_flight:
                waiting -= request_bytes * cell.in_flight
                stream.sendall(replies)


def run(client: Server, cell: Cell, rounds: int, prefix: list[str]) -> None:
    with answering(cell) as address:
        numbers = map(str, [cell.length, cell.in_flight, rounds])
        done = subprocess.run([*prefix, *client.command, address, *numbers], capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise RuntimeError(f"{client.name}: {done.stderr.strip()}")


def instructions(client: Server, cell: Cell) -> float:
    def counted(rounds: int) -> int:
        with callgrind.counting() as (prefix, total):
            run(client, cell, rounds, prefix)
            return total()

    return callgrind.each(counted, ROUNDS) / cell.in_flight


def calls(client: Server, cell: Cell) -> float:
    with tempfile.NamedTemporaryFile("r") as summary:
        run(client, cell, ROUNDS, ["strace", "-f", "-c", "-U", "calls,name", "-o", summary.name])
        total = re.search(r"^\s*(\d+)\s+total$", summary.read(), re.MULTILINE)
    return int(total[1]) / (ROUNDS * cell.in_flight)


def measure(arguments) -> None:
    # Their servers need not be there.
    wanted = {server.name for server in servers.named(arguments.servers)}
    chosen = [client for client in CLIENTS if client.name in wanted and (arguments.no_build or servers.build(client))]
    chosen = [client for client in chosen if client.is_built()]
    outcomes = {name: {} for name in CELLS if not arguments.cells or any(part in name for part in arguments.cells.split(","))}
    for name, of_cell in outcomes.items():
        for client in chosen:
            try:
                figures = {"instructions": instructions(client, CELLS[name]), "calls": calls(client, CELLS[name])}
            except (OSError, RuntimeError) as failure:
                print(f"{name}: {failure}", flush=True)
                continue
            of_cell[client.name] = [figures]
            print(f"{name}: {client.name} {figures['instructions']:,.0f}, {figures['calls']:.2f} calls", flush=True)
    lines = tables.head("Clients", chosen, arguments, timed=False)
    lines += ["", *ABOUT]
    lines += tables.table("Instructions for each message and its reply", outcomes, chosen, "instructions", "{:,.0f}".format)
    lines += tables.table("System calls for each message and its reply", outcomes, chosen, "calls", "{:.2f}".format)
    tables.write("clients", lines, outcomes, chosen, arguments)
