"""Random expressions with masks in every place, and what they mean: an evaluator that reads only what it must.

The evaluator goes place by place, looks at nothing that a mask, a branch or a guard excludes, and notes every entry
of the inputs that it reads. What it never read must not matter.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

TINY = {"float64": np.finfo(np.float64).tiny, "float32": np.finfo(np.float32).tiny}
DECLARATIONS = """
input x : real[n, c]
input z : logit[n, c] over c
input p : prob[n, c]
input q : positive[n, c]
input w : weight[n, c]
input v : real[n]
input u : real[c]
input m : mask[n, c]
input k : mask[n]
input r : mask[c]
input y : label[n] of c
input t : label[n] of c ignoring -100
"""
DEFINITIONS = """
def centred[i](a: real[i]) = a - mean[i](a)
def soft_total[i](a: real[i]) = log(sum[i](exp(a)) + 1e-3)
def margins[i](a: real[i]) = sum[i](sum[j where j != i](max(0, 1 - (a - a[i -> j]))))
"""
AXES = {"x": "nc", "z": "nc", "p": "nc", "q": "nc", "w": "nc", "v": "n", "u": "c", "m": "nc", "k": "n", "r": "c",
        "y": "n", "t": "n"}  # fmt: skip
FLOATS = ("x", "z", "p", "q", "w", "v", "u")
DIFFERENTIABLE = ("x", "z", "p", "q", "v", "u")
IGNORED = -100

Env = Mapping[str, int]


@dataclass
class World:
    """The inputs, and which of their entries were read."""

    arrays: Mapping[str, Any]
    tiny: float = float(TINY["float64"])
    read: set[tuple[str, tuple[int, ...]]] = field(default_factory=set)
    known: dict[Any, Any] = field(default_factory=dict)

    def size(self, axis: str) -> int:
        return int(self.arrays["x"].shape[0 if axis == "n" else 1])

    def take(self, name: str, env: Env) -> Any:
        place = tuple(env[a] for a in AXES[name])
        self.read.add((name, place))
        return self.arrays[name][place].item()


@dataclass(frozen=True, eq=False)
class Expression:
    """``at(world, env)`` is its value at one place."""

    text: str
    axes: frozenset[str]
    rule: Callable[[World, Env], Any]

    def at(self, world: World, env: Env) -> Any:
        key = (self, *(env[a] for a in sorted(self.axes)))
        if key not in world.known:
            world.known[key] = self.rule(world, env)
        return world.known[key]


def along(world: World, axes: str, env: Env, mask: Expression | None) -> Iterator[Env]:
    """The kept places along ``axes``."""
    for places in product(*(range(world.size(a)) for a in axes)):
        inner = {**env, **dict(zip(axes, places, strict=True))}
        if mask is None or mask.at(world, inner):
            yield inner


# -- numbers: floats without exceptions -----------------------------------------------------------


def exp(v: float) -> float:
    return math.exp(v) if v < 709 else math.inf


def log(v: float) -> float:
    return math.log(v) if v > 0 else -math.inf if v == 0 else math.nan


def divided(a: float, b: float) -> float:
    with np.errstate(all="ignore"):
        return float(np.float64(a) / np.float64(b))


def logsumexp(values: list[float]) -> float:
    top = max(values, default=-math.inf)
    if top == -math.inf or math.isnan(sum(values)) or top == math.inf:
        return math.nan if math.isnan(sum(values)) else top
    return top + math.log(math.fsum(math.exp(v - top) for v in values))


def softplus(v: float) -> float:
    return max(v, 0.0) + math.log1p(math.exp(-abs(v)))


def sigmoid(v: float) -> float:
    return 1 / (1 + math.exp(-v)) if v >= 0 else math.exp(v) / (1 + math.exp(v))


class Maker:
    """Makes expressions of a kind over axes, as deep as asked, with every choice from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def chance(self, odds: float) -> bool:
        return self.random.random() < odds

    def one(self, *makers: Callable[[], Expression]) -> Expression:
        return self.random.choice(makers)()

    def some(self, axes: str) -> str:
        """Some of the axes."""
        return "".join(a for a in axes if self.chance(0.6))

    def number(self, low: float = -2, high: float = 2) -> Expression:
        value = round(self.random.uniform(low, high), 2)
        return Expression(f"({value})" if value < 0 else str(value), frozenset(), lambda world, env: value)

    # -- leaves -----------------------------------------------------------------------------------

    def input(self, name: str) -> Expression:
        return Expression(name, frozenset(AXES[name]), lambda world, env: world.take(name, env))

    def renamed(self, x: Expression) -> Expression:
        """``c`` called ``o``."""
        if "c" not in x.axes:
            return x
        axes = x.axes - {"c"} | {"o"}
        return Expression(f"{x.text}[c -> o]", axes, lambda world, env: x.at(world, {**env, "c": env["o"]}))

    def leaf(self, axes: str) -> Expression:
        """A real input with exactly these axes."""
        if "c" in axes and "o" in axes:
            inner = self.input("x") if "n" in axes else self.input("u")
            other = self.renamed(inner)
            return self.binary("-", inner, other)
        if "o" in axes:
            return self.renamed(self.leaf(axes.replace("o", "c")))
        names = {"nc": "xz", "n": "v", "c": "u"}.get(axes)
        return self.number() if names is None else self.input(self.random.choice(names))

    # -- building ---------------------------------------------------------------------------------

    def binary(self, sign: str, a: Expression, b: Expression) -> Expression:
        rules: dict[str, Callable[[float, float], float]] = {
            "+": lambda s, t: s + t, "-": lambda s, t: s - t, "*": lambda s, t: s * t, "/": divided,
        }  # fmt: skip
        rule = rules[sign]
        return Expression(
            f"({a.text} {sign} {b.text})",
            a.axes | b.axes,
            lambda world, env: rule(a.at(world, env), b.at(world, env)),
        )

    def function(self, name: str, rule: Callable[..., float], *args: Expression) -> Expression:
        return Expression(
            f"{name}({', '.join(a.text for a in args)})",
            frozenset().union(*(a.axes for a in args)),
            lambda world, env: rule(*(a.at(world, env) for a in args)),
        )

    def choice(self, condition: Expression, then: Expression, other: Expression) -> Expression:
        return Expression(
            f"(if {condition.text} then {then.text} else {other.text})",
            condition.axes | then.axes | other.axes,
            lambda world, env: (then if condition.at(world, env) else other).at(world, env),
        )

    def reduction(self, name: str, over: str, mask: Expression | None, x: Expression,
                  rule: Callable[[list[float]], float]) -> Expression:  # fmt: skip
        where = "" if mask is None else f" where {mask.text}"
        return Expression(
            f"{name}[{', '.join(over)}{where}]({x.text})",
            (x.axes | (mask.axes if mask else frozenset())) - set(over),
            lambda world, env: rule([x.at(world, e) for e in along(world, over, env, mask)]),
        )

    # -- masks ------------------------------------------------------------------------------------

    def condition(self, axes: str, depth: int) -> Expression:
        makers: list[Callable[[], Expression]] = [lambda: self.plain_condition(axes)] * 3
        if depth > 0:
            makers += [
                lambda: self.compared(axes, depth),
                lambda: self.joined("and", axes, depth),
                lambda: self.joined("or", axes, depth),
                lambda: self.negated(self.condition(axes, depth - 1)),
                lambda: self.guarded_comparison(axes, depth),
                lambda: self.ranked(axes, depth),
            ]
        return self.one(*makers)

    def plain_condition(self, axes: str) -> Expression:
        found = [name for name in ("m", "k", "r") if set(AXES[name]) <= set(axes)]
        makers: list[Callable[[], Expression]] = [lambda name=name: self.input(name) for name in found * 2]  # type: ignore[misc]
        if "o" in axes:
            makers.append(lambda: self.renamed(self.input(self.random.choice("mr" if "n" in axes else "r"))))
        if "o" in axes and "c" in axes:
            makers.append(
                lambda: Expression("(o != c)", frozenset("oc"), lambda world, env: env["o"] != env["c"])
            )
            makers.append(
                lambda: Expression("(o > c)", frozenset("oc"), lambda world, env: env["o"] > env["c"])
            )
        if "c" in axes and "n" in axes:
            y = self.input("y")
            makers += [
                lambda: Expression(
                    "(c != y)", frozenset("nc"), lambda world, env: env["c"] != y.at(world, env)
                ),
                lambda: Expression(
                    "(c > y)", frozenset("nc"), lambda world, env: env["c"] > y.at(world, env)
                ),
            ]
        if "n" in axes:
            t = self.input("t")
            makers.append(
                lambda: Expression("valid(t)", frozenset("n"), lambda world, env: t.at(world, env) != IGNORED)
            )
        if "c" in axes:
            makers.append(
                lambda: Expression(
                    "(c + 1 < size[c])", frozenset("c"), lambda world, env: env["c"] + 1 < world.size("c")
                )
            )
        if not makers:
            return self.reduction("any", "c", None, self.input("r"), any)  # type: ignore[arg-type]
        return self.one(*makers)

    def compared(self, axes: str, depth: int) -> Expression:
        a, b = self.real(axes, depth - 1), self.number(-0.5, 0.5)
        return Expression(
            f"({a.text} > {b.text})", a.axes, lambda world, env: a.at(world, env) > b.at(world, env)
        )

    def joined(self, word: str, axes: str, depth: int) -> Expression:
        a, b = self.condition(self.some(axes) or axes, 0), self.condition(axes, depth - 1)
        stops = word == "or"
        return Expression(
            f"({a.text} {word} {b.text})",
            a.axes | b.axes,
            lambda world, env: stops if bool(a.at(world, env)) == stops else bool(b.at(world, env)),
        )

    def negated(self, a: Expression) -> Expression:
        return Expression(f"(not {a.text})", a.axes, lambda world, env: not a.at(world, env))

    def guarded_comparison(self, axes: str, depth: int) -> Expression:
        """A pick that what stands left of ``and`` or ``or`` protects."""
        if "c" not in axes:
            return self.compared(axes, depth)
        x = self.real(axes.replace("o", ""), depth - 1)
        following = self.neighbour(x)
        return self.one(
            lambda: Expression(
                f"(c + 1 < size[c] and {following.text} > 0)",
                following.axes | {"c"},
                lambda world, env: env["c"] + 1 < world.size("c") and following.at(world, env) > 0,
            ),
            lambda: Expression(
                f"(c + 1 >= size[c] or {following.text} > 0)",
                following.axes | {"c"},
                lambda world, env: env["c"] + 1 >= world.size("c") or following.at(world, env) > 0,
            ),
        )

    def ranked(self, axes: str, depth: int) -> Expression:
        if "c" not in axes:
            return self.compared(axes, depth)
        mask, x = self.condition(axes, depth - 1), self.full(axes, depth - 1)
        limit = self.random.randint(1, 3)

        def rule(world: World, env: Env) -> bool:
            kept = [e["c"] for e in along(world, "c", env, mask)]
            if env["c"] not in kept:
                dropped = [c for c in range(world.size("c")) if c not in kept]
                return len(kept) + dropped.index(env["c"]) + 1 <= limit
            values = {c: x.at(world, {**env, "c": c}) for c in kept}
            return sorted(kept, key=lambda c: (-values[c], c)).index(env["c"]) + 1 <= limit

        text = f"(rank[c where {mask.text}]({x.text}) <= {limit})"
        return Expression(text, mask.axes | x.axes, rule)

    # -- reals ------------------------------------------------------------------------------------

    def full(self, axes: str, depth: int) -> Expression:
        """A real with exactly these axes."""
        x = self.real(axes, depth)
        return x if x.axes == set(axes) else self.binary("+", self.leaf(axes), x)

    def real(self, axes: str, depth: int) -> Expression:
        """A real with no other axes than these."""
        if depth <= 0:
            return self.one(lambda: self.leaf(axes), lambda: self.leaf(axes), self.number)
        less = depth - 1
        makers: list[Callable[[], Expression]] = [
            lambda: self.binary(self.random.choice("+-*"), self.full(axes, less), self.real(axes, less)),
            lambda: self.choice(self.condition(axes, less), self.full(axes, less), self.real(axes, less)),
            lambda: self.choice(self.condition(axes, less), self.real(axes, less), self.full(axes, less)),
            lambda: self.function("log", log, self.positive(axes, less)),
            lambda: self.log_of_probability(axes, less),
            lambda: self.binary("/", self.full(axes, less), self.positive(axes, less)),
            lambda: self.function("tanh", math.tanh, self.full(axes, less)),
            lambda: self.positive(axes, less),
            lambda: self.probability(axes, less),
            lambda: self.guarded_log(axes, less),
            lambda: self.not_negative(axes, less),
            lambda: self.cut(axes, less),
        ]
        makers += [lambda a=a: self.reduced(axes, a, less) for a in "nco" if a not in axes] * 3  # type: ignore[misc]
        if "c" in axes:
            makers += [lambda: self.scanned(axes, less), lambda: self.neighbour_or(axes, less),
                       lambda: self.centred(axes, less)]  # fmt: skip
        if "n" in axes and "c" not in axes:
            makers += [lambda: self.picked(axes, less), lambda: self.picked_if_valid(axes, less)]
        return self.one(*makers)

    def cut(self, axes: str, depth: int) -> Expression:
        a, b = self.full(axes, depth), self.real(axes, depth)
        return self.one(
            lambda: self.function("max", max, a, b),
            lambda: self.function("min", min, a, b),
            lambda: self.function("max", max, Expression("0", frozenset(), lambda world, env: 0.0), a),
            lambda: self.function("huber", huber, a, b),
            lambda: Expression(
                f"clip({a.text}, -0.5, 0.7)", a.axes, lambda world, env: min(max(a.at(world, env), -0.5), 0.7)
            ),
        )

    def not_negative(self, axes: str, depth: int) -> Expression:
        """What may be exactly 0."""
        makers: list[Callable[[], Expression]] = [
            lambda: self.function("abs", abs, self.full(axes, depth)),
            lambda: self.power(self.full(axes, depth), 2),
            lambda: self.power(self.positive(axes, depth), self.random.choice((-1.5, 0.3, 1.5, 3))),
            lambda: self.binary(
                "*", self.function("exp", exp, self.leaf(axes)), self.power(self.leaf(axes), 2)
            ),
        ]
        if axes == "nc":
            makers += [lambda: self.binary("*", self.input("w"), self.positive(axes, depth))] * 2
        return self.one(*makers)

    def power(self, x: Expression, exponent: float) -> Expression:
        return Expression(f"({x.text})^{exponent}", x.axes, lambda world, env: x.at(world, env) ** exponent)

    def log_of_probability(self, axes: str, depth: int) -> Expression:
        p = self.probability(axes, depth)
        return Expression(f"log({p.text})", p.axes, lambda world, env: log(p.at(world, env) or world.tiny))

    def guarded_log(self, axes: str, depth: int) -> Expression:
        """log(c + the sum of what is not negative)."""
        small = self.random.choice((1e-7, 1e-3, 0.5))
        inner = self.summed_positives(axes, depth)
        return Expression(
            f"log({inner.text} + {small})", inner.axes, lambda world, env: log(inner.at(world, env) + small)
        )

    def summed_positives(self, axes: str, depth: int) -> Expression:
        free = [a for a in "nco" if a not in axes]
        if not free:
            return self.positive(axes, depth)
        over = self.random.choice(free)
        inside = "".join(a for a in "nco" if a in axes or a == over)
        x = self.one(
            lambda: self.positive(inside, depth),
            lambda: self.probability(inside, depth),
            lambda: self.not_negative(inside, depth),
        )
        if over not in x.axes:
            x = self.binary("*", x, self.function("exp", exp, self.leaf(inside)))
        return self.reduction("sum", over, self.condition(inside, depth), x, math.fsum)  # type: ignore[arg-type]

    def positive(self, axes: str, depth: int) -> Expression:
        if depth <= 0:
            return self.function("exp", exp, self.leaf(axes))
        less = depth - 1
        makers: list[Callable[[], Expression]] = [
            lambda: self.function("exp", exp, self.function("tanh", math.tanh, self.full(axes, less))),
            lambda: self.function("softplus", softplus, self.full(axes, less)),
            lambda: self.function("sqrt", math.sqrt, self.positive(axes, less)),
            lambda: self.binary("*", self.positive(axes, less), self.positive(axes, less)),
            lambda: self.binary("/", self.number(0.5, 2), self.positive(axes, less)),
            lambda: self.choice(
                self.condition(axes, less), self.positive(axes, less), self.positive(axes, less)
            ),
            lambda: self.binary("+", self.summed_positives(axes, less), self.number(0.01, 0.5)),
        ]
        if axes == "nc":
            makers.append(lambda: self.input("q"))
        return self.one(*makers)

    def probability(self, axes: str, depth: int) -> Expression:
        if depth <= 0:
            return self.input("p") if axes == "nc" else self.function("sigmoid", sigmoid, self.leaf(axes))
        less = depth - 1
        makers: list[Callable[[], Expression]] = [
            lambda: self.function("sigmoid", sigmoid, self.full(axes, less)),
            lambda: self.binary("*", self.probability(axes, less), self.probability(axes, less)),
            lambda: self.complement(self.probability(axes, less)),
            lambda: self.choice(
                self.condition(axes, less), self.probability(axes, less), self.probability(axes, less)
            ),
        ]
        for a in axes:
            makers += [lambda a=a: self.softmax(a, axes, less)] * 2  # type: ignore[misc]
        if "c" not in axes:
            inside = "".join(a for a in "nco" if a in axes or a == "c")
            makers += [
                lambda: self.reduction(
                    "mean", "c", self.condition(inside, less), self.soft(inside, less), mean
                ),
                lambda: self.reduction(
                    "prod", "c", self.condition(inside, less), self.soft(inside, less), math.prod
                ),  # type: ignore[arg-type]
            ]
        return self.one(*makers)

    def soft(self, axes: str, depth: int) -> Expression:
        p = self.probability(axes, depth)
        return (
            p
            if p.axes == set(axes)
            else self.binary("*", p, self.function("sigmoid", sigmoid, self.leaf(axes)))
        )

    def complement(self, p: Expression) -> Expression:
        return Expression(f"(1 - {p.text})", p.axes, lambda world, env: 1 - p.at(world, env))

    def softmax(self, axis: str, axes: str, depth: int) -> Expression:
        x = self.full(axes, depth)
        mask = self.condition(axes, depth) if self.chance(0.6) else None
        where = "" if mask is None else f" where {mask.text}"

        def rule(world: World, env: Env) -> float:
            if mask is not None and not mask.at(world, env):
                return 0.0
            total = logsumexp([x.at(world, e) for e in along(world, axis, env, mask)])
            return exp(x.at(world, env) - total)

        return Expression(f"softmax[{axis}{where}]({x.text})", frozenset(axes), rule)

    def reduced(self, axes: str, over: str, depth: int) -> Expression:
        inside = "".join(a for a in "nco" if a in axes or a == over)
        x = self.full(inside, depth)
        mask = self.condition(inside, depth) if self.chance(0.8) else None
        name = self.random.choice(
            (
                "sum",
                "mean",
                "max",
                "min",
                "logsumexp",
                "var",
                "std",
                "by",
                "margins",
                "soft_total",
                "norm",
                "median",
            )
        )
        if name == "median":
            return self.reduction(name, over, mask, x, median)
        if name == "by":
            return self.weighted(x, over, mask, inside)
        if name in ("margins", "soft_total"):
            rule = margins if name == "margins" else lambda values: log(math.fsum(map(exp, values)) + 1e-3)
            return self.reduction(name, over, mask, x, rule)
        rules: dict[str, Callable[[list[float]], float]] = {
            "sum": sum, "mean": mean, "max": lambda v: max(v, default=-math.inf), "logsumexp": logsumexp,
            "min": lambda v: min(v, default=math.inf), "var": variance, "norm": lambda v: math.hypot(*v), "std": lambda v: math.sqrt(variance(v)),
        }  # type: ignore[dict-item]  # fmt: skip
        result = self.reduction(name, over, mask, x, rules[name])
        if name in ("max", "min", "logsumexp") and mask is not None and self.chance(0.8):
            some = self.reduction("any", over, None, mask, any) if over in mask.axes else mask  # type: ignore[arg-type]
            return self.choice(some, result, self.number())
        return result

    def weighted(self, x: Expression, over: str, mask: Expression | None, inside: str) -> Expression:
        w = (
            self.input("w")
            if "c" in inside and "n" in inside
            else self.function("exp", exp, self.leaf(inside))
        )
        where = "" if mask is None else f" where {mask.text}"

        def rule(world: World, env: Env) -> float:
            kept = [(w.at(world, e), e) for e in along(world, over, env, mask)]
            total = math.fsum(v for v, _ in kept)
            return math.fsum(v * x.at(world, e) for v, e in kept if v) / total if total else 0.0

        if over not in w.axes:
            return self.reduction("sum", over, mask, x, sum)  # type: ignore[arg-type]
        axes = (x.axes | w.axes | (mask.axes if mask else frozenset())) - {over}
        return Expression(f"mean[{over}{where} by {w.text}]({x.text})", axes, rule)

    def scanned(self, axes: str, depth: int) -> Expression:
        x, mask = self.full(axes, depth), self.condition(axes, depth)
        name = self.random.choice(("cumsum", "cumlogsumexp", "sort", "log_softmax", "normalize", "argsort"))

        def kept(world: World, env: Env) -> list[Env]:
            return list(along(world, "c", env, mask))

        def rule(world: World, env: Env) -> float:
            here = kept(world, env)
            if name == "sort":
                values = sorted(x.at(world, e) for e in here)
                return values[env["c"]] if env["c"] < len(values) else math.inf
            if name == "normalize":
                length = math.hypot(*(x.at(world, e) for e in here))
                return x.at(world, env) / length if length and mask.at(world, env) else 0.0
            if name == "argsort":
                places = sorted((e["c"] for e in here), key=lambda c: (x.at(world, {**env, "c": c}), c))
                dropped = [c for c in range(world.size("c")) if c not in places]
                return float([*places, *dropped][env["c"]])
            if name == "log_softmax":
                if not mask.at(world, env):
                    return -math.inf
                return x.at(world, env) - logsumexp([x.at(world, e) for e in here])
            values = [x.at(world, e) for e in here if e["c"] <= env["c"]]
            return math.fsum(values) if name == "cumsum" else logsumexp(values)

        scan = Expression(f"{name}[c where {mask.text}]({x.text})", frozenset(axes) | mask.axes, rule)
        if name == "argsort":
            return Expression(f"(if {scan.text} > 1 then 2 else 0.5)", scan.axes,
                              lambda world, env: 2.0 if scan.at(world, env) > 1 else 0.5)  # fmt: skip
        if name in ("cumsum", "normalize"):
            return scan
        if name == "log_softmax":
            return self.choice(mask, scan, self.number())
        if name == "cumlogsumexp":
            seen = Expression(
                f"(cumsum[c](if {mask.text} then 1 else 0) > 0)",
                mask.axes | {"c"},
                lambda world, env: any(e["c"] <= env["c"] for e in kept(world, env)),
            )
            return self.choice(seen, scan, self.number())
        some = Expression(
            f"(c < count[c]({mask.text}))" if "c" in mask.axes else mask.text,
            mask.axes | {"c"},
            lambda world, env: env["c"] < len(kept(world, env)),
        )
        return self.choice(some, scan, self.number())

    def neighbour(self, x: Expression) -> Expression:
        if "c" not in x.axes:
            return x
        return Expression(
            f"{x.text}[c = c + 1]" if x.text[-1] in ")]" or x.text.isalpha() else f"({x.text})[c = c + 1]",
            x.axes,
            lambda world, env: (
                x.at(world, {**env, "c": env["c"] + 1}) if env["c"] + 1 < world.size("c") else math.nan
            ),
        )

    def neighbour_or(self, axes: str, depth: int) -> Expression:
        following = self.neighbour(self.full(axes.replace("o", ""), depth))
        inside = Expression(
            "(c + 1 < size[c])", frozenset("c"), lambda world, env: env["c"] + 1 < world.size("c")
        )
        return self.choice(inside, following, self.number())

    def centred(self, axes: str, depth: int) -> Expression:
        x, mask = self.full(axes, depth), self.condition(axes, depth)

        def rule(world: World, env: Env) -> float:
            if not mask.at(world, env):
                return 0.0
            return x.at(world, env) - mean([x.at(world, e) for e in along(world, "c", env, mask)])

        return Expression(f"centred[c where {mask.text}]({x.text})", x.axes | mask.axes, rule)

    def picked(self, axes: str, depth: int) -> Expression:
        inside = "".join(a for a in "nco" if a in axes or a == "c")
        x, y = self.full(inside, depth), self.input("y")

        def rule(world: World, env: Env) -> float:
            at = y.at(world, env)
            return x.at(world, {**env, "c": at}) if 0 <= at < world.size("c") else math.nan

        return Expression(f"({x.text})[c = y]", frozenset(axes), rule)

    def picked_if_valid(self, axes: str, depth: int) -> Expression:
        inside = "".join(a for a in "nco" if a in axes or a == "c")
        x, t = self.full(inside, depth), self.input("t")
        pick = Expression(
            f"({x.text})[c = t]",
            frozenset(axes),
            lambda world, env: x.at(world, {**env, "c": t.at(world, env)}),
        )
        valid = Expression("valid(t)", frozenset("n"), lambda world, env: t.at(world, env) != IGNORED)
        return self.choice(valid, pick, self.number())


