"""What the rows of ``specs/rules`` say, worked out: both sides as graphs, points of their domain, the truth there,
and what compiled code makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product

import mpmath  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import DTypeLike, NDArray

from losslang import backends
from losslang import model as m
from losslang.differentiate import gradient
from losslang.interval import Interval
from losslang.ir import Graph, Node, walk
from losslang.parse import parse
from losslang.program import Function, Parameter, Result
from losslang.rewrite import finish, rewrite
from losslang.rewrite.adapter import Adapter, plain_make
from losslang.rewrite.rules import interval_of_param, pattern_graph, rule_sources
from losslang.truth import Truth, evaluate, truth, truth_gradient
from losslang.truth.arrays import elementwise

RULES = {rule.name: rule for rule in rule_sources()}
WIDTH = 3
LARGEST, TINY = float(np.finfo(np.float32).max), float(np.finfo(np.float32).tiny)

#: The ends of a number's range and what floating point minds: where 1 swallows it, where exponentials end.
ENDS = (TINY, 1e-30, 1e-8, 1e-4, 1.0, 20.0, 90.0, 1e4, 1e30, 1e38)
#: The same where they are combined with those of other variables.
PAIRED = (1e-30, 1e-8, 1.0, 90.0, 1e4, 1e30)
VECTORS = (1e-8, 1.0, 90.0, 1e30)
MANY = (1e-8, 1.0, 30.0)
#: The ends where they are others: a tie to within rounding has the derivative of a tie; beside a logit of 1e30
#: the logarithms of the others are lost.
SIZES = {"max_less_logsumexp": (1.0, 20.0, 90.0, 1e4, 1e30), "complement_of_average": (1e-8, 1.0, 90.0)}
COUNT = 120

#: Where every other point of a variable is drawn, if not close to the one before it: (middle, spread).
FOCUS: dict[str, dict[str, tuple[float, float]]] = {
    "one_plus_erf": {"x": (0.0, 2.0)},
    "covariance": {"x": (100.0, 1e-2), "y": (100.0, 1e-2)},
    "number_less_log": {"r": (1.0, 1e-3)},
    "mills_less_line": {"x": (-60.0, 20.0)},
    "tail_less_line": {"x": (20.0, 5.0)},
    "log_of_square_sum": {"x": (1e21, 1e20), "y": (1e21, 1e20)},
    "log_of_normal_difference": {"a": (0.0, 3.0), "b": (0.0, 3.0)},
    "log_of_sigmoid_difference": {"a": (0.0, 30.0), "b": (0.0, 30.0)},
    "expected_excess": {"x": (-4.0, 2.0)},
    "scaled_tail": {"x": (5.0, 2.0)},
    "scaled_normal_tail": {"x": (8.0, 3.0)},
    "angle_over_sine": {"t": (0.9999, 3e-5)},
    "complement_of_average": {"q": (1.0, 1e-4)},
}
#: They are about a difference of which the first must be the larger.
ORDERED = {"log_of_sigmoid_difference", "log_of_normal_difference", "log_odds_of_quotient"}
#: They are about numbers between -1 and 1.
WITHIN_1 = {"angle_over_sine", "line_less_log1p", "log1p_over_argument"}

#: Variables whose 1 means exactly 1: weights that somebody wrote.
ONES = {"softplus_difference": frozenset({"w"})}

Arrays = dict[str, NDArray[np.float32]]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sides:
    """A rule's variables with a batch axis ``i``, its pattern and the value of its replacement, as written."""

    inputs: dict[str, Node]
    left: Node
    right: Node
    computed: bool
    ones: frozenset[str] = frozenset()

    @property
    def graph(self) -> Graph:
        return self.left.graph


def sides_of(source: m.Rule) -> Sides:
    """A rule as two expressions of one graph, its own."""
    _, names, axes = pattern_graph(source)
    graph = Graph()
    inputs = {
        p.name: graph.input(p.name, ("i", *sorted(names[p.name].axes)), "real", interval_of_param(p))
        for p in source.params
    }
    build = Adapter(graph, plain_make(graph), inputs, axes)
    replacement, computed = source.replacement, False
    if isinstance(replacement, m.Call) and replacement.function == "computed":
        replacement, computed = replacement.args[0], True
    left, right = build.build(source.pattern), build.build(replacement)
    ones = ONES.get(source.name, frozenset())
    return Sides(inputs, graph.broadcast(left, {"i"}), graph.broadcast(right, {"i"}), computed, ones)


@cache
def sides(name: str) -> Sides:
    return sides_of(RULES[name])


def used(name: str, text: str) -> m.Rule:
    """A formula in the variables of a rule, as the pattern of another."""
    file, problems = parse(f'rule {name}(x: real)\n  "a formula" : {text} => 0\n', name)
    assert file is not None and not problems, problems
    formula = next(s for s in file.statements if isinstance(s, m.Rule))
    return RULES[name].model_copy(update={"pattern": formula.pattern, "replacement": formula.replacement})


# -- points -----------------------------------------------------------------------------------------


