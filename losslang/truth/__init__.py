"""What a graph is worth: high-precision values and derivatives, to judge the compiled code by.

Independent of rewriting, differentiation and the backends: the naive graph is evaluated as it
stands, with mpmath's numbers and a bound on their error, at a precision raised until the digits
wanted are certain; derivatives are taken by reverse mode over the same numbers with rules of their
own. Needs the ``mpmath`` package, which the rest of losslang does not.
"""

from losslang.truth.arrays import LabelledArray, axis_lengths
from losslang.truth.ball import ANY_INDEX, ANYTHING
from losslang.truth.context import until
from losslang.truth.search import Truth, evaluate, inputs_of, truth, truth_gradient

__all__ = [
    "ANYTHING",
    "ANY_INDEX",
    "LabelledArray",
    "Truth",
    "axis_lengths",
    "evaluate",
    "inputs_of",
    "truth",
    "truth_gradient",
    "until",
]
