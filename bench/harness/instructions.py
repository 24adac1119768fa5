"""User-space instructions of the whole server process for each echoed message, on one connection."""

import dataclasses
import itertools
import statistics
import time
from collections.abc import Callable

from harness import callgrind, load, openings, servers, tables
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
    "1 KiB text × 1": Cell(TEXT, b"a" * 1024, 1),
    "1 KiB × 32": Cell(BINARY, bytes(1024), 32),
    "16 KiB × 1": Cell(BINARY, bytes(16 << 10), 1),
    "16 KiB non-ASCII text × 1": Cell(TEXT, ("é漢" * 4000).encode()[: (16 << 10) // 5 * 5], 1),
}
# What is opened, by how it ends.
OPENINGS = {"opening handshake": "reset", "opening and closing handshake": "close"}
COLUMNS = [*CELLS, *OPENINGS]
MESSAGES = 1600
CONNECTIONS = 640
COUNTS_MAX = 7
ABOUT = [
    "In user space, of the whole server process, for each echoed message (bytes × messages in flight, on one connection)",
    "and for each connection that is opened, upgraded and ended, by a reset or a closing handshake, 32 at a time: what two",
    "runs under callgrind differ by. Valgrind hides AVX-512 and the SHA instructions, and counts a copy by `rep movsb` once",
    "for every byte. Repeated until two agree; where no two of seven do, nothing is told.",
]


def echo(server: servers.Server, port: int, cell: Cell, count: int) -> None:
    client = Client(port, websocket=server.websocket)
    request = frame(cell.opcode, cell.payload)
    reply_bytes = len(request) - 4 if server.websocket else len(request)
    for _ in range(count // cell.in_flight):
        client.socket.sendall(request * cell.in_flight)
        client.exactly(reply_bytes * cell.in_flight)
    client.reset()


def open_and_end(server: servers.Server, port: int, end: str, count: int) -> None:
    openings.open_and_end(server, port, end, count)
    time.sleep(0.5)  # until the server has seen the last of them


def instructions(server: servers.Server, column: str) -> float | None:
    def run(count: int) -> int:
        with callgrind.counting() as (prefix, total):
            with servers.running(server, core=None, prefix=prefix) as (_, port):
                if column in OPENINGS:
                    open_and_end(server, port, OPENINGS[column], count)
                else:
                    echo(server, port, CELLS[column], count)
            return total()

    return steady(lambda: callgrind.each(run, CONNECTIONS if column in OPENINGS else MESSAGES))


def steady(count: Callable[[], float]) -> float | None:
    """Counts until two agree. Most servers do the same each time; of one that does not there is nothing to tell: its
    start alone may differ by more than all the messages take."""
    counted = [count(), count()]
    while not agree(sorted(counted)):
        if len(counted) == COUNTS_MAX:
            return None
        counted.append(count())
    return statistics.median_low(counted)


def agree(counted: list[float]) -> bool:
    return any(0 < less and more <= 1.02 * less for less, more in itertools.pairwise(counted))


def echoing(chosen: list[servers.Server], cell: Cell) -> list[servers.Server]:
    return [server for server in chosen if cell.opcode == TEXT or not server.text_only]


def measure(arguments) -> None:
    floors = openings.build()
    # What a just-in-time compiler makes of a script under valgrind says nothing.
    chosen = [server for server in arguments.chosen if server.build[0] != "npm"]
    wanted = arguments.cells.split(",") if arguments.cells else [""]
    outcomes = {column: {} for column in COLUMNS if any(part in column for part in wanted)}
    for column, of_column in outcomes.items():
        opening = [*floors, *(server.for_openings() for server in chosen if server.websocket)]
        for server in opening if column in OPENINGS else echoing(chosen, CELLS[column]):
            try:
                counted = instructions(server, column)
            except (OSError, RuntimeError, load.Failed) as failure:
                print(f"{column}: {server.name}: {failure}", flush=True)
                continue
            if counted is None:
                print(f"{column}: {server.name} does not repeat", flush=True)
            else:
                of_column[server.name] = [{"instructions": counted}]
                print(f"{column}: {server.name} {counted:,.0f}", flush=True)
    lines = tables.head("Instructions", chosen, arguments, timed=False)
    lines += ["", *ABOUT]
    of_openings = {column: outcomes.pop(column) for column in OPENINGS if column in outcomes}
    for title, part in [("message", outcomes), ("connection", of_openings)]:
        if part:
            lines += tables.table(f"Instructions for each {title}", part, [*floors, *chosen], "instructions", "{:,.0f}".format)
    tables.write("instructions", lines, outcomes | of_openings, chosen, arguments)