def drawn(random: np.random.Generator, interval: Interval, shape: tuple[int, ...]) -> Floats:
    """Numbers of every size."""
    scales = np.array([1e-6, 1e-3, 0.05, 0.3, 1.0, 3.0, 10.0, 30.0])
    size = np.abs(random.normal(size=shape)) * random.choice(scales, shape) + 1e-9
    if interval.is_probability:
        return random.random(shape)
    return size if interval.nonnegative else size * random.choice([-1.0, 1.0], shape)


def ends(interval: Interval, sizes: tuple[float, ...]) -> list[float]:
    if interval.is_probability:
        return [0.0, TINY, 1e-8, 0.5, 1 - 2.0**-24, 1.0]
    signed = [*sizes] if interval.nonnegative else [*sizes, *(-s for s in sizes)]
    return signed if interval.positive else [0.0, *signed]


def random_points(name: str) -> Arrays:
    """Numbers of each variable's kind; every other point has them close to each other, or where the rule's
    ``FOCUS`` says."""
    random = np.random.default_rng(3)
    arrays: Arrays = {}
    first: Floats | None = None
    for param in RULES[name].params:
        node = sides(name).inputs[param.name]
        shape = (COUNT, WIDTH) if len(node.axes) > 1 else (COUNT,)
        interval = interval_of_param(param)
        numbers = drawn(random, interval, shape)
        if first is not None and first.shape == shape:
            close = first * (1 + random.choice([1e-3, 1e-5, 1e-6], shape))
            numbers[::2] = np.clip(close[::2], max(interval.low, -1e9), min(interval.high, 1e9))
        focus = FOCUS.get(name, {}).get(param.name)
        if focus is not None:
            inside = focus[0] + focus[1] * np.clip(random.normal(size=shape), -3, 3)
            numbers[1::2] = np.clip(inside[1::2], interval.low, interval.high)
        first = numbers if first is None else first
        arrays[param.name] = numbers.astype(np.float32)
    return in_order(name, arrays)


def extreme_points(name: str) -> Arrays:
    """Every combination of the ends of the variables; of a vector, rows that begin with, end with and are full of
    them."""
    params = RULES[name].params
    nodes = [sides(name).inputs[p.name] for p in params]
    vectors = [len(node.axes) > 1 for node in nodes]
    usual = VECTORS if any(vectors) and len(params) > 1 else (ENDS, PAIRED, MANY)[len(params) - 1]
    sizes = SIZES.get(name, usual)
    kinds = [interval_of_param(p) for p in params]
    combined = np.array(list(product(*(ends(k, sizes) for k in kinds))), dtype=np.float32)
    arrays: Arrays = {}
    for param, column, vector in zip(params, combined.T, vectors, strict=True):
        if vector:
            column = np.repeat(column[:, None], WIDTH, axis=1)
            column[1::3, 1:] = 0.0
            column[2::3, 0] = 0.5
        arrays[param.name] = column
    return in_order(name, arrays)


def benign_points(name: str) -> Arrays:
    """Numbers of ordinary size, away from each other and from where anything is small."""
    random = np.random.default_rng(5)
    arrays: Arrays = {}
    for at, param in enumerate(RULES[name].params):
        node, interval = sides(name).inputs[param.name], interval_of_param(param)
        shape = (24, WIDTH) if len(node.axes) > 1 else (24,)
        size = (
            random.uniform(0.55, 0.9, shape) if interval.is_probability else random.uniform(1, 2, shape) + at
        )
        signs = random.choice([-1.0, 1.0], shape) if not interval.nonnegative else np.ones(shape)
        arrays[param.name] = (size * signs).astype(np.float32)
    if name in WITHIN_1:
        arrays = {key: array / 4 for key, array in arrays.items()}
    return in_order(name, arrays)


def in_order(name: str, arrays: Arrays) -> Arrays:
    """With the larger number first, where a rule is about what is left of it."""
    if name not in ORDERED:
        return arrays
    first, second = arrays
    return {first: np.maximum(*arrays.values()), second: np.minimum(*arrays.values())}


@cache
def points(name: str) -> Arrays:
    random, extreme = random_points(name), extreme_points(name)
    return {key: np.concatenate([random[key], extreme[key]]) for key in random}


# -- truth ------------------------------------------------------------------------------------------


def order_of(node: Node) -> tuple[str, ...]:
    return ("i", *sorted(node.axes - {"i"}))


def floats(t: Truth, node: Node) -> Floats:
    """NaN where it is not known."""
    order = order_of(node)
    decided = np.transpose(t.decided, [t.array.axes.index(a) for a in order])
    return np.where(decided, t.floats(order), np.nan)


