"""Writes library/*.md, the reference of the library, from the texts of its definitions.

python docs/generate_library.py            write the pages
python docs/generate_library.py --check    fail if they are not up to date

The plots that the pages show are drawn by plot_library.py, which needs matplotlib; this does not.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from pathlib import Path

from losslang import model as m
from losslang.cli.explain_name import format_expression_check, signature
from losslang.cli.relatives import relatives
from losslang.parse import library
from losslang.render import docfields, formula

TARGET = Path(__file__).parent / "library"

HEAD = """\
# The library

Every standard loss in its textbook form: signature, formula, source, assumptions, how it fails, what to take instead, and worked
examples that hold on every backend. `losslang explain NAME` prints an entry with the gradient that the compiler derives, `losslang list
WORD` searches. Losses come unreduced: the class or feature axis is consumed, batch axes stay, and the spec says how to average.

These pages are made from [specs/library](../../specs/library) by `python docs/generate_library.py`, the plots by
`python docs/plot_library.py`.
"""

#: Where an argument stands in a plot in which another one varies: by name, then by kind.
BY_NAME = {"level": 0.9, "count": 2.0, "total": 5.0, "absent": 0.2, "advantage": 1.0}
BY_KIND = {"sign": 1.0, "binary": 1.0, "prob": 1.0, "positive": 1.0, "weight": 1.0}
#: Where the usual place says nothing of an entry.
PLACES = {
    "absolute_percentage_error": {"target": 1.0},
    "symmetric_absolute_percentage_error": {"target": 1.0},
    "general_robust": {"shape": -2.0},
    "dual_clip": {"advantage": -1.0},
    "apo_down": {"policy_rejected": -20.0},
    "interval_score": {"upper": 1.0, "target": 0.0},
    "uniform": {"low": -2.0, "high": 2.0},
    "discretized_logistic": {"low": -5.0, "high": 5.0},
    "gamma": {"shape": 2.0},
    "inverse_gamma": {"shape": 2.0},
    "weibull": {"shape": 2.0},
    "chi_squared": {"freedom": 4.0},
}
RANGES = {
    "class_balanced_weight": (1.0, 1000.0),
    "rank_discount": (1.0, 12.0),
    "tukey_biweight": (-8.0, 8.0),
    "wing": (-20.0, 20.0),
}
VARIED = ("real", "logit", "score", "bernoulli", "positive")


@dataclass(frozen=True)
class Curve:
    """A plot of an entry: the argument that varies, over which range, and where the others stand."""

    name: str
    argument: str
    start: float
    stop: float
    others: tuple[tuple[str, float], ...]

    @property
    def file(self) -> str:
        return f"{self.name}.svg"


def curve(definition: m.Def | m.Dist) -> Curve | None:
    """How to plot an entry; None for what is no function of one number.

    A loss is plotted over its first argument, a distribution over where its log-density is taken.
    """
    params = [*definition.params, *([definition.at] if isinstance(definition, m.Dist) else [])]
    if definition.axes or not params or any(p.kind is not None and p.kind.axes for p in params):
        return None
    varied = params[0] if isinstance(definition, m.Def) else definition.at
    if _kind(varied) not in VARIED:
        return None
    usual = (0.05, 6.0) if _kind(varied) == "positive" else (-4.0, 4.0)
    start, stop = RANGES.get(definition.name, usual)
    others = tuple((p.name, _place(definition.name, p)) for p in params if p is not varied)
    name = f"dist_{definition.name}" if isinstance(definition, m.Dist) else definition.name
    return Curve(name, varied.name, start, stop, others)


def _kind(param: m.Param) -> str:
    return param.kind.name if param.kind is not None else "real"


def _place(entry: str, param: m.Param) -> float:
    placed = PLACES.get(entry, {}).get(param.name)
    if placed is not None:
        return placed
    if isinstance(param.default, m.Number):
        return float(param.default.value)
    if isinstance(param.default, m.Name) and param.default.id == "inf":
        return inf
    if param.default is None and param.name in BY_NAME:
        return BY_NAME[param.name]
    return BY_KIND.get(_kind(param), 0.0)


# -- pages ---------------------------------------------------------------------------------------------


def pages() -> dict[str, str]:
    """Every page by its file name."""
    groups = {group: list(_entries(file)) for group, file in library.all_files()}
    found = {f"{group}.md": _page(group, entries) for group, entries in groups.items()}
    return {"index.md": _index(groups), **found}


def _entries(file: m.File) -> Iterator[m.Def | m.Dist | m.Kl]:
    yield from (s for s in file.statements if isinstance(s, (m.Def, m.Dist, m.Kl)))


def _index(groups: dict[str, list[m.Def | m.Dist | m.Kl]]) -> str:
    lines = [HEAD]
    for group, entries in groups.items():
        lines += [f"## [{group.capitalize()}]({group}.md)", ""]
        named = [e for e in entries if not isinstance(e, m.Kl)]
        lines += [
            f"- [{e.name}]({group}.md#{e.name}): {_prose(docfields.read(e.doc).headline)}" for e in named
        ]
        lines.append("")
    return "\n".join(lines)


def _page(group: str, entries: list[m.Def | m.Dist | m.Kl]) -> str:
    parts = [f"# {group.capitalize()}\n\n{_introduction(group)}\n\n[All groups](index.md)\n"]
    parts += [_entry(group, each) for each in entries if not isinstance(each, m.Kl)]
    divergences = [each for each in entries if isinstance(each, m.Kl)]
    if divergences:
        parts.append("## Closed forms of KL divergences\n\n`kl(P, Q)` uses these.\n")
        parts += [_divergence(each) for each in divergences]
    return "\n".join(parts)


def _introduction(group: str) -> str:
    """The comment at the head of the group's file."""
    [path] = [each for each in library.paths() if each.stem == group]
    lines = path.read_text(encoding="utf-8").split("\n")
    head = lines[: next(at for at, line in enumerate(lines) if not line.startswith("#"))]
    return _prose(" ".join(line.removeprefix("#").strip() for line in head))


