"""Draws bars as SVG: a panel for each cell, a bar for each server, a thin line for the spread."""

import html

from harness.rounds import Spread
from harness.tables import RESULTS, short

WIDTH, COLUMNS, GAP = 1080, 3, 24
ROW, HEAD, NAMES, FIGURES = 18, 30, 150, 44
OURS, FLOOR, PEER = "#c2410c", "#94a3b8", "#3b6ea5"


def bars(name: str, title: str, panels: dict[str, dict[str, Spread]], floors: set[str], most: float = 4.0) -> None:
    """`most` is the longest bar as a multiple of the shortest; what is longer is cut, and its figure tells."""
    panel_width = (WIDTH - (COLUMNS + 1) * GAP) // COLUMNS
    parts, top, rows = [], 60, list(panels.items())
    for start in range(0, len(rows), COLUMNS):
        in_row = rows[start : start + COLUMNS]
        for column, (cell, found) in enumerate(in_row):
            parts += panel(GAP + column * (panel_width + GAP), top, panel_width, cell, found, floors, most)
        top += HEAD + ROW * max(len(found) for _, found in in_row) + GAP
    picture = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" height="{top}" '
        'font-family="system-ui, sans-serif" font-size="12" fill="#1e293b">',
        f'<rect width="{WIDTH}" height="{top}" fill="#ffffff"/>',
        text(GAP, 34, title, size=17, weight="600"),
        *parts,
        "</svg>",
    ]
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.svg").write_text("\n".join(picture) + "\n")


def panel(x: int, y: int, width: int, cell: str, found: dict[str, Spread], floors: set[str], most: float) -> list[str]:
    parts = [text(x, y + 14, cell, weight="600")]
    if not found:
        return parts
    shown = min(max(one.median for one in found.values()), most * min(one.median for one in found.values()))
    room = width - NAMES - FIGURES
    for row, (name, one) in enumerate(found.items()):
        at = y + HEAD + row * ROW
        colour = OURS if name.startswith("wskit") else FLOOR if name in floors else PEER
        length = room * min(one.median, shown) / shown
        parts.append(text(x + NAMES - 6, at + 11, name, anchor="end", weight="600" if name.startswith("wskit") else "400"))
        parts.append(f'<rect x="{x + NAMES}" y="{at}" width="{length:.1f}" height="{ROW - 5}" fill="{colour}"/>')
        end = length
        if one.median > shown:
            cut = x + NAMES + room - 9
            parts.append(f'<path d="M{cut} {at - 1}l4 {ROW - 3}" stroke="#ffffff" stroke-width="3"/>')
        else:
            least, greatest = (x + NAMES + room * min(value, shown) / shown for value in (one.least, one.most))
            end = greatest - x - NAMES
            middle = at + (ROW - 5) / 2
            parts.append(f'<path d="M{least:.1f} {middle}H{greatest:.1f}" stroke="#1e293b"/>')
        parts.append(text(x + NAMES + end + 5, at + 11, short(one.median)))
    return parts


def text(x: float, y: float, words: str, anchor: str = "start", size: int = 12, weight: str = "400") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}">'
        f"{html.escape(words)}</text>"
    )
