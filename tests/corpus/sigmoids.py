"""Logits and probabilities of one event."""

from .entries import formulas

X = {"x": "logit"}
XY = {"x": "logit", "y": "logit"}
P = {"p": "prob"}

formulas(
    "log-sigmoid",
    X,
    """
log(sigmoid(x))
-log(sigmoid(x))
log(1 / (1 + exp(-x)))
-log(1 + exp(-x))
log(exp(x) / (1 + exp(x)))
log(exp(x) / (exp(x) + 1)) * 0.5
x - log(1 + exp(x))
-(log(1 + exp(x)) - x)
log((1 + exp(-x))^-1)
-log1p(exp(-x))
log(2 / (2 + 2 * exp(-x)))
log(sigmoid(x)^2)
log(sqrt(sigmoid(x)))
log(1 - sigmoid(-x))
log(1 - 1 / (1 + exp(x)))
log(0.5 * (1 + tanh(x / 2)))
log(0.5 + 0.5 * tanh(x / 2))
""",
)

formulas(
    "log-complement",
    X,
    """
log(1 - sigmoid(x))
-log(1 - 1 / (1 + exp(-x)))
log(1 - exp(x) / (1 + exp(x)))
log(exp(-x) / (1 + exp(-x)))
log(1 / (1 + exp(x)))
log(1 - sigmoid(x)) - log(sigmoid(x))
log(1 - sigmoid(3 * x))
log(1 - sigmoid(x)^2)
log(1 - sigmoid(x) * sigmoid(x))
""",
)

formulas(
    "softplus",
    X,
    """
log(1 + exp(x))
log(exp(x) + 1)
log(1 + exp(2 * x)) / 2
log(1 + exp(-abs(x)))
max(x, 0) + log(1 + exp(-abs(x)))
softplus(x) - x
log(1 + exp(x)) - x
log(1 + exp(x)) - log(1 + exp(-x))
log(exp(0) + exp(x))
log(2 + exp(x))
log(1 + 3 * exp(x))
log(exp(x + 1) + exp(1))
softplus(x)^2
log(log(1 + exp(x)))
log(1 + exp(x))^0.5
""",
)

formulas(
    "logit",
    X,
    """
log(sigmoid(x) / (1 - sigmoid(x)))
log(sigmoid(x)) - log(1 - sigmoid(x))
sigmoid(x) / (1 - sigmoid(x))
(1 - sigmoid(x)) / sigmoid(x)
1 / sigmoid(x) - 1
1 - sigmoid(x)
sigmoid(x) * (1 - sigmoid(x))
sigmoid(x) - sigmoid(x)^2
exp(x) / (1 + exp(x))^2
exp(-x) / (1 + exp(-x))^2
exp(x) / (1 + exp(x))
1 / (1 + exp(-x))
1 - 1 / (1 + exp(x))
exp(log(sigmoid(x)))
2 * sigmoid(x) - 1
1 - 2 * sigmoid(x)
sigmoid(x) - 0.5
x * sigmoid(x)
x / (1 + exp(-x))
(1 - exp(-x)) / (1 + exp(-x))
(exp(x) - 1) / (exp(x) + 1)
(exp(x) - exp(-x)) / (exp(x) + exp(-x))
(exp(2 * x) - 1) / (exp(2 * x) + 1)
1 - tanh(x)
1 - tanh(x)^2
4 / (exp(x) + exp(-x))^2
sigmoid(x)^2 + (1 - sigmoid(x))^2
""",
)

formulas(
    "cross-entropy of a coin",
    {"x": "logit", "t": "target"},
    """
-(t * log(sigmoid(x)) + (1 - t) * log(1 - sigmoid(x)))
-t * log(1 / (1 + exp(-x))) - (1 - t) * log(1 - 1 / (1 + exp(-x)))
log(1 + exp(x)) - t * x
t * log(1 + exp(-x)) + (1 - t) * log(1 + exp(x))
-(2 * t * log(sigmoid(x)) + (1 - t) * log(1 - sigmoid(x)))
let p = sigmoid(x) in -(t * log(p) + (1 - t) * log(1 - p))
let p = sigmoid(x) in -log(t * p + (1 - t) * (1 - p))
let p = exp(x) / (exp(x) + 1) in -(t * log(p) + (1 - t) * log(1 - p))
let p = sigmoid(x) in -t * (1 - p)^2 * log(p) - (1 - t) * p^2 * log(1 - p)
let p = sigmoid(x) in -t * (1 - p)^1.5 * log(p) - (1 - t) * p^1.5 * log(1 - p)
let p = sigmoid(x) in -0.25 * t * (1 - p)^2 * log(p) - 0.75 * (1 - t) * p^2 * log(1 - p)
let p = sigmoid(x), q = t * p + (1 - t) * (1 - p) in -(1 - q)^2 * log(q)
""",
)

