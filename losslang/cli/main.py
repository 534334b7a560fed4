"""The entry point, and the one table of commands."""

from __future__ import annotations

import importlib
import io
import sys
from typing import Any

import click

from losslang import __version__
from losslang.cli.failures import reported

#: name: (module of losslang.cli, one line for ``losslang --help``)
COMMANDS = {
    "check": ("check", "Judge specs: kinds, axes, objective."),
    "fmt": ("fmt", "Write specs in the one layout."),
    "test": ("test", "Run the worked examples of specs, or of the whole library."),
    "verify": ("verify", "Test a compiled loss against its guarantees."),
    "explain": ("explain", "Tell what a spec, a definition or a code means."),
    "compile": ("compile", "Write a module that needs only its backend."),
    "run": ("run", "Evaluate a loss on a batch of data."),
    "list": ("list", "List the library."),
    "new": ("new", "Print a commented spec to start from."),
    "schema": ("schema", "Print the JSON Schema of specs, or of the inputs of one."),
}


class Commands(click.Group):
    """A group that imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"losslang.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, short) for name, (_, short) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        with reported():
            return super().invoke(ctx)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message="losslang %(version)s")
def cli() -> None:
    """Losses written as mathematics, checked and compiled for NumPy, PyTorch and JAX.

    Exit status: 0 without errors, 1 problems found, 2 wrong usage.
    """


def main() -> None:
    """Run the command line with the arguments of this process, then exit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                errors="replace"
            )  # formulas must not crash a terminal that lacks their letters
    cli(prog_name="losslang")


if __name__ == "__main__":
    main()
