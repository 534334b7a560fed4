"""What was meant: a token that does not fit becomes a problem, and the parser goes on.

Where the intended text is plain (a missing ``=``, ``&&``, a misspelt keyword) the tokens are put
right and parsing goes on as if it had been written; elsewhere the unfinished statement is dropped
up to the next statement's keyword. Every call adds a problem or moves on, so it ends.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from losslang.parse.tables import RESERVED, STATEMENTS
from losslang.source import Span

if TYPE_CHECKING:
    from losslang.parse.parser import Run

_WORDS = {
    "$END": "the end of the file", "ASSIGN": "`=`", "ARROW": "`->`", "YIELDS": "`=>`", "EQUAL": "a comparison",
    "LESS": "a comparison", "GREATER": "a comparison", "PLUS": "an operator", "MINUS": "an operator",
    "STAR": "an operator", "SLASH": "an operator", "PERCENT": "an operator", "CIRCUMFLEX": "an operator",
    "TILDE": "`~`", "LPAR": "an opening parenthesis", "RPAR": "a closing parenthesis", "LSQB": "an opening bracket",
    "RSQB": "a closing bracket", "COMMA": "a comma", "COLON": "a colon", "NAME": "a name", "NUMBER": "a number",
    "STRING": "a string",
}  # fmt: skip
_ELSEWHERE = {
    "maximize": "minimize", "maximise": "minimize", "metric": "report", "function": "def", "func": "def", "fn": "def",
    "define": "def", "hyperparameter": "hyper", "const": "let", "var": "let", "val": "let", "distribution": "dist",
    "assert": "check", "test": "check", "from": "import", "include": "import", "objective": "minimize",
    "argument": "input", "inputs": "input", "return": "minimize",
}  # fmt: skip
_OPERATORS = [
    "PLUS",
    "STAR",
    "SLASH",
    "PERCENT",
    "CIRCUMFLEX",
    "EQUAL",
    "LESS",
    "GREATER",
    "TILDE",
    "AND",
    "OR",
    "AS",
    "COMMA",
    "RPAR",
    "RSQB",
    "ASSIGN",
    "THEN",
    "ELSE",
    "IN",
]
#: Problems that leave a hole in their statement.
_UPSETTING = {
    "foreign-character", "unknown-character", "unseen-character", "open-string", "malformed-number",
    "number-beside-name", "operation-without-argument",
}  # fmt: skip


class Spot(NamedTuple):
    """The place of a mistake, in words: the token, its neighbours, and what would have fitted."""

    kind: str
    text: str
    before: str
    before_text: str
    after: str
    after_text: str
    expected: frozenset[str]
    first_on_line: bool
    span: Span

    @property
    def wants_value(self) -> bool:
        return {"NAME", "NUMBER", "LPAR", "MINUS"} <= self.expected

    @property
    def after_value(self) -> bool:
        return "PLUS" in self.expected

    @property
    def starts_value(self) -> bool:
        return self.kind in ("NAME", "NUMBER", "LPAR", "MINUS", "LSQB", "IF", "LET", "NOT", "EACH_OF")

    @property
    def ends_statement(self) -> bool:
        return self.kind == "$END" or self.text in STATEMENTS


Rule = Callable[["Run", Spot], bool]


def recover(run: Run) -> None:
    """Say what is wrong at the token that the parser stopped at, and make it go on."""
    run.rewind()
    spot = look(run)
    if run.stopped_too_deep:
        run.stopped_too_deep = False
        _say(run, spot, "too-deep")
        _skip_statement(run, spot, again=True)
        return
    doubtful, run.doubtful = run.doubtful, False
    if doubtful and spot.kind in ("IN", "COMMA"):
        _skip_statement(run, spot)
        return
    if any(row in _UPSETTING and run.begun <= place[:2] <= spot.span[:2] for row, place, _ in run.problems):
        _skip_statement(run, spot)  # what does not fit is likely to come from that
        return
    for rule in RULES:
        if rule(run, spot):
            return
    _say(run, spot, "unexpected", expected=_listed(spot.expected), found=_named(spot.kind, spot.text))
    _skip_statement(run, spot)


def look(run: Run) -> Spot:
    """The spot at which the parser stands."""
    tables, tokens, at = run.parser.tables, run.tokens, run.at
    symbols = tables.symbols
    last = len(tokens.kinds) - 1
    after = min(at + 1, last)
    return Spot(
        symbols[tokens.kinds[at]],
        tokens.texts[at],
        symbols[tokens.kinds[at - 1]] if at else "",
        tokens.texts[at - 1] if at else "",
        symbols[tokens.kinds[after]],
        tokens.texts[after],
        frozenset(name for name in symbols[: tables.terminals] if run.fits(name)),
        at == 0 or tokens.starts[at][0] > tokens.ends[at - 1][0],
        Span(*tokens.starts[at], *tokens.ends[at]),
    )


# -- the rules, in the order in which they are tried ----------------------------------------------


def _second_text(run: Run, spot: Spot) -> bool:
    if spot.kind != "STRING" or "STRING" in spot.expected or not run.fits("INPUT"):
        return False
    if not run.has_text:
        return False
    _say(run, spot, "second-text")
    run.at += 1
    return True


def _lambda(run: Run, spot: Spot) -> bool:
    if "lambda" not in (spot.text, spot.before_text):
        return False
    _say(run, spot, "python-lambda")
    _skip_statement(run, spot)
    return True


def _misspelt(run: Run, spot: Spot) -> bool:
    if spot.kind != "NAME" or "INPUT" not in spot.expected or not run.fits("INPUT"):
        return False
    instead = _ELSEWHERE.get(spot.text) or next(
        iter(difflib.get_close_matches(spot.text, STATEMENTS, 1, 0.7)), None
    )
    if instead is None or not (spot.after in ("NAME", "STRING") or instead in ("minimize", "check")):
        return False
    _say(run, spot, "misspelt-keyword", text=spot.text, instead=instead)
    _replace(run, run.parser.tables.words[instead], instead)
    return True


def _statement_expected(run: Run, spot: Spot) -> bool:
    if spot.ends_statement or not run.fits("INPUT"):
        return False
    if spot.kind == "COMMA" and run.unfinished and (spot.after == "NAME" or spot.after_text in STATEMENTS):
        _say(run, spot, "several-in-one")
        if spot.after == "NAME":
            _skip_statement(run, spot)
        else:
            run.at += 1
        return True
    begins = not run.unfinished or (
        spot.kind == "NAME" and spot.after in ("COLON", "ASSIGN") and spot.first_on_line
    )
    begins = begins or (spot.kind == "NAME" and spot.after == "COLON")
    if not begins:
        return False
    _say(run, spot, "statement-expected", found=_named(spot.kind, spot.text))
    _skip_statement(run, spot)
    return True


def _reserved(run: Run, spot: Spot) -> bool:
    if spot.text not in RESERVED or "NAME" not in spot.expected:
        return False
    if spot.kind == "AXIS" and spot.after == "ASSIGN" and spot.wants_value:
        _say(run, spot, "positional-axis", text="axis")
        _replace(run, "NAME", spot.text)
        return True
    if spot.kind in ("LET", "IF", "NOT") and spot.wants_value:
        return False
    if spot.wants_value:
        statement = spot.text in STATEMENTS and (spot.first_on_line or spot.after in ("NAME", "STRING"))
        if statement or spot.text not in STATEMENTS:
            return False
    elif spot.first_on_line and spot.text in STATEMENTS and spot.after == "NAME":
        return False
    _say(run, spot, "reserved-name", text=spot.text)
    _replace(run, "NAME", spot.text)
    return True


def _positional_index(run: Run, spot: Spot) -> bool:
    if spot.kind not in ("NUMBER", "MINUS", "COLON", "STRING") or spot.before not in ("LSQB", "COMMA"):
        return False
    if (
        spot.wants_value
        or "NAME" not in spot.expected
        or run.open_bracket()[0] != "["
        or "LPAR" not in spot.expected
    ):
        return False
    _say(run, spot, "positional-index")
    _skip_statement(run, spot)
    return True


def _unary_plus(run: Run, spot: Spot) -> bool:
    if spot.kind != "PLUS" or not spot.wants_value:
        return False
    _say(run, spot, "unary-plus")
    run.at += 1
    return True


def _bare_choice(run: Run, spot: Spot) -> bool:
    if spot.kind not in ("IF", "LET", "NOT") or not spot.wants_value:
        return False
    if spot.kind == "LET" and spot.first_on_line:
        return False
    _say(run, spot, "bare-choice", text=spot.text)
    _skip_statement(run, spot)
    return True


def _trailing_comma(run: Run, spot: Spot) -> bool:
    if spot.before != "COMMA" or spot.kind not in ("RPAR", "RSQB"):
        return False
    _say(run, spot, "trailing-comma")
    _skip_statement(run, spot)
    return True


def _missing_value(run: Run, spot: Spot) -> bool:
    if not spot.wants_value or not (spot.ends_statement or spot.kind in _OPERATORS):
        return False
    before = _named(spot.before, spot.before_text)
    if spot.first_on_line and run.at:  # point at what waits for its value
        spot = spot._replace(span=Span(*run.tokens.starts[run.at - 1], *run.tokens.ends[run.at - 1]))
    _say(run, spot, "missing-operand", before=before)
    _skip_statement(run, spot)
    return True


def _outside_brackets(run: Run, spot: Spot) -> bool:
    if spot.kind not in ("WHERE", "BY") or not spot.after_value or run.open_bracket()[0] == "[":
        return False
    _say(run, spot, "outside-brackets", text=spot.text)
    _skip_statement(run, spot)
    return True


def _single_equals(run: Run, spot: Spot) -> bool:
    if spot.kind != "ASSIGN" or "EQUAL" not in spot.expected:
        return False
    _say(run, spot, "single-equals")
    _replace(run, "EQUAL", "==")
    return True


def _double_equals(run: Run, spot: Spot) -> bool:
    if spot.text != "==" or "ASSIGN" not in spot.expected or spot.after_value:
        return False
    _say(run, spot, "double-equals")
    _replace(run, "ASSIGN", "=")
    return True


def _comparison_chain(run: Run, spot: Spot) -> bool:
    if spot.kind not in ("EQUAL", "LESS", "GREATER") or not spot.after_value:
        return False
    _say(run, spot, "comparison-chain")
    _skip_statement(run, spot)
    return True


def _python_conditional(run: Run, spot: Spot) -> bool:
    if spot.kind != "IF" or not spot.after_value:
        return False
    _say(run, spot, "python-conditional")
    _skip_statement(run, spot)
    return True


def _array_without_axis(run: Run, spot: Spot) -> bool:
    if "ALONG" not in spot.expected or spot.after_value:
        return False
    _say(run, spot, "array-without-axis")
    _skip_statement(run, spot)
    return True


def _brackets(run: Run, spot: Spot) -> bool:
    opening, place = run.open_bracket()
    data = {"opening": opening, "closing": ")" if opening == "(" else "]", "line": str(place[0])}
    if spot.ends_statement and opening and not spot.wants_value:
        span = Span(*place, place[0], place[1] + 1)
        run.problems.append(("unclosed-bracket", span, data))
        _skip_statement(run, spot)
        return True
    if spot.kind not in ("RPAR", "RSQB"):
        return False
    if not opening:
        _say(run, spot, "stray-bracket", closing=spot.text)
        run.at += 1
        return True
    if opening != {")": "(", "]": "["}[spot.text] and (
        spot.after_value or data["closing"] in map(_sign, spot.expected)
    ):
        _say(run, spot, "mismatched-bracket", **{**data, "closing": spot.text})
        _replace(run, "RPAR" if opening == "(" else "RSQB", data["closing"])
        return True
    return False


def _branches(run: Run, spot: Spot) -> bool:
    waiting = run.waiting()
    if spot.kind == "ASSIGN":
        return False
    if waiting == "if" and spot.after_value:
        _say(run, spot, "if-without-then")
    elif (
        waiting == "then"
        and spot.after_value
        and (spot.ends_statement or spot.kind in ("RPAR", "RSQB", "COMMA"))
    ):
        _say(run, spot, "if-without-else")
    elif waiting == "let" and "IN" in spot.expected:
        _say(run, spot, "let-without-in")
    else:
        return False
    _skip_statement(run, spot)
    return True


def _missing_equals(run: Run, spot: Spot) -> bool:
    if "ASSIGN" not in spot.expected or not (spot.starts_value or spot.ends_statement):
        return False
    if spot.after_value and run.open_bracket()[0]:
        return False
    if spot.ends_statement and run.fits("INPUT"):
        return False
    _say(run, spot, "missing-equals", found=_named(spot.kind, spot.text))
    if spot.ends_statement:
        _skip_statement(run, spot)
    else:
        _insert(run, "ASSIGN", "=")
    return True


def _missing_colon(run: Run, spot: Spot) -> bool:
    if spot.kind != "NAME" or spot.expected != {"COLON"}:
        return False
    _say(run, spot, "missing-colon", found=_named(spot.kind, spot.text))
    _insert(run, "COLON", ":")
    return True


def _missing_kind(run: Run, spot: Spot) -> bool:
    if spot.kind != "ASSIGN" or spot.expected != {"COLON"}:
        return False
    _say(run, spot, "missing-kind", name=spot.before_text)
    _insert(run, "NAME", "real")
    _insert(run, "COLON", ":")
    return True


def _over_several(run: Run, spot: Spot) -> bool:
    if spot.before != "OVER" or spot.kind not in ("LPAR", "LSQB"):
        return False
    _say(run, spot, "over-several")
    _skip_statement(run, spot)
    return True


def _empty_brackets(run: Run, spot: Spot) -> bool:
    if spot.before != "LSQB" or spot.kind != "RSQB":
        return False
    _say(run, spot, "empty-brackets")
    _skip_statement(run, spot)
    return True


def _missing_operator(run: Run, spot: Spot) -> bool:
    if not spot.after_value and not ("COMMA" in spot.expected and spot.before in ("NUMBER", "NAME", "RPAR")):
        return False
    if spot.kind not in ("NAME", "NUMBER", "LPAR", "STRING", "EACH_OF", "LSQB", "NOT"):
        return False
    _say(run, spot, "missing-operator", found=_named(spot.kind, spot.text))
    _skip_statement(run, spot)
    return True


RULES: tuple[Rule, ...] = (
    _second_text, _over_several, _empty_brackets, _lambda, _misspelt, _branches, _reserved, _positional_index, _unary_plus, _bare_choice,
    _trailing_comma, _missing_value, _outside_brackets, _single_equals, _double_equals, _comparison_chain, _python_conditional,
    _array_without_axis, _brackets, _missing_equals, _statement_expected,
    _missing_colon, _missing_kind, _missing_operator,
)  # fmt: skip


# -- going on ---------------------------------------------------------------------------------------


def _say(run: Run, spot: Spot, row: str, **data: str) -> None:
    run.problems.append((row, spot.span, data))


def _replace(run: Run, kind: str, text: str) -> None:
    run.tokens.kinds[run.at] = run.parser.lexer.number[kind]
    run.tokens.texts[run.at] = text


def _insert(run: Run, kind: str, text: str) -> None:
    tokens, at = run.tokens, run.at
    tokens.kinds.insert(at, run.parser.lexer.number[kind])
    tokens.texts.insert(at, text)
    tokens.starts.insert(at, tokens.starts[at])
    tokens.ends.insert(at, tokens.starts[at])


def _skip_statement(run: Run, spot: Spot, again: bool = False) -> None:
    """Go to the next statement. What is complete before the mistake is kept."""
    keywords = run.parser.keywords
    number = run.parser.lexer.number
    unsure = (number["LET"], number["KL"])
    kinds, starts, ends = run.tokens.kinds, run.tokens.starts, run.tokens.ends
    at = run.at
    if not again and run.unfinished and kinds[at] in unsure and not starts[at][0] > ends[at - 1][0]:
        at += 1
    while kinds[at]:
        if kinds[at] in keywords and (kinds[at] not in unsure or at == 0 or starts[at][0] > ends[at - 1][0]):
            break
        at += 1
    if not run.fits("INPUT"):
        run.reset()
    run.at = at
    run.doubtful = kinds[at] == number["LET"]


# -- words ----------------------------------------------------------------------------------------


def _sign(kind: str) -> str:
    return {"RPAR": ")", "RSQB": "]"}.get(kind, "")


def _named(kind: str, text: str) -> str:
    """A token in words: its text where that is short, else what it is."""
    if kind in ("STRING", "$END"):
        return _WORDS[kind]
    return f"`{text}`" if text and len(text) <= 30 else _WORDS.get(kind, f"`{text[:30]}…`")


def _listed(expected: frozenset[str]) -> str:
    """What would have fitted, in words, the most telling first."""
    words = []
    if {"NAME", "NUMBER", "LPAR"} <= expected:
        words.append("a value")
        expected -= {"NAME", "NUMBER", "LPAR", "LSQB", "MINUS", "NOT", "IF", "LET", "EACH_OF"}
    if "INPUT" in expected:
        words.append("a statement")
        expected -= {w.upper() for w in STATEMENTS} | {"$END"}
    if "PLUS" in expected:
        words.append("an operator")
        expected -= {"EQUAL", "LESS", "GREATER", "TILDE", "AND", "OR", "AS", "MATCHING"}
    words += sorted(
        {_WORDS.get(kind, f"`{kind.lower().removesuffix('_of')}`") for kind in expected} - set(words)
    )
    words = words[:5]
    return (
        words[0]
        if len(words) == 1
        else f"{', '.join(words[:-1])} or {words[-1]}"
        if words
        else "nothing more"
    )
