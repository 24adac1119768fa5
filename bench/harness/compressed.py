"""Messages sent back with permessage-deflate on both ways."""

from harness import load, pictures, rounds, tables
from harness.rounds import Cell
from harness.servers import Server, variant

KIBI, MEBI = 1 << 10, 1 << 20
MODES = {"stateless": "each by itself", "contexts": "contexts kept"}

CELLS = [
    Cell(
        f"{called} × {connections} × {in_flight}, {what}",
        {"bytes": length, "connections": connections, "in_flight": in_flight, "kind": "json", "compression": mode},
    )
    for called, length, connections, in_flight in [
        ("1 KiB", KIBI, 50, 32),
        ("16 KiB", 16 * KIBI, 50, 1),
        ("1 MiB", MEBI, 4, 1),
    ]
    for mode, what in MODES.items()
]


# wskit compresses quickly by default, and most peers with level 6; two of them have a quick preset too.
OTHER_LEVELS = {
    "wskit": ("level 6", ["--compression-level", "6"]),
    "yawc": ("quick", ["quick"]),
    "sockudo-ws": ("quick", ["quick"]),
}


def levels(server: Server) -> list[Server]:
    """The server, and the same again with its other level, so that quick meets quick, and small meets small."""
    if server.name not in OTHER_LEVELS:
        return [server]
    called, more = OTHER_LEVELS[server.name]
    compressed = {mode: [*arguments, *more] for mode, arguments in server.compressed.items()}
    return [server, variant(server, called, compressed=compressed)]


def measure(arguments) -> None:
    able = [server for server in arguments.chosen if server.compressed]
    chosen = [each for server in able for each in levels(server)]

    def one(server, cell):
        mode = cell.settings["compression"]
        if mode not in server.compressed:
            raise load.Failed(f"{server.name}: not in this mode")
        outcome = load.echo(server, **cell.settings, warm_up=arguments.warm_up, seconds=arguments.seconds)
        outcome["per_cpu_second"] = outcome["messages"] / outcome["cpu_seconds"]
        outcome["wire_bytes"] = outcome["ratio"] * cell.settings["bytes"]
        return outcome

    outcomes = rounds.take(CELLS, chosen, arguments, one)

    lines = tables.head("Echo, compressed", able, arguments)
    lines += [
        "",
        "JSON-like text. Cells are bytes × connections × messages in flight on each, and whether each message is",
        "compressed by itself or with what came before it. Medians of the rounds; small figures are the least and the",
        "most. The best of a row is bold. Each server compresses as hard as it does by default, with windows of 32 KiB;",
        "wskit once more with level 6, as most of the others, and yawc and sockudo-ws with their quick presets, level 1.",
    ]

    def add(title, figure, number=tables.short, **more):
        lines.extend(tables.table(title, outcomes, chosen, figure, number, **more))

    add("The server's CPU time for each message, in µs", "cpu_microseconds_per_message", spread=True)
    add("Messages for each second of the server's CPU time", "per_cpu_second", lambda x: f"{x:,.0f}", best="most")
    add("Bytes of payload that the server sends for each message", "wire_bytes", lambda x: f"{x:,.0f}")
    add("The same, for each byte of the message", "ratio", lambda x: f"{x:.3f}")
    add("From sending a message to its whole reply, p99, in µs", "p99_microseconds")
    add("Resident memory of the server with all connections open, in MiB", "resident_bytes", tables.mebibytes)
    tables.write("compressed", lines, outcomes, able, arguments)

    panels = {of: rounds.spreads(found, "cpu_microseconds_per_message") for of, found in outcomes.items()}
    pictures.bars("compressed", "The server's CPU time for each compressed message, in µs (shorter is better)", panels, set())
