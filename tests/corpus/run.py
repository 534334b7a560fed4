"""``python -m tests.corpus.run [words…]``: the corpus, or the entries that mention the words."""

from __future__ import annotations

import pickle
import sys
import tempfile
import time
import traceback
from pathlib import Path

from .everything import ENTRIES
from .measure import Reference, judge, reference

CACHE = Path(tempfile.gettempdir()) / "losslang-corpus.pickle"


def main(words: list[str]) -> None:
    backend = "numpy"
    for b in ("numpy", "torch", "jax"):
        if f"--{b}" in words:
            backend = b
    naive = "--naive" in words
    verbose = "-q" not in words
    words = [w for w in words if not w.startswith("-")]
    cache: dict[str, Reference] = pickle.loads(CACHE.read_bytes()) if CACHE.exists() else {}
    chosen = [e for e in ENTRIES if all(w in e.family + " " + e.text for w in words)]
    right = total = whole = 0
    start = time.time()
    if "--cached" in sys.argv:
        chosen = [e for e in chosen if repr(e) in cache]
    for entry in chosen:
        key = repr(entry)
        try:
            if key not in cache:
                cache[key] = reference(entry)
                CACHE.write_bytes(pickle.dumps(cache))
            judged = judge(entry, backend, not naive, cache[key])
        except Exception as error:
            print(f"ERROR {entry.family}: {entry.text}\n    {type(error).__name__}: {str(error)[:300]}")
            if "--trace" in sys.argv:
                traceback.print_exc()
            total += 10
            continue
        points = judged.points
        right += int(points.sum())
        total += len(points)
        whole += bool(points.all())
        if not points.all():
            print(f"{int((~points).sum()):3d}/{len(points):2d} {entry.family}: {entry.text}")
            if verbose:
                print("\n".join(judged.detail.splitlines()[: 100 if len(words) else 4]))
    print(f"{right}/{total} points ({100 * right / max(1, total):.2f}%), "
          f"{whole}/{len(chosen)} formulas ({100 * whole / max(1, len(chosen)):.1f}%), {time.time() - start:.0f} s")  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
