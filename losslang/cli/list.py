"""``losslang list``: what the library holds, by group, tag or words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click


@dataclass(frozen=True)
class Entry:
    """A definition of the library as the listing needs it."""

    name: str
    group: str
    what: str
    summary: str
    tags: tuple[str, ...]

    def matches(self, words: tuple[str, ...]) -> bool:
        text = " ".join(
            (self.name, self.name.replace("_", " "), self.group, self.summary, *self.tags)
        ).lower()
        return all(word.lower() in text for word in words)


@click.command("list")
@click.argument("search", nargs=-1)
@click.option("--group", help="Only this group, such as regression.")
@click.option("--tag", help="Only entries with this tag, such as robust.")
@click.option("--format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(search: tuple[str, ...], group: str | None, tag: str | None, format: str) -> None:
    """List the losses, distributions and other definitions of the library.

    SEARCH words must all occur in the name, the summary or the tags.
    """
    from losslang.cli.failures import Problem, Usage

    entries = _entries()
    groups = sorted({e.group for e in entries})
    if group is not None and group not in groups:
        raise Usage(f"no group is called {group!r}; there are {', '.join(groups)}")
    chosen = [e for e in entries if group in (None, e.group) and e.matches(search)]
    if tag is not None:
        chosen = [e for e in chosen if tag.lower() in (t.lower() for t in e.tags)]
    if format == "json":
        _print_json(chosen)
    elif chosen:
        _print_text(chosen)
    if not chosen:
        raise Problem("nothing matches")


def _entries() -> list[Entry]:
    from losslang import model as m
    from losslang.parse import library
    from losslang.render.docfields import read

    entries = []
    for group, file in library.all_files():
        for statement in file.statements:
            if isinstance(statement, (m.Def, m.Dist)):
                doc = read(statement.doc)
                what = "dist" if isinstance(statement, m.Dist) else "def"
                entries.append(Entry(statement.name, group, what, doc.headline, doc.tags))
    return entries


def _print_json(entries: list[Entry]) -> None:
    import json
    from dataclasses import asdict

    rows: list[dict[str, Any]] = [asdict(e) for e in entries]
    click.echo(json.dumps(rows, indent=2, ensure_ascii=False))


def _print_text(entries: list[Entry]) -> None:
    width = max(len(e.name) for e in entries)
    group = None
    for entry in entries:
        if entry.group != group:
            group = entry.group
            click.echo(click.style(group, bold=True))
        click.echo(f"  {entry.name:<{width}}  {entry.summary}")
