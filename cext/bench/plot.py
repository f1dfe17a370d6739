"""python3 plot.py PROGRAM SEED OUT.svg: delay over time on each family, as docs/jitter-buffer.md shows it."""

import math
import subprocess
import sys
from pathlib import Path

FAMILIES = (
    *("lan", "gauss5", "gauss15", "pareto", "step60", "drift+200"),
    *("drift-200", "gilbert3", "reorder", "wifi", "bloat", "branch"),
)
COLUMNS, WIDTH, HEIGHT, MARGIN = 3, 380, 170, 34
SHOWN_S = 300
"""The first minutes; of step60 what is around its second step is shown."""
FROM_S = {"step60": 450}
MOST_MS = 300


def delays(program: str, family: str, seed: str) -> list[tuple[float, float, float]]:
    """Second by second: the network's least and most, ours; milliseconds."""
    told = subprocess.run([program, "delays", family, seed], capture_output=True, text=True, check=True, timeout=120)
    rows = [tuple(float(word) for word in line.split()) for line in told.stdout.splitlines()]
    start = FROM_S.get(family, 0)
    return [(least, most, ours) for least, most, ours in rows[start : start + SHOWN_S]]


def _at(second: int, delay_ms: float) -> str:
    x = MARGIN + second * (WIDTH - MARGIN - 8) / SHOWN_S
    y = HEIGHT - 20 - min(delay_ms, MOST_MS) * (HEIGHT - 40) / MOST_MS
    return f"{x:.1f},{y:.1f}"


def panel(family: str, rows: list[tuple[float, float, float]], place: int) -> str:
    """Grey: between the network's least and most; blue: when it sounds."""
    down, right = divmod(place, COLUMNS)
    above = [_at(second, most) for second, (_, most, _) in enumerate(rows)]
    below = [_at(second, least) for second, (least, _, _) in reversed(list(enumerate(rows)))]
    ours = [_at(second, delay) for second, (_, _, delay) in enumerate(rows) if not math.isnan(delay)]
    grid = "".join(
        f'<path d="M{_at(0, ms)} L{_at(SHOWN_S, ms)}" stroke="#ddd"/>'
        f'<text x="2" y="{_at(0, ms).split(",")[1]}">{ms}</text>'
        for ms in range(0, MOST_MS + 1, 100)
    )
    return (
        f'<g transform="translate({right * WIDTH} {down * HEIGHT})">{grid}'
        f'<text x="{MARGIN}" y="14" font-weight="bold">{family}</text>'
        f'<polygon points="{" ".join(above + below)}" fill="#bbb"/>'
        f'<polyline points="{" ".join(ours)}" fill="none" stroke="#05c" stroke-width="1.2"/></g>'
    )


def main(program: str, seed: str, out: str) -> None:
    panels = "\n".join(panel(family, delays(program, family, seed), place) for place, family in enumerate(FAMILIES))
    width, height = COLUMNS * WIDTH, -(-len(FAMILIES) // COLUMNS) * HEIGHT
    view = f"0 0 {width} {height}"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}" font-family="sans-serif" font-size="10">'
    Path(out).write_text(f'{head}\n<rect width="{width}" height="{height}" fill="#fff"/>\n{panels}\n</svg>\n')


main(sys.argv[1], sys.argv[2], sys.argv[3])
