"""How softmax, log_softmax and logsumexp are written: from shared steps, without losing small parts."""

from __future__ import annotations

from dataclasses import replace

from losslang.backends.emitter import FunctionEmitter, Value, emits
from losslang.backends.reductions import reduced

from losslang.ir import Node


class Softmax:
    """The shared steps of softmax, logsumexp and log_softmax of one array along some axes.

    The largest entries are counted and left out of the sum of the others, so that a logsumexp close
    to its largest entry keeps full relative accuracy.
    """

    def __init__(self, e: FunctionEmitter, x: Node, axes: frozenset[str]) -> None:
        self.e, self.axes, self.key = e, axes, (x, axes)
        self.x = e.named(x, "real")
        self.stem = self.x.code if self.x.code.isidentifier() else "x"

    def _share(self, what: str, value: Value) -> Value:
        return self.e.share((*self.key, what), f"{self.stem}_{what}", replace(value, named=False))

    def _where(self, condition: str, then: str, otherwise: str, dims: tuple[str, ...]) -> Value:
        return self.e.fill("where", condition, then, otherwise, dims=dims)

    @property
    def highest(self) -> Value:
        return self._share("max", reduced(self.e, "max", self.x, self.axes))

    @property
    def shift(self) -> Value:
        """The largest entry; 0 where it is infinite."""
        top = self.highest
        finite = f"abs({top.code}) < inf"
        return self._share("shift", self._where(finite, top.code, "0.0", top.dims))

    def _exp(self, x: Value) -> Value:
        dims = self.e.layout.dims({*x.dims, *self.shift.dims})
        inner = f"{self.e.aligned(x, dims)} - {self.e.aligned(self.shift, dims)}"
        return self.e.fill("exp_below", inner, dims=dims)

    @property
    def exps(self) -> Value:
        return self._share("exp", self._exp(self.x))

    @property
    def excess(self) -> Value:
        """The sum of exp(x - max) without one of the largest entries."""
        top = self.e.aligned(self.highest, self.x.dims)
        others = self._where(f"{self.x.code} < {top}", self.exps.code, "0.0", self.x.dims)
        ties = Value(f"{self.x.code} == {top}", self.x.dims, "int", named=False)
        counted = reduced(self.e, "sum", ties, self.axes)
        ties_real = self.e.backend.cast(f"({counted.code} - 1)", self.e.type_name("real"))
        rest = reduced(self.e, "sum", others, self.axes)
        return self._share("excess", replace(rest, code=f"{ties_real} + {rest.code}", tight=False))

    @property
    def log_total(self) -> Value:
        return self._share("log_total", self.e.fill("log1p", self.excess.code, dims=self.excess.dims))

    @property
    def total(self) -> Value:
        if (*self.key, "excess") in self.e.shared:
            return replace(self.excess, code=f"1.0 + {self.excess.code}", tight=False, named=False)
        total = self._share("total", reduced(self.e, "sum", self.exps, self.axes))
        return self._where(f"{total.code} > 0.0", total.code, "1.0", total.dims)

    @property
    def norm(self) -> Value:
        """What the exponentials are divided by; never 0."""
        return self._share("norm", self.total)

    def logsumexp(self) -> Value:
        dims = self.highest.dims
        return Value(f"{self.highest.code} + {self.log_total.code}", dims, "real", tight=False, named=False)

    def softmax(self, x: Value | None = None) -> Value:
        exps = self.exps if x is None else self._exp(x)
        dims = exps.dims
        return self.e.fill("div", exps.code, self.e.aligned(self.norm, dims), dims=dims)

    def log_softmax(self, x: Value | None = None) -> Value:
        value = self.x if x is None else x
        dims = self.e.layout.dims({*value.dims, *self.shift.dims})
        parts = [self.e.aligned(v, dims) for v in (value, self.shift, self.log_total)]
        return Value(f"({parts[0]} - {parts[1]}) - {parts[2]}", dims, "real", tight=False, named=False)


@emits("logsumexp")
def _logsumexp(e: FunctionEmitter, node: Node) -> Value:
    return Softmax(e, node.args[0], node.attr).logsumexp()


@emits("softmax")
def _softmax(e: FunctionEmitter, node: Node) -> Value:
    return Softmax(e, node.args[0], node.attr).softmax()


@emits("log_softmax")
def _log_softmax(e: FunctionEmitter, node: Node) -> Value:
    return Softmax(e, node.args[0], node.attr).log_softmax()
