"""How many extreme float32 points come out right: losslang, and the same formulas in frameworks.

    python benchmarks/stability.py [--every N] [--columns "losslang numpy,torch eager,…"] [--truth FILE] [--worst N]

Each formula of ``tests/corpus`` is worked out at extreme points and compared with the truth: values to
1e-5, gradients to 1e-4, plus twice what one unit in the last place of the inputs moves the truth.
"losslang …" is the compiled loss; "losslang … as written" the same generator without rewriting, with
losslang's own derivatives; every other column is the formula written out in plain operations of a framework
that differentiates it itself (``benchmarks/plain.py``, ``benchmarks/frameworks.py``).

The truth takes minutes; ``--truth FILE`` keeps it (throw the file away when the corpus or the truth changes).
"""

from __future__ import annotations

import argparse
import pickle
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.frameworks import RUNNERS, Found
from benchmarks.plain import translate
from tests.corpus.entries import Entry
from tests.corpus.everything import ENTRIES
from tests.corpus.measure import GRADIENT, VALUE, Judged, Reference, _right, judge, lowered_of, reference

OURS = {f"losslang {b}{w}": (b, not w) for w in ("", " as written") for b in ("numpy", "torch", "jax")}
USUAL = "losslang numpy,losslang torch,losslang jax,torch eager,jax.jit"
#: Right points, points, formulas right everywhere, formulas.
Counts = list[int]
Table = dict[str, dict[str, Counts]]
#: Right and all points of a formula; None where it could not be run.
Tally = dict[tuple[str, str], tuple[int, int] | None]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--every", type=int, default=1, help="take every N-th formula")
    parser.add_argument("--columns", default=USUAL, help=f"some of: {', '.join([*OURS, *RUNNERS])}; or all")
    parser.add_argument("--truth", type=Path, help="keep the truth in this file")
    parser.add_argument("--batch", type=int, default=10, help="formulas that a framework compiles at once")
    parser.add_argument("--worst", type=int, default=0, help="show the N worst formulas of the first column")
    options = parser.parse_args()
    columns = [*OURS, *RUNNERS] if options.columns == "all" else options.columns.split(",")
    entries = ENTRIES[:: options.every]
    known = _truth(entries, options.truth)
    tallies = {c: _column(c, entries, known, options.batch) for c in columns}
    _print(_table(entries, tallies), columns)
    for column, tally in tallies.items():
        failed = [text for (_, text), counts in tally.items() if counts is None]
        if failed:
            print(f"\nnot run by {column}, counted as wrong: {', '.join(f'`{t}`' for t in failed)}")
    if options.worst:
        _print_worst(tallies[columns[0]], options.worst)


def _truth(entries: list[Entry], file: Path | None) -> dict[str, Reference]:
    known: dict[str, Reference] = pickle.loads(file.read_bytes()) if file and file.exists() else {}
    missing = [e for e in entries if repr(e) not in known]
    for entry in missing:
        known[repr(entry)] = reference(entry)
    if file and missing:
        file.write_bytes(pickle.dumps(known))
    return known


def _column(column: str, entries: list[Entry], known: dict[str, Reference], batch: int) -> Tally:
    tally: Tally = {}
    for start in range(0, len(entries), batch):
        some = entries[start : start + batch]
        for entry, judged in zip(some, _judged(column, some, [known[repr(e)] for e in some]), strict=True):
            points = None if judged is None else judged.points
            tally[entry.family, entry.text] = None if points is None else (int(points.sum()), len(points))
    return tally


def _judged(column: str, entries: list[Entry], known: list[Reference]) -> list[Judged | None]:
    if column in OURS:
        return [judge(e, *OURS[column], k) for e, k in zip(entries, known, strict=True)]
    language, run = RUNNERS[column]
    try:
        plains = [
            translate(lowered_of(e), tuple(k.gradients), language)
            for e, k in zip(entries, known, strict=True)
        ]
        with np.errstate(all="ignore"):
            found = run(plains, [k.arrays for k in known])
    except Exception as error:
        if len(entries) > 1:  # one formula that the framework cannot run must not take the others along
            return [j for e, k in zip(entries, known, strict=True) for j in _judged(column, [e], [k])]
        print(f"{column}: {entries[0].text}: {type(error).__name__}: {str(error)[:200]}", file=sys.stderr)
        return [None]
    return [_compared(e, k, f) for e, k, f in zip(entries, known, found, strict=True)]


def _compared(entry: Entry, known: Reference, found: Found) -> Judged:
    value, grads = (
        np.asarray(found[0], np.float64),
        {n: np.asarray(g, np.float64) for n, g in found[1].items()},
    )
    right = {n: _right(grads[n], known.gradients[n], GRADIENT, known.slacks[n]) for n in known.gradients}
    return Judged(entry, _right(value, known.value, VALUE, known.value_slack), right, "")


def _table(entries: list[Entry], tallies: dict[str, Tally]) -> Table:
    table: Table = defaultdict(lambda: {c: [0, 0, 0, 0] for c in tallies})
    for entry in entries:
        key = (entry.family, entry.text)
        size = next(t[key] for t in tallies.values() if t[key] is not None) or (0, 0)
        for column, tally in tallies.items():
            right, points = tally[key] or (0, size[1])
            for row in (entry.family, "all"):
                counts = table[row][column]
                for i, more in enumerate((right, points, int(right == points), 1)):
                    counts[i] += more
    return table


def _print(table: Table, columns: list[str]) -> None:
    print("Points right, % (formulas right everywhere, %)\n")
    print("| family | formulas | " + " | ".join(columns) + " |")
    print("|---|--:|" + "--:|" * len(columns))
    for row in sorted(table, key=lambda name: (name == "all", name)):
        counts = [table[row][c] for c in columns]
        cells = [f"{100 * a / b:.1f} ({100 * c / d:.0f})" for a, b, c, d in counts]
        print(f"| {row} | {counts[0][3]} | " + " | ".join(cells) + " |")


def _print_worst(tally: Tally, count: int) -> None:
    wrong = {key: (c[1] - c[0], c[1]) for key, c in tally.items() if c is not None and c[0] < c[1]}
    print("\n| points wrong | family | formula |\n|--:|---|---|")
    for (family, text), (bad, points) in sorted(wrong.items(), key=lambda item: -item[1][0] / item[1][1])[
        :count
    ]:
        print(f"| {bad} of {points} | {family} | `{text}` |")


if __name__ == "__main__":
    main()
