"""Writes diagnostics.md from the table of codes.

python docs/generate.py            write it
python docs/generate.py --check    fail if it is not up to date
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from losslang.codes import CODES, Code

TARGET = Path(__file__).parent / "diagnostics.md"

FAMILIES = {
    "LL0": "Syntax and files",
    "LL1": "Names, imports and statements",
    "LL2": "Kinds, axes and the objective",
    "LL3": "Numerics and lints",
    "LL4": "Backends and compiling",
    "LL9": "Mistakes of losslang's own",
}

HEAD = """\
# Diagnostics

Every problem that losslang reports has a code. `losslang explain CODE` prints an entry of this page, which is
made from `losslang/codes.py` by `python docs/generate.py`. Errors make `losslang check` fail; warnings do with
`--strict`.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for family, title in FAMILIES.items():
        rows = [row for code, row in sorted(CODES.items()) if code.startswith(family)]
        if rows:
            parts += [f"## {title}\n", *(entry for row in rows for entry in _entry(row))]
    return "\n".join(parts)


def _entry(row: Code) -> Iterator[str]:
    yield f"### {row.code} {row.name}\n"
    yield f"*{row.severity.capitalize()}.* {row.what}\n\n{row.why}\n"
    for label, text in (("Instead of", row.bad), ("write", row.good)):
        if text:
            yield f"{label}\n\n```text\n{text}\n```\n"


def main() -> int:
    """Write the page, or say whether it is up to date."""
    if "--check" in sys.argv[1:]:
        return 0 if TARGET.exists() and TARGET.read_text(encoding="utf-8") == page() else 1
    TARGET.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
