"""Writes a table as Markdown, and what stands in it as JSON."""

import json

from harness.servers import BENCH

RESULTS = BENCH / "results"


def write(name: str, title: str, text: str, columns: list[str], rows: dict[str, dict[str, float | None]], digits: int = 0):
    """Writes `results/name.md` and `results/name.json`. What could not be measured is a dash."""
    lines = [f"# {title}", "", text, "", "| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for row, cells in rows.items():
        shown = ["–" if (cell := cells.get(column)) is None else f"{cell:,.{digits}f}" for column in columns]
        lines.append(f"| {row} | " + " | ".join(shown) + " |")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text("\n".join(lines) + "\n")
    (RESULTS / f"{name}.json").write_text(json.dumps(rows, indent=2) + "\n")
    print("\n".join(lines[4:]))
