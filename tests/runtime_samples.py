"""Checked losses built by hand, so that the runtime is tested apart from the language."""

from __future__ import annotations

from losslang.interval import Interval
from losslang.ir import Graph, Node
from losslang.kinds import ELEMENTS, Kind
from losslang.lowered import (
    Leaf,
    LoweredHyper,
    LoweredInput,
    LoweredLoss,
    LoweredReport,
    LoweredTerm,
    Schedule,
)

NONNEGATIVE = Interval(0.0)


def lowered_input(graph: Graph, name: str, kind: Kind, *axes: str) -> LoweredInput:
    node = graph.input(name, axes, ELEMENTS.get(kind.name, "real"))  # type: ignore[arg-type]
    return LoweredInput(name, kind, axes, (Leaf(None, node, axes),))


def node(input: LoweredInput) -> Node:
    return input.leaves[0].node


def masked_mean(graph: Graph, value: Node, mask: Node, *axes: str) -> Node:
    kept = graph.select(mask, value, 0.0)
    count = graph.reduce("count", graph.broadcast(mask, axes), axes)
    return graph.reduce("sum", kept, axes) / graph.real(graph.apply("maximum", count, 1))


def language_model(schedule: Schedule | None = None) -> LoweredLoss:
    """Next-token cross-entropy with a z-loss and L2, over real tokens; accuracy of each token reported."""
    graph = Graph()
    logits = lowered_input(graph, "logits", Kind("logit", over="vocab"), "batch", "vocab")
    tokens = lowered_input(graph, "tokens", Kind("label", of="vocab", ignoring=-100), "batch")
    real = lowered_input(graph, "real", Kind("mask"), "batch")
    table = lowered_input(graph, "table", Kind("parameter"), "entity", "dim")
    weight = graph.input("z_weight", (), "real", NONNEGATIVE)
    decay = graph.input("decay", (), "real", NONNEGATIVE)
    z, y, kept = node(logits), node(tokens), node(real)
    kept = graph.apply("and", kept, graph.apply("not", graph.apply("eq", y, -100)))
    picked = graph.gather(graph.along("log_softmax", z, ["vocab"]), y, "vocab")
    nll = masked_mean(graph, -picked, kept, "batch")
    lse = graph.reduce("logsumexp", z, ["vocab"])
    z_loss = masked_mean(graph, lse * lse, kept, "batch")
    reg = graph.reduce("sum", node(table) * node(table), ["entity", "dim"])
    right = graph.apply("eq", graph.reduce("argmax", z, ["vocab"]), y)
    total = graph.apply("add", nll, weight * z_loss, decay * reg)
    return LoweredLoss(
        name="language_model",
        graph=graph,
        inputs=(logits, tokens, real, table),
        hypers=(
            LoweredHyper("z_weight", Kind("real"), (), weight, 1e-2, NONNEGATIVE),
            LoweredHyper("decay", Kind("real"), (), decay, schedule or 1e-1, NONNEGATIVE),
        ),
        terms=(
            LoweredTerm("nll", nll, graph.const(1.0)),
            LoweredTerm("z_loss", z_loss, weight),
            LoweredTerm("reg", reg, decay),
        ),
        offset=None,
        total=total,
        reports=(
            LoweredReport("right", right, Kind("mask"), ("batch",)),
            LoweredReport("surprise", graph.select(kept, -picked, 0.0), Kind("real"), ("batch",)),
        ),
        doc="Next-token cross-entropy.",
    )


def quadratic(
    fixed: dict[str, int] | None = None,
    picks: tuple[tuple[str, int], ...] = (),
    equal: tuple[tuple[str, str], ...] = (),
    places: dict[str, tuple[str, ...]] | None = None,
) -> LoweredLoss:
    """scale · mean (x − y)² + 1, by element: x[n, d], y[m, d] with n as long as m where asked for."""
    graph = Graph()
    x = lowered_input(graph, "x", Kind("real"), "n", "d")
    y = lowered_input(graph, "y", Kind("positive"), "m", "d")
    scale = graph.input("scale", (), "real", NONNEGATIVE)
    difference = graph.reduce("sum", node(x), ["n"]) - graph.reduce("sum", node(y), ["m"])
    term = graph.reduce("sum", difference * difference, ["d"])
    offset = graph.const(1.0)
    return LoweredLoss(
        name="quadratic",
        graph=graph,
        inputs=(x, y),
        hypers=(LoweredHyper("scale", Kind("positive"), (), scale, 2.0, Interval(0.0, 10.0, True)),),
        terms=(LoweredTerm("gap", term, scale),),
        offset=offset,
        total=graph.apply("add", scale * term, offset),
        reports=(),
        fixed=fixed or {},
        places=places or {},
        constant_picks=picks,
        equal_sizes=equal,
    )


def kinds() -> LoweredLoss:
    """The mean of one number of every kind, for what may be passed as what."""
    graph = Graph()
    found = [
        lowered_input(graph, "probability", Kind("prob", over="c"), "n", "c"),
        lowered_input(graph, "hit", Kind("binary"), "n"),
        lowered_input(graph, "side", Kind("sign"), "n"),
        lowered_input(graph, "clicks", Kind("count"), "n"),
        lowered_input(graph, "weight", Kind("weight"), "n"),
        lowered_input(graph, "scale", Kind("positive"), "n"),
        lowered_input(graph, "kept", Kind("mask"), "n"),
        lowered_input(graph, "answer", Kind("label", of="c"), "n"),
    ]
    total = graph.const(0.0)
    for each in found[1:6]:
        total = total + graph.reduce("sum", graph.select(node(found[6]), node(each), 0.0), ["n"])
    total = total + graph.reduce("sum", graph.gather(node(found[0]), node(found[7]), "c"), ["n"])
    return LoweredLoss(
        "kinds", graph, tuple(found), (), (LoweredTerm("all", total, graph.const(1.0)),), None, total, ()
    )