formulas(
    "differences of sigmoids",
    XY,
    """
sigmoid(x) - sigmoid(y)
log(sigmoid(x)) - log(sigmoid(y))
log(sigmoid(x) * sigmoid(y))
log(sigmoid(x) / sigmoid(y))
sigmoid(x) * (1 - sigmoid(y)) - (1 - sigmoid(x)) * sigmoid(y)
1 / (1 + exp(-x)) - 1 / (1 + exp(-y))
log(sigmoid(x - y))
-log(1 / (1 + exp(y - x)))
log(exp(x) / (exp(x) + exp(y)))
-log(exp(x) / (exp(x) + exp(y)))
exp(x) / (exp(x) + exp(y))
log(exp(x) + exp(y))
log(exp(x) + exp(y)) - y
log(exp(x) + exp(y)) - max(x, y)
log((exp(x) + exp(y)) / 2)
log(0.3 * exp(x) + 0.7 * exp(y))
log(sigmoid(x) + sigmoid(y))
log(1 - sigmoid(x) * sigmoid(y))
log(1 - (1 - sigmoid(x)) * (1 - sigmoid(y)))
tanh(x) - tanh(y)
log(1 + exp(x) + exp(y))
log(1 + exp(x + y))
log((1 + exp(x)) * (1 + exp(y)))
log((1 + exp(x)) / (1 + exp(y)))
log(1 + exp(x)) - log(1 + exp(y))
sigmoid(x) * log(sigmoid(x) / sigmoid(y))
sigmoid(x) * log(sigmoid(x) / sigmoid(y)) + (1 - sigmoid(x)) * log((1 - sigmoid(x)) / (1 - sigmoid(y)))
exp(x) / exp(y)
exp(x - y) / (1 + exp(x - y))
exp(x) * exp(-y)
""",
)

formulas(
    "guards that were meant",
    X,
    """
log(1e-10 + sigmoid(x))
log(sigmoid(x) + 1e-7)
log(max(sigmoid(x), 1e-7))
log(clip(sigmoid(x), 1e-6, 1 - 1e-6))
""",
)

formulas(
    "entropy of a coin",
    X,
    """
-(sigmoid(x) * log(sigmoid(x)) + (1 - sigmoid(x)) * log(1 - sigmoid(x)))
-sigmoid(x) * log(sigmoid(x))
let p = 1 / (1 + exp(-x)) in -p * log(p) - (1 - p) * log(1 - p)
sigmoid(x)^0.5
(1 - sigmoid(x))^0.3
(1 - sigmoid(x)^0.7) / 0.7
(1 - sigmoid(x))^2 * log(sigmoid(x))
""",
)

formulas(
    "input probabilities",
    P,
    """
log(p)
-log(1 - p)
p * log(p)
-(p * log(p) + (1 - p) * log(1 - p))
(1 - p)^2 * log(p)
log(p^2)
1 - p
1 - (1 - p)
1 - (1 - p)^2
1 - p^2
p * (1 - p)
-p^2 * log(1 - p)
sigmoid(log(p / (1 - p)))
1 / (1 + (1 - p) / p)
""",
)

formulas(
    "input probabilities",
    {"p": "prob", "q": "prob"},
    """
p * log(p / q)
log(p * q)
log(1 - p * q)
1 - (1 - p) * (1 - q)
log(1 - (1 - p) * (1 - q))
p * log(p) - p * log(q)
-p * log(q) - (1 - p) * log(1 - q)
log(p) + log(q)
log(0.5 * p + 0.5 * q)
p * (1 - q) + q * (1 - p)
""",
)
