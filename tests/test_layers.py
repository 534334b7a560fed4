"""The order of the rooms: a module imports only what stands below it.

Imports inside functions count as well; those for type checkers alone do not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

#: From the bottom up. A room is a module or a package of losslang; those of one line may import each other.
ORDER = [
    ["source"],
    ["diagnostics", "interval"],
    ["errors", "codes"],
    ["ops", "ir"],
    ["ranges", "kinds"],
    ["model", "lowered", "program"],
    ["grammar", "specs"],
    ["parse", "format"],
    ["checker"],
    ["spec"],
    ["rewrite", "differentiate", "cotangent", "pullbacks", "weights", "demand", "cut", "listing"],
    ["backends", "truth"],
    ["runtime"],
    ["parts", "programs"],
    ["compiler"],
    ["devices"],
    ["worked", "verify"],
    ["render"],
    ["standalone"],
    ["cli"],
]
LEVEL = {room: level for level, rooms in enumerate(ORDER) for room in rooms}

#: What reaches up on purpose: (module, room that it imports) and why.
EXCEPTIONS = {
    ("format", "parse"): "format_text reads what it prints",
    ("checker", "spec"): "check_source loads the spec it judges",
    ("spec", "checker"): "a spec is checked as it is loaded",
}

#: What a room must not know, whatever the order allows.
FORBIDDEN = {
    "render": {"checker", "rewrite", "backends", "runtime", "compiler"},
    "truth": {"rewrite", "backends", "runtime", "compiler"},
    "rewrite": {"backends", "runtime"},
    "backends": {"parse", "checker", "model", "rewrite", "runtime"},
}

FRAMEWORKS = {"numpy", "torch", "jax", "scipy", "matplotlib", "rich"}

#: Modules that are imported only once their framework is in use.
FRAMEWORK_MODULES = (
    "runtime/torch_", "runtime/jax_", "runtime/numpy_", "runtime/validation.py",
    "truth/", "verify/", "_helpers.py", "_special.py",
)  # fmt: skip


def files() -> list[tuple[str, Path]]:
    """Every module with the room it belongs to."""
    found = []
    for folder, prefix in ((ROOT / "losslang", ""), (ROOT / "backends", "backends"), (ROOT / "grammar", "grammar"),
                           (ROOT / "specs", "specs")):  # fmt: skip
        for path in sorted(folder.rglob("*.py")):
            room = prefix or path.relative_to(folder).parts[0].removesuffix(".py")
            if room != "__init__":
                found.append((room, path))
    return found


def imports(path: Path, inside_functions: bool = True) -> Iterator[str]:
    """The modules that a file imports when it runs."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            stack.extend(node.orelse)
            continue
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not inside_functions:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            if node.module == "losslang":
                yield from (f"losslang.{alias.name}" for alias in node.names)
            else:
                yield node.module
        elif isinstance(node, ast.ImportFrom) and node.level:
            yield "losslang.<relative>"
        stack.extend(ast.iter_child_nodes(node))


def rooms_used(path: Path) -> set[str]:
    used = {name.split(".")[1] for name in imports(path) if name.startswith("losslang.")}
    return {room for room in used if room in LEVEL or room == "<relative>"}


def test_every_room_has_a_place() -> None:
    assert sorted({room for room, _ in files()} - set(LEVEL)) == []
    assert sorted(set(LEVEL) - {room for room, _ in files()}) == []


@pytest.mark.parametrize(("room", "path"), files(), ids=[str(p.relative_to(ROOT)) for _, p in files()])
def test_imports_go_down(room: str, path: Path) -> None:
    used = rooms_used(path) - {room}
    assert "<relative>" not in used, "imports are absolute"
    up = {u for u in used if LEVEL[u] > LEVEL[room] and (room, u) not in EXCEPTIONS}
    assert sorted(up) == []
    assert sorted(used & FORBIDDEN.get(room, set())) == []


def test_exceptions_are_needed() -> None:
    used = {(room, other) for room, path in files() for other in rooms_used(path)}
    assert sorted(set(EXCEPTIONS) - used) == []


@pytest.mark.parametrize(("room", "path"), files(), ids=[str(p.relative_to(ROOT)) for _, p in files()])
def test_no_framework_is_imported_with_a_module(room: str, path: Path) -> None:
    if any(part in path.as_posix() for part in FRAMEWORK_MODULES):
        return
    loaded = {name.split(".")[0] for name in imports(path, inside_functions=False)}
    assert sorted(loaded & FRAMEWORKS) == []


def test_no_room_is_imported_under_its_folder_name() -> None:
    bare = {
        (path.name, name)
        for _, path in files()
        for name in imports(path)
        if name.split(".")[0] in ("backends", "grammar", "specs")
    }
    assert bare == set()
