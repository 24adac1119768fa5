"""The servers that are measured: how each is built, and how it is started."""

import contextlib
import dataclasses
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

BENCH = pathlib.Path(__file__).resolve().parent.parent
REPOSITORY = BENCH.parent
BUILT = BENCH / "target/release"

# What the servers of this folder are told.
BY_NAME = {"stateless": ["stateless"], "contexts": ["contexts"]}

SERVER_CORE = 0
LOAD_CORE = 1


@dataclasses.dataclass(frozen=True)
class Server:
    """A server that sends every message back."""

    name: str
    # The command that builds it, run in `folder`.
    build: list[str]
    # The command that starts it; `{port}` is replaced. Compressed, `compressed[mode]` is added.
    command: list[str]
    folder: pathlib.Path = BENCH
    # What speaks no WebSocket and sends bytes back is a floor.
    websocket: bool = True
    # What checks that all is text is measured with nothing else.
    text_only: bool = False
    # Arguments by mode, "stateless" (each message by itself) or "contexts" (kept on both sides).
    compressed: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    # Set while it is built.
    build_environment: dict[str, str] = dataclasses.field(default_factory=dict)
    # Arguments without compression.
    plain: list[str] = dataclasses.field(default_factory=list)
    # What compiles while it runs needs longer to be warm.
    warm_up_min: float = 0
    # The command where memory is measured, if that for speed would be unfair there.
    lean: list[str] = dataclasses.field(default_factory=list)
    # The command where connections are opened and ended, if long buffers would be made for nothing.
    brief: list[str] = dataclasses.field(default_factory=list)
    # The package that it shows; its version is in the lock file.
    package: str | None = None

    def start(self, port: int, compression: str | None = None) -> list[str]:
        arguments = self.compressed[compression] if compression else self.plain
        return [part.format(port=port) for part in self.command + arguments]

    def for_openings(self) -> "Server":
        return dataclasses.replace(self, command=self.brief or self.command)

    def is_built(self) -> bool:
        return shutil.which(self.command[0]) is not None


def cargo(package: str) -> list[str]:
    """Builds a package of the workspace in the server's folder."""
    return ["cargo", "build", "--quiet", "--release", "--locked", "-p", package]


def variant(server: Server, name: str, **changes) -> Server:
    """The same server once more, with other arguments."""
    return dataclasses.replace(server, name=f"{server.name}, {name}", **changes)


def program(name: str, *arguments: str) -> list[str]:
    return [str(BUILT / f"echo-{name}"), "127.0.0.1:{port}", *arguments]


def peer(name: str, package: str | None = None, **more) -> Server:
    """A crate of servers/."""
    return Server(name, cargo(f"echo-{name}"), program(name), package=package, **more)


def script(name: str, runtime: str, package: str) -> Server:
    """A folder of servers/ with an echo.js."""
    return Server(
        name,
        ["npm", "ci", "--silent"],
        [runtime, "echo.js", "127.0.0.1:{port}"],
        folder=BENCH / "servers" / name,
        compressed=BY_NAME,
        warm_up_min=1,
        package=package,
    )


# It wants a newer compiler than the others, for one feature that an older one has too but does not call stable.
WTX = Server(
    "wtx",
    [*cargo("echo-wtx"), "--ignore-rust-version", "--target-dir", "target/wtx"],
    [str(BENCH / "target/wtx/release/echo-wtx"), "127.0.0.1:{port}"],
    build_environment={"RUSTC_BOOTSTRAP": "1", "RUSTFLAGS": "-Zcrate-attr=feature(new_range_api)"},
    compressed=BY_NAME,
    package="wtx",
)

RAW = peer("raw", websocket=False)

SERVERS = [
    RAW,
    dataclasses.replace(RAW, name="raw-256k", plain=[str(256 << 10)]),
    dataclasses.replace(RAW, name="raw-unmask", plain=[str(64 << 10), "unmask"]),
    dataclasses.replace(RAW, name="raw-check", plain=[str(64 << 10), "check"], text_only=True),
    peer("tokio-raw", websocket=False),
    dataclasses.replace(peer("tokio-raw", websocket=False), name="tokio-raw-timer", plain=["timer"]),
    Server(
        "wskit",
        cargo("wskit-cli"),
        [str(REPOSITORY / "target/release/wskit"), "echo", "--threads", "1", "--listen", "127.0.0.1:{port}"],
        folder=REPOSITORY,
        plain=["--compression", "off"],
        compressed={"stateless": ["--compression", "shared"], "contexts": ["--compression", "dedicated"]},
    ),
    peer("fastwebsockets", "fastwebsockets"),
    peer("tokio-websockets", "tokio-websockets"),
    peer("yawc", "yawc", compressed=BY_NAME, lean=program("yawc", "lean"), brief=program("yawc", "lean")),
    peer("sockudo-ws", "sockudo-ws", compressed=BY_NAME, lean=program("sockudo-ws-lean")),
    WTX,
    peer("tokio-tungstenite", "tokio-tungstenite"),
    peer("soketto", "soketto", lean=program("soketto", "lean"), brief=program("soketto", "lean")),
    peer("axum", "axum"),
    script("node-ws", "node", "ws"),
    script("bun", str(BENCH / "servers/bun/node_modules/.bin/bun"), "bun"),
]


def named(names: str | None) -> list[Server]:
    """Those with these names, separated by commas, or all."""
    if not names:
        return SERVERS
    known = {server.name: server for server in SERVERS}
    wanted = names.split(",")
    if unknown := [name for name in wanted if name not in known]:
        raise SystemExit(f"no such server: {', '.join(unknown)}; there are {', '.join(known)}")
    return [known[name] for name in wanted]


def build(server: Server) -> bool:
    """Builds a server; whether that went well. What fails is told and left out."""
    built = builds(server.build, server.folder, server.build_environment)
    if not built:
        print(f"{server.name} does not build and is left out", flush=True)
    return built


def builds(command: list[str], folder: pathlib.Path, environment: dict[str, str] = {}) -> bool:
    """Runs a command that builds; what it makes lies in its folder's own `target`."""
    environment = {name: value for name, value in os.environ.items() if name != "CARGO_TARGET_DIR"} | environment
    return subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, env=environment).returncode == 0


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def running(server: Server, compression: str | None = None, core: int | None = SERVER_CORE, prefix: list[str] = []):
    """Runs a server on one core while the block lasts; gives its process and its port.

    `prefix` is a command to run it under.
    """
    port = free_port()
    pinned = [] if core is None else ["taskset", "--cpu-list", str(core)]
    process = subprocess.Popen(
        [*pinned, *prefix, *server.start(port, compression)],
        cwd=server.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_listening(server, process, port)
        yield process, port
    finally:
        stop(process, prefixed=bool(prefix))
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def stop(process: subprocess.Popen, prefixed: bool) -> None:
    """Asks the server to end, which ends the command that it runs under."""
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
    pids = [int(pid) for pid in children.read_text().split()] if prefixed and children.exists() else []
    for pid in pids or [process.pid]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


def wait_until_listening(server: Server, process: subprocess.Popen, port: int, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"{server.name} does not listen")
