"""LL1: names, imports and calls."""

from __future__ import annotations

from losslang.codes.table import code

code(
    "LL101",
    "unknown-value",
    "error",
    what="A name stands for no value that can be seen here.",
    why="Nothing can be computed from it; usually it is misspelt.",
    bad=("loss a\ninput x : real[n]\nterm t = mean[n](xx)\nminimize t"),
    good=("loss a\ninput x : real[n]\nterm t = mean[n](x)\nminimize t"),
)
code(
    "LL102",
    "unknown-function",
    "error",
    what="A function is called that neither the language, the file nor the library has.",
    why="Nothing can be computed from it; usually it is misspelt.",
    bad=("loss a\ninput x : real[n]\nterm t = mean[n](hubber(x, 0))\nminimize t"),
    good=("loss a\ninput x : real[n]\nterm t = mean[n](huber(x, 0))\nminimize t"),
)
code(
    "LL103",
    "unknown-axis",
    "error",
    what="An axis or a pack of axes is named that nothing here has.",
    why="An operation along it would have nothing to work on.",
    bad=("loss a\ninput x : real[n]\nterm t = mean[m](x)\nminimize t"),
    good=("loss a\ninput x : real[n]\nterm t = mean[n](x)\nminimize t"),
)
code(
    "LL104",
    "unknown-kind",
    "error",
    what="A kind is named that the language does not have.",
    why="The kind says what the numbers mean; everything else follows from it.",
    bad=("loss a\ninput x : rael[n]\nminimize sum[n](x)"),
    good=("loss a\ninput x : real[n]\nminimize sum[n](x)"),
)
code(
    "LL105",
    "unknown-distribution",
    "error",
    what="A distribution is wanted, and what stands there is none.",
    why="`nll` and `kl` need a density that is known.",
    bad=("loss a\ninput x : real[n]\nterm t = mean[n](nll(x ~ gaussian(0, 1)))\nminimize t"),
    good=("loss a\ninput x : real[n]\nterm t = mean[n](nll(x ~ normal(0, 1)))\nminimize t"),
)
code(
    "LL106",
    "duplicate",
    "error",
    what="Two things of one sort have the same name.",
    why="A name must say which one is meant.",
    bad=("loss a\ninput x : real[n]\ninput x : real[n]\nterm t = mean[n](x)\nminimize t"),
    good=("loss a\ninput x : real[n]\nterm t = mean[n](x)\nminimize t"),
)
code(
    "LL107",
    "import-unreadable",
    "error",
    what="An imported or given file cannot be read.",
    why="Its definitions are missing.",
    bad='import "missing.loss"',
)
code(
    "LL108",
    "import-circle",
    "error",
    what="Files import each other in a circle.",
    why="Neither can be understood before the other.",
)
code(
    "LL109",
    "import-outside",
    "error",
    what="An import leaves the folder of the importing file, or is no .loss file.",
    why="A spec reads nothing but its own imports.",
)
code(
    "LL110",
    "recursion",
    "error",
    what="A definition calls itself.",
    why="Definitions are written out where they are called, which would never end.",
    bad="def f(x) = f(x)",
    good="def f(x) = x",
)
code(
    "LL111",
    "rule-in-spec",
    "error",
    what="A spec holds a rewrite rule.",
    why="Rules change the compiler for everyone; only those that ship are proved.",
    bad="rule r(x: real) : log(exp(x)) => x",
)
code(
    "LL112",
    "reserved-argument",
    "error",
    what="A name is taken by an argument of every compiled loss.",
    why="`step` and `validate` could not be told apart from it.",
    bad=("loss a\ninput x : real[n]\ninput step : real\nterm t = mean[n](x * step)\nminimize t"),
    good=("loss a\ninput x : real[n]\ninput pace : real\nterm t = mean[n](x * pace)\nminimize t"),
)
code(
    "LL113",
    "unknown-loss",
    "error",
    what="A loss is named that the file does not have.",
    why="There is nothing to compile or to vary.",
    bad="loss b = c with h = 1",
)
code(
    "LL114",
    "wrong-arguments",
    "error",
    what="A call has too many, too few or unknown arguments.",
    why="It is not clear what is meant by which.",
    bad=("loss a\ninput x : real[n]\nterm t = mean[n](huber(x))\nminimize t"),
    good=("loss a\ninput x : real[n]\nterm t = mean[n](huber(x, 0))\nminimize t"),
)
code(
    "LL115",
    "unknown-hyper",
    "error",
    what="A variant overrides a hyperparameter that the loss does not have.",
    why="The override would have no effect.",
    bad=("loss a\ninput x : real[n]\nterm t = mean[n](x)\nminimize t\nloss b = a with h = 1"),
    good=(
        "loss a\n"
        "input x : real[n]\n"
        "hyper h : real = 2\n"
        "term t = mean[n](h * x)\n"
        "minimize t\n"
        "loss b = a with h = 1"
    ),
)
code(
    "LL116",
    "circle",
    "error",
    what="Values depend on each other in a circle.",
    why="None can be computed first.",
    bad=("loss a\ninput x : real[n]\nlet u = v\nlet v = u\nterm t = mean[n](x) * u\nminimize t"),
    good=("loss a\ninput x : real[n]\nlet u = 2\nlet v = u\nterm t = mean[n](x) * v\nminimize t"),
)
code(
    "LL117",
    "no-closed-form",
    "error",
    what="No closed form is known for a divergence.",
    why="`kl` uses a formula that somebody proved; there is no sampling behind it.",
    bad=("loss a\ninput x : real[n]\nterm t = mean[n](kl(cauchy(x, 1), normal(0, 1)))\nminimize t"),
    good=("loss a\ninput x : real[n]\nterm t = mean[n](kl(normal(x, 1), normal(0, 1)))\nminimize t"),
)
code(
    "LL118",
    "outside-loss",
    "error",
    what="A term, report or objective stands outside of every loss.",
    why="It must belong to one.",
    bad="term t = 1",
    good=("loss a\ninput x : real[n]\nterm t = mean[n](x)\nminimize t"),
)
