"""What equality saturation would do in the rewriter's place: time and growth on formulas of ``tests/corpus``.

    pip install egglog && python benchmarks/equality_saturation.py

About twenty rules and the identities of sums and products, as egglog rewrites with costs for what computes
badly, against the rewriter on the same formulas. egglog is needed by this script only.
"""

from __future__ import annotations

import re
import statistics
import sys
import time
from pathlib import Path

from egglog.bindings import EGraph  # type: ignore[import-not-found]

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from losslang.ir import Graph, Node
from losslang.parse import parse
from losslang.rewrite import rewrite
from losslang.rewrite.adapter import Adapter, plain_make
from losslang.rewrite.printer import formula

LANGUAGE = """
(datatype E (Num f64 :cost 1) (Var String :cost 1) (Add E E :cost 3) (Mul E E :cost 2) (Neg E :cost 1) (Inv E :cost 4)
  (Exp E :cost 40) (Log E :cost 60) (Sigmoid E :cost 4) (Softplus E :cost 4) (Tanh E :cost 4) (Expm1 E :cost 4)
  (Log1mexp E :cost 5) (LogAddExp E E :cost 6) (Square E :cost 2))
"""
#: Sums and products in any order; distribution, without which no disguise is seen through.
IDENTITIES = """
(rewrite (Add a b) (Add b a)) (rewrite (Mul a b) (Mul b a))
(birewrite (Add (Add a b) c) (Add a (Add b c))) (birewrite (Mul (Mul a b) c) (Mul a (Mul b c)))
(birewrite (Mul a (Add b c)) (Add (Mul a b) (Mul a c)))
(rewrite (Neg a) (Mul (Num -1.0) a)) (rewrite (Mul (Num -1.0) a) (Neg a)) (rewrite (Neg (Neg a)) a)
(rewrite (Neg (Add a b)) (Add (Neg a) (Neg b))) (rewrite (Add (Neg a) (Neg b)) (Neg (Add a b)))
(rewrite (Add a (Num 0.0)) a) (rewrite (Mul a (Num 1.0)) a) (rewrite (Add a (Neg a)) (Num 0.0))
(rewrite (Add (Num a) (Num b)) (Num (+ a b))) (rewrite (Mul (Num a) (Num b)) (Num (* a b)))
(rewrite (Inv (Inv a)) a) (rewrite (Inv (Mul a b)) (Mul (Inv a) (Inv b))) (rewrite (Neg (Num a)) (Num (neg a)))
(birewrite (Mul a a) (Square a))
"""
RULES = """
(rewrite (Mul (Exp a) (Exp b)) (Exp (Add a b))) (rewrite (Inv (Exp a)) (Exp (Neg a)))
(rewrite (Log (Exp a)) a) (rewrite (Exp (Log a)) a)
(rewrite (Log (Mul (Sigmoid a) b)) (Add (Log (Sigmoid a)) (Log b))) (rewrite (Log (Mul (Exp a) b)) (Add a (Log b)))
(rewrite (Log (Inv a)) (Neg (Log a)))
(rewrite (Inv (Add (Num 1.0) (Exp a))) (Sigmoid (Neg a)))
(rewrite (Mul (Exp a) (Inv (Add (Num 1.0) (Exp a)))) (Sigmoid a))
(rewrite (Add (Num 1.0) (Neg (Sigmoid a))) (Sigmoid (Neg a)))
(rewrite (Log (Sigmoid a)) (Neg (Softplus (Neg a))))
(rewrite (Log (Add (Num 1.0) (Exp a))) (Softplus a))
(rewrite (Log (Add (Exp a) (Exp b))) (LogAddExp a b)) (rewrite (LogAddExp a b) (Add a (Softplus (Add b (Neg a)))))
(rewrite (Add (Softplus a) (Neg a)) (Softplus (Neg a))) (rewrite (Add (Softplus a) (Neg (Softplus (Neg a)))) a)
(rewrite (Add (Exp a) (Num -1.0)) (Expm1 a)) (rewrite (Log (Add (Num 1.0) (Neg (Exp a)))) (Log1mexp a))
(rewrite (Add (Num 1.0) (Tanh a)) (Mul (Num 2.0) (Sigmoid (Mul (Num 2.0) a))))
(rewrite (Add (Mul (Num 2.0) (Sigmoid a)) (Num -1.0)) (Tanh (Mul (Num 0.5) a)))
(rewrite (Add (Square a) (Add (Square b) (Mul (Num -2.0) (Mul a b)))) (Square (Add a (Neg b))))
"""
ROUNDS = 12
MOST_SECONDS = 10.0
#: The formula and what a stable form must not hold any more.
FORMULAS = {
    "log(sigmoid(x))": "Log Exp", "log(1 / (1 + exp(-x)))": "Log Exp", "-log(1 + exp(-x))": "Log Exp",
    "log(exp(x) / (1 + exp(x)))": "Log Exp", "x - log(1 + exp(x))": "Log Exp Add", "log(1 - sigmoid(x))": "Log Exp",
    "log(exp(-x) / (1 + exp(-x)))": "Log Exp", "log(1 - 1 / (1 + exp(x)))": "Log Exp", "log(exp(x) + 1)": "Log Exp",
    "log(1 - sigmoid(x)) - log(sigmoid(x))": "Log Exp Softplus", "log(1 + exp(x)) - x": "Log Exp",
    "log(1 + exp(x)) - log(1 + exp(-x))": "Log Exp Softplus", "exp(x) / (1 + exp(x))": "Exp",
    "sigmoid(x) * (1 - sigmoid(x))": "Exp", "exp(x) / (1 + exp(x))^2": "Exp", "2 * sigmoid(x) - 1": "Sigmoid",
    "log(exp(x) + exp(y)) - y": "Log Exp LogAddExp", "log(exp(x) / (exp(x) + exp(y)))": "Log Exp",
    "x^2 - 2 * x * y + y^2": "Mul", "log(1 - exp(-x))": "Log Exp",
}  # fmt: skip


