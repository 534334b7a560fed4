"""Which definitions a file can see: its own, those of its imports, the library's.

A file's own definition shadows an imported one, which shadows the library's. Imports are
relative, stay inside the folder of the importing file, and make no cycles.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from losslang import model as m
from losslang.checker.report import Reporter
from losslang.checker.walking import introduced_axes
from losslang.diagnostics import Related
from losslang.parse import decode, library, parse

MAX_BYTES = 1_000_000
Definition = m.Def | m.Extern
T = TypeVar("T", Definition, m.Dist)


def _singles(
    declared: tuple[m.AxisRef, ...], given: tuple[m.AxisRef, ...]
) -> list[tuple[m.AxisRef, m.AxisRef]]:
    """What a call gives for each axis of a definition that is no pack: a pack takes what the others leave."""
    before = next((place for place, ref in enumerate(declared) if ref.pack), len(declared))
    after = len(declared) - before - 1
    if after < 0:
        pairs = list(zip(declared, given, strict=True)) if len(declared) == len(given) else []
    elif len(given) < before + after:
        pairs = []
    else:
        pairs = list(zip(declared[:before], given[:before], strict=True))
        pairs += zip(declared[before + 1 :], given[len(given) - after :], strict=True)
    return [(own, ref) for own, ref in pairs if not ref.pack]


@dataclass
class Module:
    """A file's definitions by name. ``is_user`` is False for the shipped library."""

    path: str | None
    is_user: bool = True
    defs: dict[str, Definition] = field(default_factory=dict)
    dists: dict[str, m.Dist] = field(default_factory=dict)
    kls: dict[tuple[str, str], m.Kl] = field(default_factory=dict)
    imports: list[Module] = field(default_factory=list)
    made: dict[str, set[str]] = field(default_factory=dict)

    def find_def(self, name: str) -> tuple[Definition, Module] | None:
        for module in (self, *self.imports):
            if name in module.defs:
                return module.defs[name], module
        found = library.definition(name)
        return (found, LIBRARY) if found else None

    def brought_in(self, call: m.Call) -> list[str]:
        """The axes that a call may give a name to: any of an extern, those that a definition makes itself."""
        found = self.find_def(call.function)
        if found is None or call.along is None:
            return []
        definition, given = found[0], call.along.axes
        if isinstance(definition, m.Extern):
            return [ref.name for ref in given if not ref.pack]
        made = found[1].axes_made(definition)
        return [ref.name for own, ref in _singles(definition.axes, given) if own.name in made]

    def axes_made(self, definition: m.Def) -> set[str]:
        """Axes of one of its definitions that no parameter has, and its text makes."""
        if definition.name not in self.made:
            self.made[definition.name] = set()  # for a definition that calls itself
            of_params = {r.name for p in definition.params if p.kind is not None for r in p.kind.axes or ()}
            self.made[definition.name] = set(introduced_axes(definition.body, self.brought_in)) - of_params
        return self.made[definition.name]

    def find_dist(self, name: str) -> tuple[m.Dist, Module] | None:
        for module in (self, *self.imports):
            if name in module.dists:
                return module.dists[name], module
        found = library.distribution(name)
        return (found, LIBRARY) if found else None

    def find_kl(self, left: str, right: str) -> tuple[m.Kl, Module] | None:
        for module in (self, *self.imports):
            if (left, right) in module.kls:
                return module.kls[left, right], module
        found = library.divergence(left, right)
        return (found, LIBRARY) if found else None

    def def_names(self) -> set[str]:
        own = {name for module in (self, *self.imports) for name in module.defs}
        return own | set(library.names()["def"])

    def dist_names(self) -> set[str]:
        own = {name for module in (self, *self.imports) for name in module.dists}
        return own | set(library.names()["dist"])


def is_shipped(path: str | None) -> bool:
    """Whether a file is one of the library's own, which may hold rewrite rules."""
    return path is not None and Path(path).resolve().is_relative_to(library.FOLDER.resolve())


LIBRARY = Module("<library>", is_user=False)


