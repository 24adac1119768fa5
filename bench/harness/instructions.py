"""User-space instructions of the whole server process for each echoed message, on one connection."""

import argparse
import dataclasses
import sys
import time

from harness import callgrind, report, servers
from harness.client import BINARY, TEXT, Client, frame


@dataclasses.dataclass(frozen=True)
class Cell:
    opcode: int
    payload: bytes
    in_flight: int


CELLS = {
    "16 × 1": Cell(BINARY, bytes(16), 1),
    "16 × 32": Cell(BINARY, bytes(16), 32),
    "125 × 32": Cell(BINARY, bytes(125), 32),
    "1,024 text × 1": Cell(TEXT, b"a" * 1024, 1),
    "1,024 × 32": Cell(BINARY, bytes(1024), 32),
    "16 KiB × 1": Cell(BINARY, bytes(16 << 10), 1),
    "16 KiB non-ASCII text × 1": Cell(TEXT, ("é漢" * 4000).encode()[: (16 << 10) // 5 * 5], 1),
}
OPENING = "opening handshake"
COLUMNS = [*CELLS, OPENING]
MESSAGES = 1600
OPENINGS = 200
TEXT_ABOUT = (
    "User-space instructions of the whole server process for each echoed message (bytes × messages in flight) and for "
    "each connection that is opened, upgraded and reset: what two runs under callgrind differ by. Valgrind hides AVX-512 "
    "and the SHA instructions, and counts a copy by `rep movsb` once for every byte."
)


def echo(server: servers.Server, port: int, cell: Cell, count: int) -> None:
    client = Client(port, websocket=server.websocket)
    request = frame(cell.opcode, cell.payload)
    reply_bytes = len(request) - 4 if server.websocket else len(request)
    for _ in range(count // cell.in_flight):
        client.socket.sendall(request * cell.in_flight)
        client.exactly(reply_bytes * cell.in_flight)
    client.reset()


def open_and_reset(port: int, count: int) -> None:
    for _ in range(count):
        Client(port).reset()
    time.sleep(0.5)  # until the server has seen the last of them


def instructions(server: servers.Server, column: str) -> float | None:
    if column == OPENING and not server.websocket:
        return None

    def run(count: int) -> int:
        with callgrind.counting() as (prefix, total):
            with servers.running(server, core=None, prefix=prefix) as (_, port):
                if column == OPENING:
                    open_and_reset(port, count)
                else:
                    echo(server, port, CELLS[column], count)
            return total()

    return callgrind.each(run, OPENINGS if column == OPENING else MESSAGES)


def main(arguments: list[str]) -> int:
    options = argparse.ArgumentParser(prog="bench/run instructions", description=__doc__)
    options.add_argument("--servers", metavar="NAME,…", help="which servers; all that are not interpreted if not given")
    options.add_argument("--columns", metavar="TEXT", default="", help="only columns whose title has this in it")
    options = options.parse_args(arguments)
    columns = [column for column in COLUMNS if options.columns in column]
    rows = {}
    for server in servers.named(options.servers):
        # What a just-in-time compiler makes of a program under valgrind says nothing.
        if (options.servers or server.language != "JavaScript") and servers.build(server):
            rows[server.name] = {}
            for column in columns:
                rows[server.name][column] = instructions(server, column)
                print(f"{server.name}: {column}: {rows[server.name][column]}", flush=True)
    report.write("instructions", "Instructions", TEXT_ABOUT, columns, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
