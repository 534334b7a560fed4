"""The parse tables, made ahead of time from the grammar and kept beside it as JSON.

Lark reads the grammar and computes the LALR(1) tables; what a parse needs of them is a few
hundred rows of numbers. Keeping those means that a parse imports neither lark nor its loader.
The file carries the hash of the grammar that it was made from. If the two differ (someone is
editing the grammar), the tables are computed in memory instead: slower, but never wrong.

Run ``python -m losslang.parse`` after a change of the grammar.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

import losslang.grammar

GRAMMAR = Path(losslang.grammar.__file__).with_name("losslang.lark")
TABLES = GRAMMAR.with_name("tables.json")
VERSION = 1

#: Words that never name anything. The others that the grammar knows are keywords only where it
#: has a place for them; those that begin a statement, which a name follows, also before a name.
RESERVED = frozenset(
    [
        "import",
        "hyper",
        "axis",
        "let",
        "minimize",
        "def",
        "check",
        "and",
        "or",
        "not",
        "if",
        "then",
        "else",
    ]
)
#: Words that begin a statement.
STATEMENTS = frozenset(
    [
        "import",
        "input",
        "hyper",
        "axis",
        "let",
        "term",
        "report",
        "minimize",
        "loss",
        "def",
        "dist",
        "kl",
        "extern",
        "rule",
        "check",
    ]
)


class Tables(NamedTuple):
    """What the parser runs on. Symbols (terminals, then rules) are numbers.

    ``actions[state][symbol]`` is the next state, or -1 - rule for a reduction. A rule is
    (symbol, length, builder, template): the template says which children the builder gets: an
    index into the right-hand side, -1 for an optional part that is absent, and -2 - index for one
    whose items are spliced in. A rule without a builder passes its only child on.
    """

    symbols: list[str]
    terminals: int
    patterns: list[tuple[str, str]]
    words: dict[str, str]
    ignored: list[str]
    actions: list[dict[int, int]]
    accessing: list[int]
    rules: list[tuple[int, int, str | None, list[int]]]
    start: int
    end: int


def digest() -> str:
    """The hash of the grammar's text and of this module's format."""
    return hashlib.sha256(f"{VERSION}\n{GRAMMAR.read_text('utf-8')}".encode()).hexdigest()


def load() -> Tables:
    """The tables of the grammar as it stands."""
    try:
        data = json.loads(TABLES.read_text("utf-8"))
    except (OSError, ValueError):
        data = {}
    if data.get("grammar") != digest():
        data = compute()
    return _tables(data)


def _tables(data: dict[str, Any]) -> Tables:
    rows = [dict(zip(row[::2], row[1::2], strict=True)) for row in data["rows"]]
    return Tables(
        symbols=data["symbols"],
        terminals=data["terminals"],
        patterns=[(name, pattern) for name, pattern in data["patterns"]],
        words=data["words"],
        ignored=data["ignored"],
        actions=[rows[i] for i in data["states"]],
        accessing=data["accessing"],
        rules=[(r[0], r[1], r[2], r[3]) for r in data["rules"]],
        start=data["start"],
        end=data["end"],
    )


def compute() -> dict[str, Any]:
    """The tables as data for JSON, computed by lark."""
    from lark import Lark
    from lark.lexer import BasicLexer

    lark = Lark(
        GRAMMAR.read_text("utf-8"),
        parser="lalr",
        lexer="basic",
        maybe_placeholders=True,
        propagate_positions=False,
    )
    table = lark.parser.parser._parse_table
    lexer = lark.parser.lexer.lexer if hasattr(lark.parser.lexer, "lexer") else lark.parser.lexer
    assert isinstance(lexer, BasicLexer)
    lexer.scanner  # noqa: B018  (sorts the terminals by precedence)
    words = {
        t.pattern.value: t.name
        for t in lexer.terminals
        if t.pattern.type == "str" and t.pattern.value.isalpha()
    }
    patterns = [(t.name, t.pattern.to_regexp()) for t in lexer.terminals if t.name not in words.values()]
    terminals = ["$END", *sorted(t.name for t in lexer.terminals if t.name not in lexer.ignore_types)]
    rules = sorted({id(r): r for r in lark.rules}.values(), key=str)
    symbols = terminals + sorted({r.origin.name for r in rules} | {"$root"})
    number = {name: i for i, name in enumerate(symbols)}
    return {
        "grammar": digest(),
        "symbols": symbols,
        "terminals": len(terminals),
        "patterns": patterns,
        "words": words,
        "ignored": sorted(lexer.ignore_types),
        **_states(table, number, {rule: i for i, rule in enumerate(rules)}),
        "rules": [_rule(r, number) for r in rules],
    }


def _states(table: Any, number: dict[str, int], rules: dict[Any, int]) -> dict[str, Any]:
    """Rows of actions, equal ones once, and which symbol leads into each state.

    States are numbered anew, by the order in which they are reached, so that the file does not
    depend on the order of sets.
    """
    from lark.parsers.lalr_analysis import Shift

    start = table.start_states["start"]
    order, accessing = {start: 0}, [-1]
    for state in (queue := [start]):
        for name, (kind, target) in sorted(table.states[state].items()):
            if kind is Shift and target not in order:
                order[target] = len(order)
                accessing.append(number[name])
                queue.append(target)
    rows: dict[tuple[int, ...], int] = {}
    states = []
    for state in order:
        row: list[int] = []
        for name, (kind, target) in sorted(table.states[state].items()):
            row += (number[name], order[target] if kind is Shift else -1 - rules[target])
        states.append(rows.setdefault(tuple(row), len(rows)))
    return {
        "rows": [list(r) for r in rows],
        "states": states,
        "accessing": accessing,
        "start": 0,
        "end": order[table.end_states["start"]],
    }


def _rule(rule: Any, number: dict[str, int]) -> list[Any]:
    """One rule as data; follows lark's options on filtered tokens, inlining and absent parts."""
    absent = rule.options.empty_indices
    text = "".join(str(int(b)) for b in absent) if absent else "0" * len(rule.expansion)
    gaps = [len(ones) for ones in text.split("0")]
    template: list[int] = []
    for i, symbol in enumerate(rule.expansion):
        template += [-1] * gaps[i]
        if not (symbol.is_term and symbol.filter_out):
            template.append(-2 - i if not symbol.is_term and symbol.name.startswith("_") else i)
    template += [-1] * gaps[-1]
    name = rule.alias or rule.origin.name
    passes = rule.options.expand1 and len(template) == 1 and not rule.alias
    return [number[rule.origin.name], len(rule.expansion), None if passes else str(name), template]


def write() -> None:
    """Write the tables beside the grammar."""
    TABLES.write_text(json.dumps(compute(), separators=(",", ":"), ensure_ascii=False) + "\n", "utf-8")