def build_module(file: m.File, path: str | None, reporter: Reporter, chain: tuple[Path, ...] = ()) -> Module:
    """The definitions of ``file``, with those of the files it imports; problems are reported."""
    module = Module(path)
    _collect(module, file, reporter)
    here = (*chain, Path(path).resolve()) if path else chain
    for statement in file.statements:
        if isinstance(statement, m.Import):
            imported = _import(statement, path, reporter, here)
            if imported is not None:
                _refuse_clashes(module, imported, statement, reporter)
                module.imports.append(imported)
    return module


def _collect(module: Module, file: m.File, reporter: Reporter) -> None:
    for statement in file.statements:
        if isinstance(statement, (m.Def, m.Extern)):
            _define(module.defs, statement.name, statement, "function", reporter)
        elif isinstance(statement, m.Dist):
            _define(module.dists, statement.name, statement, "distribution", reporter)
        elif isinstance(statement, m.Kl):
            key = (statement.left, statement.right)
            if key in module.kls:
                reporter.add(
                    "LL106", f"the divergence of `{key[0]}` from `{key[1]}` is given twice", statement.span
                )
            module.kls[key] = statement


def _define(table: dict[str, T], name: str, new: T, what: str, reporter: Reporter) -> None:
    if name in table:
        first = Related("first defined here", table[name].span, reporter.path)
        reporter.add(
            "LL106", f"the {what} `{name}` is defined twice", new.span, "rename one of them", related=(first,)
        )
    table[name] = new


def _refuse_clashes(module: Module, imported: Module, statement: m.Import, reporter: Reporter) -> None:
    for other in module.imports:
        for name in sorted((other.defs.keys() & imported.defs.keys()) - module.defs.keys()):
            if other.defs[name] != imported.defs[name]:
                reporter.add(
                    "LL106",
                    f"`{name}` is defined in two imported files, `{other.path}` and `{imported.path}`",
                    statement.span,
                    "rename one of them, or define it in this file, which shadows both",
                )


def _import(
    statement: m.Import, path: str | None, reporter: Reporter, chain: tuple[Path, ...]
) -> Module | None:
    target = _resolve(statement, path, reporter)
    if target is None:
        return None
    if target in chain:
        names = " → ".join(p.name for p in (*chain[chain.index(target) :], target))
        reporter.add(
            "LL108",
            f"imports go in a circle: {names}",
            statement.span,
            "move what both need into a third file",
        )
        return None
    try:
        raw = _read(target)
    except OSError as problem:
        reason = problem.strerror or "it cannot be read"
        reporter.add(
            "LL107", f'cannot import "{statement.path}": {reason.lower()}', statement.span,
            "imports are paths relative to the importing file",
        )  # fmt: skip
        return None
    text = decode(raw, str(target))
    inner = Reporter(str(target))
    if isinstance(text, str):
        file, problems = parse(text, str(target))
        inner.diagnostics.extend(problems)
        module = build_module(file or m.File.make(), str(target), inner, chain)
    else:
        inner.diagnostics.append(text)
        module = Module(str(target))
    reporter.diagnostics.extend(inner.diagnostics)
    return module


def _read(target: Path) -> bytes:
    """At most a byte more than a spec may have, of a regular file: a pipe could keep us waiting."""
    if target.exists() and not target.is_file():
        raise OSError(0, "not a file")
    with target.open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def _resolve(statement: m.Import, path: str | None, reporter: Reporter) -> Path | None:
    if path is None:
        reporter.add(
            "LL107", f'cannot import "{statement.path}": a spec given as text has no folder to import from',
            statement.span, "save the spec as a file, or paste the definitions that it needs",
        )  # fmt: skip
        return None
    folder = Path(path).resolve().parent
    try:
        target = (folder / statement.path).resolve()
        inside = target.is_relative_to(folder)
    except (OSError, ValueError, RuntimeError):
        reporter.add(
            "LL107", f'"{statement.path}" is no usable path', statement.span, "write a relative path"
        )
        return None
    if not inside or Path(statement.path).is_absolute() or target.suffix != ".loss":
        reporter.add(
            "LL109",
            f'"{statement.path}" is not a .loss file inside the folder of the importing file',
            statement.span,
            "imports are relative paths of .loss files that stay in the importing file's folder",
        )
        return None
    return target