def node_of(text: str) -> Node:
    """The formula as a graph, as it is written."""
    file, problems = parse(f'rule r(x: real)\n  "a formula" : {text} => 0\n', "formula")
    assert file is not None and not problems, problems
    graph = Graph()
    names = {name: graph.input(name, (), "real") for name in ("x", "y", "a", "b", "c", "d", "e", "f")}
    pattern = file.statements[0].pattern  # type: ignore[union-attr]
    return Adapter(graph, plain_make(graph), names, {}).build(pattern)


def term(node: Node) -> str:
    """The same for egglog."""
    if node.op == "const":
        return f"(Num {float(node.attr)!r})"
    if node.op == "input":
        return f'(Var "{node.attr[0]}")'
    args = [term(a) for a in node.args]
    if node.op == "div":
        return f"(Mul {args[0]} (Inv {args[1]}))"
    if node.op == "pow":
        return f"(Square {args[0]})"
    head = {"add": "Add", "mul": "Mul", "neg": "Neg"}.get(node.op, node.op.capitalize())
    while len(args) > 2:
        args = [f"({head} {args[0]} {args[1]})", *args[2:]]
    return f"({head} {' '.join(args)})"


def saturated(text: str, rules: str = IDENTITIES + RULES) -> tuple[float, str, int, str]:
    """Seconds, the cheapest form, the size of the e-graph, and how it ended."""
    egraph = EGraph()
    egraph.run_program(*egraph.parse_program(LANGUAGE + rules))
    start, ended, before = time.perf_counter(), f"{ROUNDS} rounds", -1
    egraph.run_program(*egraph.parse_program(f"(let $e {term(node_of(text))})"))
    for at in range(ROUNDS):
        egraph.run_program(*egraph.parse_program("(run 1)"))
        size = _size(egraph)
        if size == before:
            ended = f"saturated in {at}"
            break
        if time.perf_counter() - start > MOST_SECONDS or size > 300_000:
            ended = f"stopped in round {at + 1}"
            break
        before = size
    (found,) = egraph.run_program(*egraph.parse_program("(extract $e)"))
    return time.perf_counter() - start, str(found).strip(), _size(egraph), ended


def _size(egraph: EGraph) -> int:
    (sizes,) = egraph.run_program(*egraph.parse_program("(print-size)"))
    return sum(int(n) for n in re.findall(r"\d+(?=\)|\b)", re.sub(r"[A-Za-z]+\d+\w*", "", str(sizes))))


def rewritten(text: str) -> tuple[float, str]:
    """The rewriter's time on a fresh graph, the best of three, and its form."""
    times = []
    for _ in range(3):
        node = node_of(text)
        start = time.perf_counter()
        (better,) = rewrite([node])
        times.append(time.perf_counter() - start)
    return min(times), formula(better)


def main() -> None:
    rewritten("log(1 + exp(x))")  # compiles the rules
    theirs, ours, stable = [], [], 0
    for text, unwanted in FORMULAS.items():
        took, form, size, ended = saturated(text)
        own, better = rewritten(text)
        good = not any(f"({word} " in form for word in unwanted.split())
        theirs.append(took)
        ours.append(own)
        stable += good
        print(f"{text:40} {1e3 * own:7.2f} ms {better:28} | {1e3 * took:9.1f} ms {size:7} nodes, {ended}:"
              f" {form[:70]}{'' if good else '  NOT STABLE'}", flush=True)  # fmt: skip
    print(f"rewriter median {1e3 * statistics.median(ours):.2f} ms, most {1e3 * max(ours):.2f} ms")
    print(f"egglog median {1e3 * statistics.median(theirs):.1f} ms, most {1e3 * max(theirs):.0f} ms, "
          f"stable form extracted of {stable} of {len(FORMULAS)}")  # fmt: skip
    for count in range(2, 9):
        text = " + ".join("abcdefxy"[:count])
        took, _, size, ended = saturated(f"2 * ({text})")
        print(f"2 * a sum of {count} inputs: {1e3 * rewritten(f'2 * ({text})')[0]:.2f} ms | {1e3 * took:.0f} ms, {size} nodes, {ended}",
              flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
