"""The LALR(1) driver: tokens to nodes by the tables, and back on its feet after a mistake."""

from __future__ import annotations

import bisect
import contextlib
import functools
import gc
import itertools
from collections.abc import Iterator
from typing import Any

from losslang.model import Comment
from losslang.parse import explain
from losslang.parse.build import BUILDERS, DEPTH, MOST_PROBLEMS, Build, Problem
from losslang.parse.lexer import Lexer, Tokens
from losslang.parse.tables import RESERVED, STATEMENTS, Tables, load
from losslang.source import Span

#: Characters from which on a text counts as long.
LONG = 50_000


class Parser:
    """The tables made ready, once a process."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.lexer = Lexer(tables)
        number = self.lexer.number
        self.rules: list[tuple[int, int, Build | None, list[int], bool]] = [
            (lhs, length, _builder(build), template, template == list(range(length)))
            for lhs, length, build, template in tables.rules
        ]
        words = {number[name] for word, name in tables.words.items() if word not in RESERVED}
        self.soft = words | {number["EACH_OF"]}
        self.openers = {number[t] for t in ("LPAR", "LSQB", "NOT", "CIRCUMFLEX", "IF", "LET")}
        self.minus = number["MINUS"]
        self.root = tables.symbols.index("start")
        self.keywords = {number[tables.words[word]] for word in STATEMENTS}

    def parse(self, text: str, line: int = 1) -> tuple[list[Any], list[Comment], list[Problem]]:
        """The statements of a text, in a row, with its comments and problems."""
        tokens, comments, problems = self.lexer.tokens(text, line)
        run = Run(self, tokens, problems)
        with _undisturbed(len(text) > LONG):
            run.all()
        return run.statements(), comments, problems


@contextlib.contextmanager
def _undisturbed(wanted: bool) -> Iterator[None]:
    """No garbage collection meanwhile: a long text makes so many lasting nodes that the collector,
    which goes through all of them again and again, would take most of the time."""
    if not (wanted and gc.isenabled()):
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _builder(name: str | None) -> Build | None:
    if name is None or name.startswith("__"):
        return _gather if name else None
    return BUILDERS[name]


def _gather(problems: list[Problem], c: list[Any], span: Span) -> list[Any]:
    return c


class Run:
    """One pass over the tokens of a text.

    ``states``, ``values`` and ``starts`` are the parser's stack; the state at its bottom has no
    value. Statements gather in the first value, so cutting the stack back to it drops what is
    unfinished and keeps the rest.
    """

    def __init__(self, parser: Parser, tokens: Tokens, problems: list[Problem]) -> None:
        self.parser = parser
        self.tokens = tokens
        self.problems = problems
        self.states = [parser.tables.start]
        self.values: list[Any] = []
        self.starts: list[tuple[int, int]] = []
        self.at = 0
        self.done = False
        self.doubtful = False
        self.begun = (1, 1)
        self.stopped_too_deep = False

    def all(self) -> None:
        """Run to the end, past every mistake."""
        while not self.done:
            self.advance()
            if not self.done:
                explain.recover(self)
                if len(self.problems) >= MOST_PROBLEMS:
                    self.reset()
                    self.done = True

    def statements(self) -> list[Any]:
        return self.values[0] if self.values else []

    def reset(self) -> None:
        """Drop the unfinished statement."""
        gathered = bool(self.values) and type(self.values[0]) is list
        del self.states[1 + gathered :], self.values[gathered:], self.starts[gathered:]

    def advance(self) -> None:
        """Shift and reduce until the end or a token that does not fit."""
        tables = self.parser.tables
        actions = tables.actions
        rules, soft, name = self.parser.rules, self.parser.soft, self.parser.lexer.name
        keywords = self.parser.keywords
        states, values, starts, problems = self.states, self.values, self.starts, self.problems
        kinds, texts, token_starts, token_ends = self.tokens
        at = self.at
        last = token_ends[at - 1] if at else (1, 1)
        while True:
            kind = kinds[at]
            action = actions[states[-1]].get(kind)
            if action is None:
                if (
                    kind in soft
                    and name in actions[states[-1]]
                    and not (kind in keywords and kinds[at + 1] == name)
                ):
                    action = actions[states[-1]][name]
                else:
                    self.at = at
                    return
            if action >= 0:
                states.append(action)
                values.append(texts[at])
                starts.append(token_starts[at])
                last = token_ends[at]
                at += 1
                if len(states) > DEPTH and self.too_deep():
                    self.at = at - 1
                    self.stopped_too_deep = True
                    return
                continue
            symbol, length, build, template, plain = rules[-1 - action]
            if build is None:
                if length == 1:
                    states[-1] = actions[states[-2]][symbol]
                    continue
                value = values[template[0] - length]
                del states[-length:], values[-length:]
                begin = starts[-length]
                del starts[-length:]
            elif length == 0:
                value = build(problems, [], Span(1, 1, 1, 1))
                begin = (1, 1)
            else:
                begin = starts[-length]
                if plain:
                    children = values[-length:]
                elif build is _gather and template[0] == -2:
                    children = values[-length]
                    for i in template[1:]:
                        children.append(values[i - length])
                else:
                    children = []
                    for i in template:
                        if i >= 0:
                            children.append(values[i - length])
                        elif i == -1:
                            children.append(None)
                        else:
                            children += values[-2 - i - length]
                value = build(problems, children, Span(*begin, *last))
                del states[-length:], values[-length:], starts[-length:]
            if symbol == self.parser.root and kind == 0:
                self.values[:] = [value]
                self.done = True
                return
            states.append(actions[states[-1]][symbol])
            values.append(value)
            starts.append(begin)

    def rewind(self) -> None:
        """Undo the reductions made for a token that then did not fit, by reading the unfinished
        statement anew up to it: what could have stood there is only known before them."""
        self.begun = self.tokens.starts[self.at]
        if not self.unfinished:
            return
        gathered = type(self.values[0]) is list
        stopped, kind, problems = self.at, self.tokens.kinds[self.at], self.problems
        self.begun = self.starts[gathered]
        self.reset()
        self.at = bisect.bisect_left(self.tokens.starts, self.begun)
        self.tokens.kinds[stopped], self.problems = -1, []
        self.advance()
        self.tokens.kinds[stopped], self.problems = kind, problems

    @property
    def unfinished(self) -> bool:
        """Whether a statement has begun."""
        return len(self.values) > (bool(self.values) and type(self.values[0]) is list)

    @property
    def has_text(self) -> bool:
        """Whether the statement at hand has a documentation string."""
        string = self.parser.lexer.string
        accessing = self.parser.tables.accessing
        return any(accessing[s] == string for s in self.states[1:])

    def fits(self, terminal: str) -> bool:
        """Whether the parser would take this terminal now."""
        tables, kind = self.parser.tables, self.parser.lexer.number[terminal]
        states = self.states[:]
        while True:
            action = tables.actions[states[-1]].get(kind)
            if action is None or action >= 0:
                return action is not None
            symbol, length, *_ = self.parser.rules[-1 - action]
            if length:
                del states[-length:]
            states.append(tables.actions[states[-1]][symbol])

    def open_bracket(self) -> tuple[str, tuple[int, int]]:
        """The innermost open bracket and its place."""
        symbols, accessing = self.parser.tables.symbols, self.parser.tables.accessing
        closed = 0
        for state, place in zip(reversed(self.states), reversed(self.starts), strict=False):
            symbol = symbols[accessing[state]]
            closed += symbol in ("RPAR", "RSQB")
            if symbol in ("LPAR", "LSQB"):
                if not closed:
                    return "(" if symbol == "LPAR" else "[", place
                closed -= 1
        return "", (0, 0)

    def waiting(self) -> str:
        """The innermost of ``if``, ``then`` and ``let`` (in an expression) that waits for its next
        word, unless a bracket has been opened since."""
        symbols, accessing = self.parser.tables.symbols, self.parser.tables.accessing
        closed = 0
        for state in reversed(self.states[3:]):
            symbol = symbols[accessing[state]]
            closed += symbol in ("RPAR", "RSQB")
            if symbol in ("LPAR", "LSQB"):
                closed -= 1
            if closed < 0 or (not closed and symbol == "ELSE"):
                return ""
            if not closed and symbol in ("IF", "THEN", "LET"):
                return symbol.lower()
        return ""

    def too_deep(self) -> bool:
        """Whether more brackets, signs, powers and branches are open than a file may nest."""
        accessing = self.parser.tables.accessing
        base = 2 + (type(self.values[0]) is list)  # without the keyword of the statement
        symbols = [accessing[s] for s in self.states[base:]]
        openers, minus = self.parser.openers, self.parser.minus
        terminals = self.parser.tables.terminals
        depth = sum(s in openers for s in symbols)
        depth += sum(s == minus and before < terminals for before, s in itertools.pairwise(symbols))
        return depth > DEPTH


@functools.cache
def parser() -> Parser:
    """The parser of the grammar as it stands."""
    return Parser(load())