def true(node: Node, inputs: dict[str, Node], arrays: Arrays) -> list[Floats]:
    """The value of ``node`` and the derivative of its sum in every input; no derivative where a part is infinite."""
    wrt = list(inputs.values())
    (value,) = truth([node], arrays, max_digits=400)
    slopes = truth_gradient(node, wrt, arrays, max_digits=400)
    singular = np.zeros(len(next(iter(arrays.values()))), bool)
    parts = [n for n in walk([node]) if n.elem == "real" and "i" in n.axes and n.op != "input"]
    for part, found in zip(parts, evaluate(parts, arrays, digits=40), strict=True):
        huge = elementwise(lambda x: not mpmath.isfinite(x), found.ordered(order_of(part))).astype(bool)
        singular |= huge.reshape(len(huge), -1).any(1)
    found = [floats(t, n) for t, n in zip(slopes, wrt, strict=True)]
    for each in found:
        each[singular] = np.nan
    return [floats(value, node), *found]


@cache
def known(name: str, side: str) -> list[Floats]:
    """The truth of the ``left`` or the ``right`` at the rule's points."""
    s = sides(name)
    return true(s.left if side == "left" else s.right, s.inputs, points(name))


def slack_at(
    node: Node, inputs: dict[str, Node], arrays: Arrays, rows: NDArray[np.intp], ones: frozenset[str] = frozenset()
) -> list[Floats]:  # fmt: skip
    """What one unit in the last place of the inputs makes of the truth, at some of the points; of the variables
    ``ones``, a 1 means 1."""
    here = {key: array[rows] for key, array in arrays.items()}
    blocks = [here]
    for key, array in here.items():
        for place in np.ndindex(array.shape[1:]):
            changed, old = array.copy(), array[(slice(None), *place)]
            exact = (old == 1) & (key in ones)
            changed[(slice(None), *place)] = np.where(exact, old, np.nextafter(old, np.float32(0)))
            blocks.append({**here, key: changed})
    together = {key: np.concatenate([b[key] for b in blocks]) for key in here}
    slack = []
    for found in true(node, inputs, together):
        each = found.reshape(len(blocks), len(rows), *found.shape[1:])
        with np.errstate(all="ignore"):
            gaps = np.abs(each[1:] - each[0])
        slack.append(np.where(np.isfinite(gaps), gaps, 0.0).sum(0))
    return slack


# -- compiled ---------------------------------------------------------------------------------------


def stable(s: Sides) -> list[Node]:
    """The value and the derivatives as ``losslang.parts`` compiles them."""
    settled: dict[Node, Node] = {}
    values = rewrite([s.left], settled=settled)
    slopes = gradient(values[0], list(s.inputs.values()))
    return finish(rewrite([*values, *slopes], settled=settled), values)


def as_written(s: Sides) -> list[Node]:
    return finish([s.left, *gradient(s.left, list(s.inputs.values()))])


def run(
    roots: list[Node], inputs: dict[str, Node], arrays: Arrays, real: DTypeLike = np.float32
) -> list[Floats]:
    parameters = tuple(Parameter(k, n, n.attr[1]) for k, n in inputs.items())
    function = Function("f", parameters, tuple(Result(r, order_of(r)) for r in roots))
    compiled = backends.load(backends.emit([function], "numpy"), "numpy")["f"]
    with np.errstate(all="ignore"):
        return [
            np.asarray(x, dtype=np.float64)
            for x in compiled(*(a.astype(real) for a in arrays.values()), real)
        ]


@dataclass(frozen=True)
class Missed:
    """Points at which a representable truth is missed by more than rounding explains: ``part`` 0 is the value."""

    part: int
    point: dict[str, object]
    got: Floats
    true: Floats


def missed(
    s: Sides, arrays: Arrays, true: list[Floats], got: list[Floats], floors: tuple[float, float] = (0.0, 0.0), most: int = 1000
) -> list[Missed]:  # fmt: skip
    """Values to 1e-5, derivatives to 1e-4 (of a vector, to 1e-5 of its largest element), plus what one unit in the
    last place of the inputs makes of them, twice, plus the floor of values or derivatives. Looks at no more than
    ``most`` suspects."""
    suspects = [
        _far(g, t, k, floors[k > 0]).reshape(len(t), -1).any(1)
        for k, (g, t) in enumerate(zip(got, true, strict=True))
    ]
    rows = np.flatnonzero(np.any(suspects, axis=0))
    rows = rows[:: 1 + len(rows) // most]
    if not len(rows):
        return []
    found = []
    for k, slack in enumerate(slack_at(s.left, s.inputs, arrays, rows, s.ones)):
        far = _far(got[k][rows], true[k][rows], k, floors[k > 0], slack).reshape(len(rows), -1).any(1)
        for row in rows[far]:
            point = {key: array[row].tolist() for key, array in arrays.items()}
            found.append(Missed(k, point, got[k][row], true[k][row]))
    return found


def _far(
    got: Floats, true: Floats, part: int, floor: float, slack: Floats | float = 0.0
) -> NDArray[np.bool_]:
    allowed = (1e-4 if part else 1e-5) * np.abs(true) + 2 * slack + TINY + floor
    if part and true.ndim > 1:
        allowed = allowed + 1e-5 * np.max(np.nan_to_num(np.abs(true), posinf=0.0), axis=-1, keepdims=True)
    with np.errstate(all="ignore"):
        return ~((np.abs(got - true) <= allowed) | ~np.isfinite(true) | (np.abs(true) > LARGEST))
