"""One name for several axes: what one expression introduces and sums away is not what another does.

``mean[n, o](k(x, x[n -> o])) - mean[m, o](k(y, y[m -> o]))`` means two axes ``o``, as long as ``n`` and as ``m``. Names
that are introduced from different places, in parts of a loss that no value connects, are told apart in the text before it
is elaborated. Where the same place introduces a name again nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from losslang import model as m
from losslang.checker.contractions import CONTRACTIONS
from losslang.checker.reductions import ALONG
from losslang.checker.walking import children

if TYPE_CHECKING:
    from losslang.checker.losses import LossPlan

Origin = tuple[str, ...]
#: What a node holds besides axes, values and further nodes.
NO_AXES = frozenset({"span", "type", "function", "doc"})
#: What gives a value that may have an axis: a term is a number.
GIVING = (m.LetStatement, m.Report, m.Binding)
VALUED = (m.LetStatement, m.Term, m.Report, m.Minimize)


@dataclass(frozen=True)
class Part:
    """Text in which a name means one axis: of a reduction over it, or of a statement without its reductions over it.

    ``origins`` tell the axis's length where the text introduces it; ``gives`` and ``reads`` are the values that it names
    and looks up.
    """

    root: m.Node
    says: bool
    origins: frozenset[Origin]
    gives: frozenset[str]
    reads: frozenset[str]


def told_apart(plan: LossPlan) -> LossPlan:
    """The loss with a name of its own for every axis that only shares its name with another."""
    origins: dict[str, set[Origin]] = {}
    for statement in plan.statements:
        if isinstance(statement, VALUED):
            for name, origin in _origins(_nodes(statement)):
                origins.setdefault(name, set()).add(origin)
    for name in [name for name, found in origins.items() if len(found) > 1]:
        if name not in _taken(plan.statements):
            plan = _one_name_apart(plan, name)
    return plan


def _taken(statements: Iterable[m.Node]) -> set[str]:
    """Names of axes that are declared, and of values, which a name in the text could mean as well."""
    found: set[str] = set()
    for statement in statements:
        if isinstance(statement, (m.Input, m.Hyper)):
            kind = statement.kind
            found.update(ref.name for ref in kind.axes or ())
            found.update(name for name in (kind.over, kind.of, kind.each) if name)
        found.update(
            getattr(node, "name", "") for node in _nodes(statement) if not isinstance(node, m.AxisRef)
        )
    return found


def _one_name_apart(plan: LossPlan, name: str) -> LossPlan:
    parts = [part for s in plan.statements if isinstance(s, VALUED) for part in _parts(s, name)]
    groups = _connected(parts)
    kinds = list(dict.fromkeys(origins for origins in groups.values() if origins))
    names = {origins: f"{name}~apart{place}" if place else name for place, origins in enumerate(kinds)}
    new = {part: names.get(origins, name) for part, origins in groups.items()}

    def changed(statement: m.Node) -> m.Node:
        return _renamed(statement, name, name, new) if isinstance(statement, VALUED) else statement

    return replace(plan, shared=[changed(s) for s in plan.shared], own=[changed(s) for s in plan.own])


def _parts(statement: m.Node, name: str) -> Iterator[Part]:
    reductions = [node for node in _nodes(statement) if _sums_away(node, name)]
    for root in (statement, *reductions):
        text = list(_nodes(root, [call for call in reductions if call is not root]))
        yield Part(
            root,
            any(value == name or (isinstance(value, tuple) and name in value) for n in text for value in vars(n).values()),
            frozenset(origin for axis, origin in _origins(text) if axis == name),
            frozenset(node.name for node in text if isinstance(node, GIVING)),
            frozenset(node.id for node in text if isinstance(node, m.Name)),
        )  # fmt: skip


def _sums_away(node: m.Node, name: str) -> bool:
    if not isinstance(node, m.Call) or node.along is None:
        return False
    row = ALONG.get(node.function)
    leaves = node.function in CONTRACTIONS if row is None else not row.keeps
    return leaves and any(ref.name == name and not ref.pack for ref in node.along.axes)


def _connected(parts: list[Part]) -> dict[int, frozenset[Origin]]:
    """For each part (by its root) the origins of all that it is connected with through values that have the axis."""
    given: dict[str, list[Part]] = {}
    for part in parts:
        for name in part.gives:
            given.setdefault(name, []).append(part)
    carrying: set[str] = set()
    before = -1
    while before < len(carrying):
        before = len(carrying)
        carrying.update(name for part in parts if part.says or part.reads & carrying for name in part.gives)
    together: dict[int, list[Part]] = {id(part.root): [part] for part in parts}
    for part in parts:
        for giving in [giving for name in part.reads & carrying for giving in given[name]]:
            one, other = together[id(part.root)], together[id(giving.root)]
            if one is not other:
                one += other
                together.update({id(each.root): one for each in other})
    return {root: frozenset().union(*(part.origins for part in group)) for root, group in together.items()}


def _nodes(root: m.Node, without: Iterable[m.Node] = ()) -> Iterator[m.Node]:
    left_out = {id(node) for node in without}
    stack = [root]
    while stack:
        node = stack.pop()
        if id(node) not in left_out:
            yield node
            stack.extend(children(node))


def _origins(text: Iterable[m.Node]) -> Iterator[tuple[str, Origin]]:
    """Each axis that a text introduces, with what tells its length."""
    for node in text:
        if isinstance(node, m.Rename):
            yield node.to, ("as", *node.axes)
        elif isinstance(node, m.Array):
            rows: m.Node = node
            for axis in node.axes:
                if isinstance(rows, m.Array):
                    yield axis, ("places", str(len(rows.items)))
                    rows = rows.items[0]


def _renamed(node: m.Node, name: str, own: str, new: Mapping[int, str]) -> m.Node:
    """The text with the name replaced, in each part by its own."""
    own = new.get(id(node), own)

    def changed(value: Any) -> Any:
        if isinstance(value, m.Node):
            return _renamed(value, name, own, new)
        if isinstance(value, tuple):
            return tuple(changed(item) for item in value)
        return own if value == name else value

    fields = {key: changed(value) for key, value in vars(node).items() if key not in NO_AXES}
    same = all(value == vars(node)[key] for key, value in fields.items())
    return node if same else node.model_copy(update=fields)
