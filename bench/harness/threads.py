"""wskit with one thread and with two, neither kept on one core: what the second adds, and whether sharing costs."""

import dataclasses

from harness import echo, load, rounds, tables
from harness.rounds import Cell
from harness.servers import Server

CELLS = [
    echo.cell(16, 50, 1),
    echo.cell(16, 50, 32),
    # The load takes next to nothing here, so two threads can have two cores.
    Cell("16 KiB × 50 × 1, compressed", {"bytes": 16 << 10, "connections": 50, "in_flight": 1, "kind": "json", "compression": "contexts"}),
]
ABOUT = [
    "The server may use both cores, and the load shares the second with it. So two threads at most double the rate, where",
    "the load takes little; CPU time for each message tells what sharing costs.",
]


def with_threads(server: Server, count: int) -> Server:
    place = server.command.index("--threads") + 1
    command = [*server.command[:place], str(count), *server.command[place + 1 :]]
    return dataclasses.replace(server, name=f"{server.name}, {count} thread{'s' * (count > 1)}", command=command)


def measure(arguments) -> None:
    chosen = [with_threads(server, count) for server in arguments.chosen if server.name == "wskit" for count in [1, 2]]

    def one(server, cell):
        outcome = load.echo(server, **cell.settings, warm_up=arguments.warm_up, seconds=arguments.seconds, core=None)
        outcome["cores"] = outcome["per_second"] * outcome["cpu_microseconds_per_message"] / 1e6
        return outcome

    outcomes = rounds.take(CELLS, chosen, arguments, one)
    lines = tables.head("Threads", chosen, arguments)
    lines += ["", *ABOUT]

    def add(title, figure, number=tables.short, **more):
        lines.extend(tables.table(title, outcomes, chosen, figure, number, **more))

    add("Messages per second", "per_second", lambda x: f"{x:,.0f}", best="most", spread=True)
    add("The server's CPU time for each message, in µs", "cpu_microseconds_per_message", spread=True)
    add("Cores that the server used", "cores", best=None)
    tables.write("threads", lines, outcomes, chosen, arguments)
