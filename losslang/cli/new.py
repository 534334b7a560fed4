"""``losslang new``: a commented spec for a task, from ``specs/tasks``."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import click

from losslang.cli.failures import Usage

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


@click.command("new")
@click.argument("task", required=False)
@click.option("-o", "--output", type=click.Path(dir_okay=False, allow_dash=True), help="Write to this file.")
def command(task: str | None, output: str | None) -> None:
    """Print a commented spec for TASK; without TASK, list the tasks.

    \b
    losslang new ranking -o ranking.loss
    """
    tasks = {_name(file): file for file in _files()}
    if task is None:
        _show(tasks)
        return
    wanted = task.strip().lower().replace("_", "-").replace(" ", "-")
    if wanted not in tasks:
        raise Usage(_unknown(task, wanted, list(tasks)))
    _write(tasks[wanted].read_text(encoding="utf-8"), output)


def _files() -> list[Traversable]:
    folder = resources.files("losslang.specs.tasks")
    return sorted((f for f in folder.iterdir() if f.name.endswith(".loss")), key=_name)


def _name(file: Traversable) -> str:
    return file.name.removesuffix(".loss")


def _show(tasks: dict[str, Traversable]) -> None:
    """Names with what each is for; a person is also told how to go on."""
    width = max(map(len, tasks))
    for name, file in tasks.items():
        first = file.read_text(encoding="utf-8").split("\n", 1)[0]
        click.echo(f"{name:<{width}}  {first.removeprefix('#').strip()}")
    click.echo("\nChoose one: losslang new TASK [-o FILE]", err=True)


def _unknown(task: str, wanted: str, known: list[str]) -> str:
    from difflib import get_close_matches

    near = [name for name in known if wanted in name] or get_close_matches(wanted, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else "'losslang new' lists the tasks"
    return f"no task is called {task!r}: {hint}"


def _write(text: str, output: str | None) -> None:
    if output is None or output == "-":
        click.echo(text, nl=False)
        return
    try:
        with open(output, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise Usage(f"{output!r} exists already") from None
    click.echo(f"wrote {output}", err=True)
