"""Writes what was measured: tables in Markdown, and the raw figures in JSON."""

import json
from collections.abc import Callable

from harness import machine
from harness.rounds import Outcomes, Spread, spreads
from harness.servers import BENCH, Server

RESULTS = BENCH / "results"


def head(title: str, chosen: list[Server], arguments, timed: bool = True) -> list[str]:
    lines = [f"# {title}", ""]
    lines += [f"- {name}: {what}" for name, what in machine.describe().items()]
    lines += [f"- peers: {', '.join(f'{name} {version}' for name, version in machine.versions(chosen).items())}"]
    if timed:
        lines += [f"- {arguments.rounds} rounds in turn, {arguments.seconds} s each after {arguments.warm_up} s of warm-up"]
    return lines


def table(
    title: str,
    outcomes: Outcomes,
    chosen: list[Server],
    figure: str,
    number: Callable[[float], str],
    best: str | None = "least",
    spread: bool = False,
    first: str = "cell",
) -> list[str]:
    """One figure: a row for each cell, a column for each server; the best WebSocket server of each row is bold.

    With `spread` the least and the most stand beside a median.
    """
    names = [server.name for server in chosen if any(spreads(of_cell, figure).get(server.name) for of_cell in outcomes.values())]
    ranked = {server.name for server in chosen if server.websocket}
    lines = ["", f"## {title}", "", f"| {first} | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for cell, of_cell in outcomes.items():
        found = spreads(of_cell, figure)
        medians = {name: one.median for name, one in found.items() if name in ranked}
        leader = None
        if best and medians:
            leader = (min if best == "least" else max)(medians, key=medians.get)
        texts = [text(found.get(name), number, spread, name == leader) for name in names]
        lines.append(f"| {cell} | {' | '.join(texts)} |")
    return lines


def text(one: Spread | None, number: Callable[[float], str], spread: bool, leads: bool) -> str:
    if one is None:
        return "–"
    median = f"**{number(one.median)}**" if leads else number(one.median)
    if spread and one.least != one.most:
        return f"{median} <sub>{number(one.least)}–{number(one.most)}</sub>"
    return median


def write(name: str, lines: list[str], outcomes: Outcomes, chosen: list[Server], arguments) -> None:
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text("\n".join(lines) + "\n")
    settings = {key: getattr(arguments, key) for key in ["rounds", "seconds", "warm_up"]}
    raw = {"machine": machine.describe(), "versions": machine.versions(chosen), "settings": settings, "cells": outcomes}
    (RESULTS / f"{name}.json").write_text(json.dumps(raw, indent=1) + "\n")
    print(f"written to {RESULTS / name}.md and .json", flush=True)


def short(value: float) -> str:
    """Three digits that count."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def mebibytes(value: float) -> str:
    return f"{value / (1 << 20):.1f}"
