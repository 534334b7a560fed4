"""Where a function lets go of its large arrays: after the line that reads them last.

Python keeps what a function has named until it returns, and a gradient names dozens of arrays as large as its inputs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_STATEMENT = re.compile(r"(\w+) = .*  # \[(.*)\]$")


def freed(lines: Sequence[str], results: Sequence[str], axes: int) -> list[str]:
    """The statements with ``del`` among them, as long as there is more to come. Large is what has so many ``axes``."""
    made = [_STATEMENT.match(line) for line in lines]
    large = {match[1] for match in made if match and match[2].count(",") + 1 >= axes}
    last = {name: at for at, line in enumerate(lines) for name in _names(line) if name in large}
    kept = {name for code in results for name in _names(code)}
    end = max(last.values(), default=0) if kept.isdisjoint(large) else len(lines)
    found = []
    for at, line in enumerate(lines):
        found.append(line)
        dead = [name for name, where in last.items() if where == at < end and name not in kept]
        if dead:
            found.append(f"del {', '.join(dead)}")
    return found


def _names(line: str) -> list[str]:
    return re.findall(r"[^\W\d]\w*", line.split("  # [")[0])