def mean(values: list[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0


def variance(values: list[float]) -> float:
    middle = mean(values)
    return mean([(v - middle) ** 2 for v in values])


def huber(prediction: float, target: float) -> float:
    error = abs(prediction - target)
    return error**2 / 2 if error <= 1 else error - 0.5


def median(values: list[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return 0.0 if not ordered else (ordered[middle] + ordered[-middle - 1]) / 2


def margins(values: list[float]) -> float:
    return math.fsum(
        max(0.0, 1 - (a - b)) for i, a in enumerate(values) for j, b in enumerate(values) if i != j
    )


# -- cases ----------------------------------------------------------------------------------------


def expression(seed: int, depth: int) -> Expression:
    """One number made of the inputs."""
    maker = Maker(seed)
    inside = maker.full("nc", depth) if maker.chance(0.5) else maker.full("n", depth)
    over = "nc" if "c" in inside.axes else "n"
    mask = maker.condition(over, 1) if maker.chance(0.6) else None
    name = maker.random.choice(("sum", "mean"))
    return maker.reduction(name, over, mask, inside, mean if name == "mean" else math.fsum)  # type: ignore[arg-type]


def spec(total: Expression) -> str:
    return f"{DEFINITIONS}\nloss probe\n{DECLARATIONS}\nterm total = {total.text}\nminimize total\n"


def sample(seed: int, n: int = 3, c: int = 4) -> dict[str, Any]:
    """Benign inputs, with masks that keep little, everything or nothing of a row."""
    rng = np.random.default_rng(seed)
    m = rng.random((n, c)) < rng.choice([0.3, 0.7])
    m[rng.integers(n)] = rng.random() < 0.5
    w = np.where(rng.random((n, c)) < 0.5, 0.0, rng.uniform(0.2, 2, (n, c)))
    return {
        "x": rng.normal(size=(n, c)),
        "z": rng.normal(size=(n, c)),
        "p": rng.uniform(0.05, 0.95, (n, c)),
        "q": rng.uniform(0.2, 2, (n, c)),
        "w": w,
        "v": rng.normal(size=n),
        "u": rng.normal(size=c),
        "m": m,
        "k": rng.random(n) < 0.5,
        "r": rng.random(c) < 0.5,
        "y": rng.integers(0, c, n),
        "t": np.where(rng.random(n) < 0.4, IGNORED, rng.integers(0, c, n)),
    }


GARBAGE = (math.nan, math.inf, -math.inf, 1e38, -1e38)


def spoiled(arrays: Mapping[str, Any], read: set[tuple[str, tuple[int, ...]]], turn: int) -> dict[str, Any]:
    """The arrays with garbage wherever nothing was read."""
    result = {name: array.copy() for name, array in arrays.items()}
    for name in (*FLOATS, "y"):
        garbage = (1_000_000, -7)[turn % 2] if name == "y" else GARBAGE[turn % len(GARBAGE)]
        for place in np.ndindex(result[name].shape):
            if (name, place) not in read:
                result[name][place] = garbage
    return result
