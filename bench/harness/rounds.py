"""Rounds taken in turn: in each, every server is measured in a cell, one after the other, in another order each time."""

import argparse
import dataclasses
import random
import statistics
import subprocess
from collections.abc import Callable

from harness.load import Failed
from harness.servers import Server


@dataclasses.dataclass
class Cell:
    name: str
    # What `load.echo` is told.
    settings: dict


@dataclasses.dataclass
class Spread:
    """The median of the rounds, and the least and the most."""

    median: float
    least: float
    most: float

    @staticmethod
    def of(values: list[float]) -> "Spread":
        return Spread(statistics.median(values), min(values), max(values))


# For each cell, for each server, the outcomes of the rounds.
Outcomes = dict[str, dict[str, list[dict]]]


def take(
    cells: list[Cell],
    chosen: list[Server],
    arguments: argparse.Namespace,
    measure: Callable[[Server, Cell], dict],
    base: str | None = None,
) -> Outcomes:
    """Measures all. Where `base` names a server, each outcome gets its `multiple` of what `base` took in its round."""
    outcomes: Outcomes = {cell.name: {server.name: [] for server in chosen} for cell in cells}
    for cell in cells:
        if arguments.cells and not any(part in cell.name for part in arguments.cells.split(",")):
            del outcomes[cell.name]
            continue
        failed = set()
        for number in range(arguments.rounds):
            of_round = {}
            for server in shuffled(chosen, f"{cell.name}, round {number}"):
                if server.name in failed:
                    continue
                outcome = attempt(measure, server, cell)
                if outcome is None:
                    failed.add(server.name)
                    continue
                of_round[server.name] = outcome
                outcomes[cell.name][server.name].append(outcome)
            if base in of_round:
                of_base = of_round[base]["cpu_microseconds_per_message"]
                for outcome in of_round.values():
                    outcome["multiple"] = outcome["cpu_microseconds_per_message"] / of_base
        told = (f"{name} {spread.median:.2f}" for name, spread in spreads(outcomes[cell.name], "cpu_microseconds_per_message").items())
        print(f"{cell.name}: CPU in µs: {', '.join(told)}", flush=True)
    return outcomes


def shuffled(chosen: list[Server], seed: str) -> list[Server]:
    """The servers in the order of a round. What one leaves behind in the system's memory and caches meets another each
    time, as it would not if only the beginning went round."""
    return random.Random(seed).sample(chosen, len(chosen))


def attempt(measure: Callable[[Server, Cell], dict], server: Server, cell: Cell, times: int = 2) -> dict | None:
    """What fails is told, and left out of the cell if it fails again."""
    for _ in range(times):
        try:
            return measure(server, cell)
        except (Failed, RuntimeError, OSError, subprocess.SubprocessError) as failure:
            print(f"{cell.name}: {failure}", flush=True)
    return None


def spreads(of_cell: dict[str, list[dict]], figure: str) -> dict[str, Spread]:
    """For each server that has it, the spread of a figure."""
    values = {name: [outcome[figure] for outcome in rounds if figure in outcome] for name, rounds in of_cell.items()}
    return {name: Spread.of(rounds) for name, rounds in values.items() if rounds}
