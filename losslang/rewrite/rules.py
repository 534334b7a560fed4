"""Rules as data: matched against sums in normal form."""

from __future__ import annotations

from losslang.ir import Node
from losslang.rewrite.engine import Engine
from losslang.rewrite.forms import Linear


def sum_rules(engine: Engine, form: Linear, node: Node) -> bool:
    return False
