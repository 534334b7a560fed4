"""LL0: syntax and files."""

from __future__ import annotations

from losslang.codes.table import code

code(
    "LL001",
    "unexpected",
    "error",
    what="A word or sign stands where the grammar has no place for it.",
    why="Nothing can be read from a statement that is not complete.",
    bad="import losses",
    good='import "losses.loss"',
)
code(
    "LL002",
    "statement-expected",
    "error",
    what="Something that is not a statement stands between statements.",
    why="Every statement begins with its keyword, so that layout carries no meaning.",
    bad="x = 3",
    good="let x = 3",
)
code(
    "LL003",
    "misspelt-keyword",
    "error",
    what="A word stands where a statement begins that is close to a keyword, or that other languages use.",
    why="Its statement would be lost.",
    bad="imput x : real[batch]",
    good="input x : real[batch]",
)
code(
    "LL004",
    "missing-equals",
    "error",
    what="The `=` between a name and its value is missing.",
    why="Without it nothing separates the two.",
    bad="let a 3",
    good="let a = 3",
)
code(
    "LL005",
    "missing-colon",
    "error",
    what="The `:` between a name and its kind is missing.",
    why="Without it nothing separates the two.",
    bad="input x real[batch]",
    good="input x : real[batch]",
)
code(
    "LL006",
    "missing-operand",
    "error",
    what="An operator, a bracket or `=` is not followed by a value.",
    why="The expression has no meaning.",
    bad="let x = 2 +",
    good="let x = 2 + 1",
)
code(
    "LL007",
    "missing-operator",
    "error",
    what="Two values stand side by side.",
    why="Multiplication is always written, since `a b` could also be a misspelt call.",
    bad="let x = 2 (3 + 4)",
    good="let x = 2 * (3 + 4)",
)
code(
    "LL008",
    "unclosed-bracket",
    "error",
    what="A bracket is opened and never closed.",
    why="Where the expression ends would be a guess.",
    bad="let x = (1 + 2",
    good="let x = (1 + 2)",
)
code(
    "LL009",
    "stray-bracket",
    "error",
    what="A bracket closes what was never opened.",
    why="Where the expression begins would be a guess.",
    bad="let x = 1 + 2)",
    good="let x = (1 + 2)",
)
code(
    "LL010",
    "mismatched-bracket",
    "error",
    what="A bracket is closed by one of another shape.",
    why="One of the two is wrong.",
    bad="let x = (1 + 2]",
    good="let x = (1 + 2)",
)
code(
    "LL011",
    "reserved-name",
    "error",
    what="A word that begins statements or joins expressions is used as a name.",
    why="These words show where statements begin, whatever the layout.",
    bad="let check = 3",
    good="let checked = 3",
)
code(
    "LL012",
    "comparison-chain",
    "error",
    what="Comparisons follow one another.",
    why="`a < b < c` would compare a truth value with c.",
    bad="let x = 0 < 1 < 2",
    good="let x = 0 < 1 and 1 < 2",
)
code(
    "LL013",
    "single-equals",
    "error",
    what="`=` stands where values are compared.",
    why="`=` gives a name to something; `==` compares.",
    bad="let x = if 1 = 2 then 3 else 4",
    good="let x = if 1 == 2 then 3 else 4",
)
code(
    "LL014",
    "double-equals",
    "error",
    what="`==` stands where a name is given.",
    why="`==` compares; `=` gives a name to something.",
    bad="let x == 3",
    good="let x = 3",
)
code(
    "LL015",
    "foreign-sign",
    "error",
    what="A sign of another notation stands for one of the language.",
    why="Each operation has one spelling, so that specs read alike.",
    bad="let x = 2 ** 3",
    good="let x = 2 ^ 3",
)
code(
    "LL016",
    "foreign-character",
    "error",
    what="A character of mathematical writing stands for something that is written otherwise here.",
    why="Each operation has one spelling, so that specs read alike.",
    bad="let y = ∞",
    good="let y = inf",
)
code(
    "LL017",
    "unknown-character",
    "error",
    what="A character that the language does not use.",
    why="It has no meaning outside of strings and comments.",
    bad="let x = 1; let y = 2",
    good="let x = 1 let y = 2",
)
code(
    "LL018",
    "unseen-character",
    "error",
    what="A control, bidirectional or zero-width character.",
    why="The text would not mean what it looks like.",
    bad="let x\u200b = 1",
    good="let x = 1",
)
code(
    "LL019",
    "open-string",
    "error",
    what="A string is never closed.",
    why="Where the text ends would be a guess.",
    bad='loss a "text\n  minimize 3',
    good='loss a "text"\n  minimize 3',
)
code(
    "LL020",
    "malformed-number",
    "error",
    what="A number is not written as one.",
    why="What it should be would be a guess.",
    bad="let x = 1__0",
    good="let x = 1_0",
)
code(
    "LL021",
    "number-beside-name",
    "error",
    what="A number and a name stand side by side.",
    why="Multiplication is always written, and names begin with a letter.",
    bad="let x = 2pi",
    good="let x = 2 * pi",
)
code(
    "LL022",
    "number-too-large",
    "error",
    what="A number is beyond the largest of 64 bits.",
    why="It could only be held as infinity, which has a name of its own.",
    bad="let x = 1e999",
    good="let x = inf",
)
code(
    "LL023",
    "not-an-integer",
    "error",
    what="A sentinel of labels is not an integer.",
    why="Labels are integers.",
    bad="input y : label[b] of c ignoring 1.5",
    good="input y : label[b] of c ignoring -100",
)
code(
    "LL024",
    "axis-size",
    "error",
    what="The size of an axis is not a positive integer.",
    why="An axis has a whole number of places, and at least one.",
    bad="axis c = 2.5",
    good="axis c = 3",
)
code(
    "LL025",
    "positional-axis",
    "error",
    what="An axis is given by number, as in NumPy.",
    why="Axes have names: a number would depend on the layout of the tensors.",
    bad="let y = mean(x, dim=-1)",
    good="let y = mean[batch](x)",
)
code(
    "LL026",
    "positional-index",
    "error",
    what="A place is picked without naming the axis.",
    why="Axes have no order here.",
    bad="let y = x[0]",
    good="let y = x[task = 0]",
)
code(
    "LL027",
    "operation-without-argument",
    "error",
    what="An operation along axes has no argument.",
    why="`f[axes]` needs what it works on; a pick is written `x[axis = place]`.",
    bad="let y = mean[batch]",
    good="let y = mean[batch](x)",
)
code(
    "LL028",
    "array-without-axis",
    "error",
    what="An array does not say along which axis it lies.",
    why="Every axis has a name.",
    bad="let y = [1, 2, 3]",
    good="let y = [1, 2, 3] along item",
)
code(
    "LL029",
    "python-conditional",
    "error",
    what="A choice is written as in Python.",
    why="Here a choice reads `if condition then a else b`.",
    bad="let y = 1 if 2 > 1 else 3",
    good="let y = if 2 > 1 then 1 else 3",
)
code(
    "LL030",
    "python-lambda",
    "error",
    what="A function without a name.",
    why="Functions are definitions with names; there are no values that are functions.",
    bad="let y = lambda x: x",
    good="def f(x) = x",
)
code(
    "LL031",
    "bare-choice",
    "error",
    what="An `if`, `let` or `not` inside another expression stands without parentheses.",
    why="How far it reaches would be easy to misread.",
    bad="let y = 1 + if 2 > 1 then 1 else 3",
    good="let y = 1 + (if 2 > 1 then 1 else 3)",
)
code(
    "LL032",
    "if-without-else",
    "error",
    what="A choice has no `else`.",
    why="Every choice has two sides: a value must be there either way.",
    bad="let y = if 2 > 1 then 1",
    good="let y = if 2 > 1 then 1 else 0",
)
code(
    "LL033",
    "if-without-then",
    "error",
    what="A choice has no `then`.",
    why="Nothing else separates the condition from what follows.",
    bad="let y = if 2 > 1: 3 else 4",
    good="let y = if 2 > 1 then 3 else 4",
)
code(
    "LL034",
    "let-without-in",
    "error",
    what="A `let` inside an expression has no `in`.",
    why="Nothing else separates its values from the expression that uses them.",
    bad="def f(x) = let a = 1 a + x",
    good="def f(x) = let a = 1 in a + x",
)
code(
    "LL035",
    "unary-plus",
    "error",
    what="A plus sign stands before a value.",
    why="It does nothing, and is often what a deleted operand has left.",
    bad="let y = +3",
    good="let y = 3",
)
code(
    "LL036",
    "positional-after-named",
    "error",
    what="An argument without a name follows one with a name.",
    why="Which parameter it is for would be a guess.",
    bad="let y = f(delta = 1, x)",
    good="let y = f(x, delta = 1)",
)
code(
    "LL037",
    "second-text",
    "error",
    what="A statement has two documentation strings.",
    why="Only one can be kept.",
    bad='let x = 1 "one" "two"',
    good='let x = 1 "one, two"',
)
code(
    "LL038",
    "trailing-comma",
    "error",
    what="A comma stands before the end of a list.",
    why="It is often what a deleted item has left.",
    bad="let y = f(a, b,)",
    good="let y = f(a, b)",
)
code(
    "LL039",
    "too-deep",
    "error",
    what="Brackets, signs, powers or branches are nested more than 100 deep.",
    why="Such expressions cannot be read, and they exhaust the tools that try.",
    bad="let y = " + "-" * 101 + "1",
    good="let y = -1",
)
code(
    "LL040",
    "file-too-large",
    "error",
    what="A spec has more than 1 MB.",
    why="Specs are written by people; a larger one is another kind of file.",
)
code(
    "LL041",
    "not-utf8",
    "error",
    what="A file is not UTF-8 text.",
    why="What its bytes mean would be a guess.",
)
code(
    "LL042",
    "too-many",
    "error",
    what="There are more syntax mistakes than are shown.",
    why="The first ones usually cause the others.",
    bad="\n".join(f"let = {i}" for i in range(40)),
    good="let x = 1",
)
code(
    "LL043",
    "outside-brackets",
    "error",
    what="A mask or a weight stands outside of the brackets of an operation.",
    why="It says over which places the operation goes, and stands with the axes.",
    bad="let y = mean[batch](x) where m",
    good="let y = mean[batch where m](x)",
)
code(
    "LL044",
    "several-in-one",
    "error",
    what="A comma follows a whole statement, as if it went on to name another thing.",
    why="Each statement names one thing, and begins with its keyword.",
    bad="let a = 1, b = 2",
    good="let a = 1\nlet b = 2",
)
code(
    "LL045",
    "missing-kind",
    "error",
    what="A hyperparameter or an input does not say what kind of number it is.",
    why="Every number has a kind; only parameters of a definition may leave it out.",
    bad="hyper margin = 0.5",
    good="hyper margin : real = 0.5",
)
code(
    "LL046",
    "over-several",
    "error",
    what="`over` names several axes.",
    why="A distribution that is declared lies along one axis.",
    bad="input z : logit[n, a, b] over (a, b)",
    good="input z : logit[n, a, b]",
)
code(
    "LL047",
    "empty-brackets",
    "error",
    what="Brackets hold no axis.",
    why="What works on each element takes no brackets.",
    bad="def f[](x) = x",
    good="def f(x) = x",
)
code(
    "LL090",
    "unreadable",
    "error",
    what="A file cannot be read.",
    why="It is missing, is a folder, or may not be read.",
)
