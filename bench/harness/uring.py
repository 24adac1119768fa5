"""What io_uring would change: a thread that waits for completions beside those that wait for readiness."""

import dataclasses

from harness import echo, load, rounds, servers, tables

CELLS = [echo.cell(16, 50, 1), echo.cell(16, 50, 32), echo.cell(16, 500, 1), echo.cell(echo.KIBI, 50, 32), echo.cell(16 * echo.KIBI, 50, 1)]
BARE = dataclasses.replace(servers.peer("uring", websocket=False), name="io_uring, bytes", plain=["raw"])
WSKIT = dataclasses.replace(servers.peer("uring"), name="io_uring, wskit's core", plain=["wskit"])
ABOUT = [
    "`io_uring` is a prototype on one thread: what arrives lies in buffers that the kernel chooses, all that is to be sent",
    "is handed over by one system call, which waits for the next completions too. It sends bytes back, or messages by",
    "wskit's protocol core with the opening handshake before, without timers. What has arrived is copied once, for the",
    "buffer goes back to the kernel; that is what long messages pay for. `wskit` is the command, on Tokio and epoll.",
]


def measure(arguments) -> None:
    if not arguments.no_build and not servers.build(BARE):
        return
    known = [server for server in arguments.chosen if server.name in ["raw", "tokio-raw", "wskit"]]
    chosen = [server for server in [*known, BARE, WSKIT] if server.is_built()]

    def one(server, of):
        return load.echo(server, **of.settings, warm_up=arguments.warm_up, seconds=arguments.seconds)

    outcomes = rounds.take(CELLS, chosen, arguments, one, base="raw")
    lines = [*tables.head("io_uring", chosen, arguments), "", *ABOUT]

    def add(title, figure, number=tables.short, **more):
        lines.extend(tables.table(title, outcomes, chosen, figure, number, **more))

    add("The server's CPU time for each message, as a multiple of a bare TCP echo with epoll in the same round", "multiple", lambda x: f"{x:.2f}", spread=True)
    add("The server's CPU time for each message, in µs", "cpu_microseconds_per_message")
    add("From sending a message to its whole reply, p99, in µs", "p99_microseconds")
    tables.write("uring", lines, outcomes, chosen, arguments)
