"""Messages sent back as they are."""

from harness import load, pictures, rounds, tables
from harness.rounds import Cell
from harness.servers import REPOSITORY, Server, build, cargo, variant

KIBI, MEBI = 1 << 10, 1 << 20


def cell(length: int, connections: int, in_flight: int, kind: str = "binary") -> Cell:
    called = {"binary": "", "text": " text", "multibyte": " text, not ASCII,"}[kind]
    size = "4 MiB" if length == 4 * MEBI else f"{length:,}"
    settings = {"bytes": length, "connections": connections, "in_flight": in_flight, "kind": kind}
    return Cell(f"{size}{called} × {connections} × {in_flight}", settings)


CELLS = [
    cell(16, 50, 1),
    cell(16, 50, 32),
    cell(16, 500, 1),
    cell(125, 50, 32),
    cell(KIBI, 50, 32),
    cell(KIBI, 50, 32, "text"),
    cell(16 * KIBI, 50, 1),
    cell(16 * KIBI, 50, 1, "multibyte"),
    cell(256 * KIBI, 50, 1),
    cell(256 * KIBI, 50, 1, "text"),
    cell(4 * MEBI, 1, 1),
]


# What tokio-tungstenite's documentation names for many connections.
SMALL_READS = ("4 KiB", str(4 * KIBI))


# The echo of the README, as anybody builds and runs it.
README = Server(
    "wskit, README",
    [*cargo("wskit"), "--example", "echo_server"],
    [str(REPOSITORY / "target/release/examples/echo_server"), "127.0.0.1:{port}"],
    folder=REPOSITORY,
)


def again(server: Server) -> list[Server]:
    """The same in another way: tokio-tungstenite with a small buffer, all of which it clears before each read; wskit
    without its command."""
    called, length = SMALL_READS
    others = {"tokio-tungstenite": variant(server, called, plain=[length]), "wskit": README}
    return [others[server.name]] if server.name in others else []


def overview(outcomes: rounds.Outcomes, chosen: list[Server]) -> list[str]:
    """wskit beside the best of the others in each cell."""
    others = {server.name for server in chosen if server.websocket} - {"wskit", README.name}
    lines = ["", "## In short: CPU for each message, as a multiple of a bare TCP echo", ""]
    lines += ["| cell | wskit | best of the others | tokio-tungstenite |", "|---|---|---|---|"]
    for of, found in outcomes.items():
        medians = {name: one.median for name, one in rounds.spreads(found, "multiple").items()}
        best = min(others & medians.keys(), key=medians.get, default=None)
        texts = [f"{medians[name]:.2f}" if name in medians else "–" for name in ["wskit", best, "tokio-tungstenite"]]
        lines.append(f"| {of} | {texts[0]} | {texts[1]} {best or ''} | {texts[2]} |")
    return lines


def measure(arguments) -> None:
    if not arguments.no_build:
        build(README)
    found = [each for server in arguments.chosen for each in [server, *again(server)]]
    chosen = [server for server in found if server.is_built()]

    def one(server, of):
        if server.text_only and of.settings["kind"] == "binary":
            return None
        outcome = load.echo(server, **of.settings, warm_up=arguments.warm_up, seconds=arguments.seconds)
        outcome["least_served_percent"] = 100 * outcome["fewest"] / outcome["most"]
        return outcome

    outcomes = rounds.take(CELLS, chosen, arguments, one, base="raw")

    lines = tables.head("Echo", arguments.chosen, arguments)
    lines += [
        "",
        "Cells are bytes × connections × messages in flight on each. Medians of the rounds; small figures are the least",
        "and the most. The best WebSocket server of a row is bold. Compression is off.",
    ]

    def add(title, figure, number=tables.short, **more):
        lines.extend(tables.table(title, outcomes, chosen, figure, number, **more))

    lines += overview(outcomes, chosen)
    add("The server's CPU time for each message, as a multiple of a bare TCP echo in the same round", "multiple", lambda x: f"{x:.2f}", spread=True)
    add("The server's CPU time for each message, in µs", "cpu_microseconds_per_message")
    add("Messages per second", "per_second", lambda x: f"{x:,.0f}", best="most")
    for quantile in ["p50", "p99", "p999"]:
        called = quantile.replace("p999", "p99.9")
        add(f"From sending a message to its whole reply, {called}, in µs", f"{quantile}_microseconds")
    add("No connection starves another: messages of the least served, in percent of the best served (100 is even)", "least_served_percent", lambda x: f"{x:.0f}", best="most")
    add("Resident memory of the server with all connections open, in MiB", "resident_bytes", tables.mebibytes)
    tables.write("echo", lines, outcomes, arguments.chosen, arguments)

    floors = {server.name for server in chosen if not server.websocket}
    for name, title, figure in [
        ("echo", "The server's CPU time for each message, as a multiple of a bare TCP echo", "multiple"),
        ("echo-p99", "From sending a message to its whole reply, p99, in µs", "p99_microseconds"),
    ]:
        panels = {of: rounds.spreads(found, figure) for of, found in outcomes.items()}
        pictures.bars(name, f"{title} (shorter is better)", panels, floors)
