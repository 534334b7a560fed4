"""The two alphabets that formulas are written in: one line of Unicode, and LaTeX.

A notation says how the atoms and the shapes of a formula look; ``formula`` walks the expression
and puts parentheses where precedence asks for them.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ",
    "sigma": "σ", "tau": "τ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
}  # fmt: skip
_LETTERS = {letter: name for name, letter in GREEK.items()}
_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_EXPONENT = re.compile(r"-?\d+")


class Notation(ABC):
    """How the pieces of a formula look. Arguments are already rendered, except names and numbers."""

    #: Operators as they appear between their operands.
    operators: ClassVar[Mapping[str, str]]
    minus: str
    arrow: str
    separator = ", "

    @abstractmethod
    def name(self, name: str) -> str: ...

    @abstractmethod
    def function(self, name: str, axes: str, args: str) -> str:
        """``name`` along ``axes`` (may be empty) of the comma-separated ``args``."""

    @abstractmethod
    def operator(self, symbol: str, axes: str, body: str) -> str:
        """A big operator such as a sum; ``symbol`` is a key of ``BIG``."""

    @abstractmethod
    def power(self, base: str, exponent: str) -> str: ...

    @abstractmethod
    def subscript(self, base: str, items: str) -> str: ...

    @abstractmethod
    def group(self, body: str) -> str: ...

    @abstractmethod
    def surround(self, shape: str, body: str, axes: str) -> str:
        """``abs``, ``norm``, ``floor``, ``dot`` or ``sqrt`` of ``body``."""

    @abstractmethod
    def cases(self, branches: Sequence[tuple[str, str]], otherwise: str) -> str: ...

    @abstractmethod
    def where(self, body: str, bindings: Sequence[str]) -> str: ...

    @abstractmethod
    def text(self, words: str) -> str:
        """Plain words inside a formula."""

    def fraction(self, top: str, bottom: str) -> str | None:
        """A fraction drawn as one, or None where ``/`` is used."""
        return None


class Unicode(Notation):
    """One line that a terminal shows and a reader can type back in their head."""

    operators: ClassVar = {
        "+": " + ", "-": " − ", "*": "·", "/": " / ", "%": " mod ", "==": " = ", "!=": " ≠ ", "<": " < ",
        "<=": " ≤ ", ">": " > ", ">=": " ≥ ", "and": " ∧ ", "or": " ∨ ", "not": "¬",
    }  # fmt: skip
    minus = "−"
    arrow = "→"
    _big: ClassVar = {"sum": "Σ", "prod": "Π", "mean": "mean", "max": "max", "min": "min"}
    _brackets: ClassVar = {
        "abs": ("|", "|"),
        "norm": ("‖", "‖"),
        "floor": ("⌊", "⌋"),
        "dot": ("⟨", "⟩"),
        "sqrt": ("√(", ")"),
    }

    def name(self, name: str) -> str:
        return {"inf": "∞"}.get(name) or GREEK.get(name, name)

    def function(self, name: str, axes: str, args: str) -> str:
        shown = {"sigmoid": "σ", "lgamma": "log Γ", "digamma": "ψ", "normal_cdf": "Φ"}.get(name, name)
        return f"{shown}{_low(axes)}({args})"

    def operator(self, symbol: str, axes: str, body: str) -> str:
        return f"{self._big[symbol]}{_low(axes)} {body}"

    def power(self, base: str, exponent: str) -> str:
        plain = exponent.replace(self.minus, "-")
        if _EXPONENT.fullmatch(plain):
            return base + plain.translate(_SUPERSCRIPTS)
        return f"{base}^{exponent if exponent.isalnum() else self.group(exponent)}"

    def subscript(self, base: str, items: str) -> str:
        return f"{base}[{items}]"

    def group(self, body: str) -> str:
        return f"({body})"

    def surround(self, shape: str, body: str, axes: str) -> str:
        left, right = self._brackets[shape]
        if shape == "sqrt" and body.isalnum():
            return f"√{body}"
        return f"{left}{body}{right}{_low(axes)}"

    def cases(self, branches: Sequence[tuple[str, str]], otherwise: str) -> str:
        listed = "; ".join(f"{value} if {condition}" for condition, value in branches)
        return f"{{{listed}; else {otherwise}}}"

    def where(self, body: str, bindings: Sequence[str]) -> str:
        return f"{body}  where {', '.join(bindings)}"

    def text(self, words: str) -> str:
        return words


class Latex(Notation):
    """Source for LaTeX's math mode; needs amsmath."""

    operators: ClassVar = {
        "+": " + ", "-": " - ", "*": r" \cdot ", "/": " / ", "%": r" \bmod ", "==": " = ", "!=": r" \neq ", "<": " < ",
        "<=": r" \leq ", ">": " > ", ">=": r" \geq ", "and": r" \land ", "or": r" \lor ", "not": r"\lnot ",
    }  # fmt: skip
    minus = "-"
    arrow = r" \to "
    _big: ClassVar = {
        "sum": r"\sum", "prod": r"\prod", "mean": r"\operatorname*{mean}", "max": r"\max", "min": r"\min",
    }  # fmt: skip
    _brackets: ClassVar = {
        "abs": (r"\left|", r"\right|"), "norm": (r"\left\|", r"\right\|"),
        "floor": (r"\left\lfloor", r"\right\rfloor"), "dot": (r"\left\langle", r"\right\rangle"),
    }  # fmt: skip
    _known: ClassVar = {
        "log", "exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "max", "min",
    }  # fmt: skip
    _symbols: ClassVar = {
        "sigmoid": r"\sigma",
        "lgamma": r"\log\Gamma",
        "digamma": r"\psi",
        "normal_cdf": r"\Phi",
    }

    def name(self, name: str) -> str:
        if name == "inf":
            return r"\infty"
        word = _LETTERS.get(name, name)
        if word in GREEK:
            return rf"\{word}"
        if len(word) == 1:
            return word
        stem = re.fullmatch(r"(\w)(\d+)", word)
        return f"{stem[1]}_{{{stem[2]}}}" if stem else rf"\mathrm{{{_escape(word)}}}"

    def function(self, name: str, axes: str, args: str) -> str:
        shown = rf"\{name}" if name in self._known else self._symbols.get(name)
        shown = shown or rf"\operatorname{{{_escape(name)}}}"
        low = f"_{{{axes}}}" if axes else ""
        return rf"{shown}{low}\left({args}\right)"

    def operator(self, symbol: str, axes: str, body: str) -> str:
        return f"{self._big[symbol]}_{{{axes}}} {body}"

    def power(self, base: str, exponent: str) -> str:
        return f"{{{base}}}^{{{exponent}}}"

    def subscript(self, base: str, items: str) -> str:
        return f"{{{base}}}_{{{items}}}"

    def group(self, body: str) -> str:
        return rf"\left({body}\right)"

    def surround(self, shape: str, body: str, axes: str) -> str:
        if shape == "sqrt":
            return rf"\sqrt{{{body}}}"
        left, right = self._brackets[shape]
        return f"{left} {body} {right}" + (f"_{{{axes}}}" if axes else "")

    def cases(self, branches: Sequence[tuple[str, str]], otherwise: str) -> str:
        rows = [rf"{value} & \text{{if }} {condition}" for condition, value in branches]
        rows.append(rf"{otherwise} & \text{{otherwise}}")
        return r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}"

    def where(self, body: str, bindings: Sequence[str]) -> str:
        return rf"{body} \quad \text{{where }} {', '.join(bindings)}"

    def text(self, words: str) -> str:
        return rf"\text{{{_escape(words)}}}"

    def fraction(self, top: str, bottom: str) -> str | None:
        return rf"\frac{{{top}}}{{{bottom}}}"


def _low(axes: str) -> str:
    """Axes as a subscript in plain text."""
    return "" if not axes else f"_{axes}" if axes.isalnum() else f"_[{axes}]"


def _escape(word: str) -> str:
    return re.sub(r"([_#$%&{}])", r"\\\1", word)