def _entry(group: str, definition: m.Def | m.Dist) -> str:
    doc = docfields.read(definition.doc)
    kind = "dist" if isinstance(definition, m.Dist) else "def"
    lines = [f"## {definition.name}", "", "```text", signature(definition), "```", ""]
    lines += [_prose(doc.summary), "", *_display(formula.latex(definition.body)), ""]
    lines += _fields(group, definition.name, kind, doc)
    drawn = curve(definition)
    if drawn is not None:
        lines += [f"![{_caption(drawn, kind)}](plots/{drawn.file})", ""]
    checks = library.checks(definition.name) if kind == "def" else ()
    if checks:
        lines += ["```text", *map(format_expression_check, checks), "```", ""]
    return "\n".join(lines)


def _fields(group: str, name: str, kind: str, doc: docfields.Doc) -> list[str]:
    found = {label: _prose(text) for label, text in doc.fields.items() if label != "tags"}
    for label in ("instead", "family"):
        if label in found:
            found[label] = _linked(found[label], group)
    near = relatives(name, kind)
    for label, names in (("calls", near.calls), ("called by", near.called_by)):
        if names:
            found[label] = ", ".join(_link(each, group) for each in names)
    if doc.tags:
        found["tags"] = ", ".join(doc.tags)
    return [*(f"- **{label}**: {text}" for label, text in found.items()), ""] if found else []


def _divergence(each: m.Kl) -> str:
    left = f"{each.left}({', '.join(each.left_params)})"
    right = f"{each.right}({', '.join(each.right_params)})"
    doc = docfields.read(each.doc)
    lines = [f"### {left} from {right}", "", *([_prose(doc.summary), ""] if doc.summary else [])]
    lines += [*_display(formula.latex(each.body)), ""]
    lines += [f"- **{label}**: {_prose(text)}" for label, text in doc.fields.items() if label != "tags"]
    return "\n".join([*lines, ""] if doc.fields else lines)


def _caption(drawn: Curve, kind: str) -> str:
    what = "log-density" if kind == "dist" else "value"
    at = f" at {', '.join(f'{name} = {value:g}' for name, value in drawn.others)}" if drawn.others else ""
    return f"{what} and gradient over {drawn.argument}{at}"


# -- text ----------------------------------------------------------------------------------------------


def _display(latex: str) -> list[str]:
    r"""A formula on lines of its own; renderers of Markdown refuse \operatorname."""
    latex = re.sub(r"\\operatorname\*?\{((?:[^{}\\]|\\.)*)\}", r"\\mathop{\\mathrm{\1}}", latex)
    return ["$$", latex, "$$"]


def _prose(text: str) -> str:
    """Text as Markdown shows it: what it would take for markup is kept, code in backticks as it is."""
    parts = text.replace("\n", " ").split("`")
    parts[::2] = [re.sub(r"([*<|\[\]])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)


def _linked(text: str, group: str) -> str:
    """``text`` with the names of entries as links. A name that is also an everyday word is left alone."""
    return re.sub(r"(?<![\w-])\w+(?![\w-])", lambda match: _link(match[0], group, plain=False), text)


def _link(name: str, group: str, plain: bool = True) -> str:
    where = library.where(name) or library.where(name, "dist")
    if where is None or not (plain or "_" in name or name in _UNAMBIGUOUS):
        return name
    page = "" if where.path.stem == group else f"{where.path.stem}.md"
    return f"[{name}]({page}#{name})"


_UNAMBIGUOUS = {
    "huber",
    "dpo",
    "bpr",
    "l1",
    "l2",
    "ipo",
    "kto",
    "vicreg",
    "ndcg",
    "arcface",
    "cosface",
    "welsch",
    "brier",
}


# -- writing -------------------------------------------------------------------------------------------


def stale() -> list[str]:
    """The pages that are not as they would be written now, and those that no group has."""
    wanted = pages()
    found = {path.name: path.read_text(encoding="utf-8") for path in TARGET.glob("*.md")}
    return sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))


def main() -> int:
    """Write the pages, or say which are not up to date."""
    if "--check" in sys.argv[1:]:
        for name in stale():
            print(f"docs/library/{name} is not up to date", file=sys.stderr)
        return 1 if stale() else 0
    TARGET.mkdir(exist_ok=True)
    for name in stale():
        (TARGET / name).unlink(missing_ok=True)
    for name, text in pages().items():
        (TARGET / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
