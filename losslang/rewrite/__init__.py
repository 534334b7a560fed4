"""Rewriting: from the formula as written to one of the same meaning that computes well.

``rewrite`` is run on values before differentiation and on gradients after it; ``finish`` last of
all, before code is written.
"""

from __future__ import annotations

from collections.abc import Sequence

from losslang.ir import Node
from losslang.rewrite import exponentials, log1mexp, products, sums  # noqa: F401  (they register their handlers)
from losslang.rewrite.doubt import doubts
from losslang.rewrite.engine import Engine
from losslang.rewrite.finish import finish
from losslang.rewrite.poles import guarded
from losslang.rewrite.trace import Firing, Trace

__all__ = ["Firing", "Trace", "doubts", "finish", "guarded", "rewrite"]


def rewrite(
    roots: Sequence[Node], trace: Trace | None = None, settled: dict[Node, Node] | None = None
) -> list[Node]:
    """Roots of the same meaning, axes and element classes that neither overflow, cancel nor give NaN
    where the exact value is representable. Deterministic.

    ``settled`` is for those who rewrite parts of one graph in turn: what became of each node so far.
    """
    if not roots:
        return []
    return Engine(roots[0].graph, trace, settled=settled).run(roots)
