"""Which entries of the library a case calls by name."""

from __future__ import annotations

from collections.abc import Iterator

from parity import Case

from losslang import model as m
from losslang.parse import parse


def used(case: Case) -> Iterator[str]:
    """A definition as its name, a distribution as ``~ name``, a divergence as ``kl left, right``."""
    file, problems = parse(case.spec)
    assert file is not None and not problems, case.id
    for statement in file.statements:
        yield from _used(statement)


def _used(node: m.Node) -> Iterator[str]:
    if isinstance(node, m.Call) and node.function == "kl":
        left, right = (arg.function for arg in node.args if isinstance(arg, m.Call))
        yield f"kl {left}, {right}"
        children = [part for arg in node.args if isinstance(arg, m.Call) for part in arg.args]
    elif isinstance(node, m.Tilde) and isinstance(node.dist, m.Call):
        yield f"~ {node.dist.function}"
        children = [node.value, *node.dist.args]
    else:
        if isinstance(node, m.Call):
            yield node.function
        children = [part for value in node.__dict__.values() for part in _parts(value)]
    for child in children:
        yield from _used(child)


def _parts(value: object) -> Iterator[m.Node]:
    if isinstance(value, m.Node):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from _parts(each)
