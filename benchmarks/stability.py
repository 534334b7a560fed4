"""How many extreme float32 points come out right, as losslang computes them and as they are written.

    python benchmarks/stability.py [--every N] [--jax]

Each formula of ``tests/corpus`` is worked out at extreme points and compared with the truth: values to
1e-5, gradients to 1e-4, plus twice what one unit in the last place of the inputs moves the truth. The
columns "as written" run the same generated code without rewriting. The first run works out the truth
and takes minutes; ``--every N`` takes every N-th formula.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.corpus import moved, reals, sigmoids, softmaxes  # noqa: F401
from tests.corpus.entries import ENTRIES
from tests.corpus.measure import judge, reference

Counts = list[int]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--every", type=int, default=1, help="take every N-th formula")
    parser.add_argument("--jax", action="store_true", help="JAX too, which compiles every formula anew")
    options = parser.parse_args()
    backends = ["numpy", "torch", *(["jax"] if options.jax else [])]
    columns = [(b, r) for r in (True, False) for b in backends]
    table: dict[str, dict[tuple[str, bool], Counts]] = defaultdict(lambda: {c: [0, 0, 0, 0] for c in columns})
    for entry in ENTRIES[:: options.every]:
        known = reference(entry)
        for column in columns:
            points = judge(entry, *column, known).points
            for row in (entry.family, "all"):
                counts = table[row][column]
                counts[0] += int(points.sum())
                counts[1] += len(points)
                counts[2] += bool(points.all())
                counts[3] += 1
    _print(table, columns)


def _print(table: dict[str, dict[tuple[str, bool], Counts]], columns: list[tuple[str, bool]]) -> None:
    names = [f"{b}{'' if r else ' as written'}" for b, r in columns]
    print("right points, % (formulas right everywhere, %)")
    print(f"{'':36s}" + "".join(f"{n:>20s}" for n in names))
    rows = sorted(table, key=lambda name: (name == "all", name))
    for row in rows:
        cells = [table[row][c] for c in columns]
        print(f"{row:36s}" + "".join(f"{100 * a / b:12.1f} ({100 * c / d:4.0f})" for a, b, c, d in cells))


if __name__ == "__main__":
    main()
