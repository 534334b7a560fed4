"""``losslang explain``: what a spec, a definition of the library, or a code means."""

from __future__ import annotations

import os
import re

import click


@click.command("explain")
@click.argument("what", metavar="SPEC|NAME|CODE")
@click.option("--loss", help="Only this loss of a file.")
def command(what: str, loss: str | None) -> None:
    """Explain a spec (a file, or -), a definition of the library, or a code such as LL201."""
    if re.fullmatch(r"LL\d{3}", what, re.IGNORECASE):
        click.echo(_code(what.upper()), nl=False)
    elif what == "-" or what.endswith((".loss", ".json")) or os.path.exists(what):
        from losslang.cli.explain_spec import explain
        from losslang.cli.targets import load_spec

        click.echo(explain(load_spec(what), loss), nl=False)
    else:
        from losslang.cli.explain_name import explain as explain_name

        click.echo(explain_name(what), nl=False)


def _code(code: str) -> str:
    from losslang import codes
    from losslang.cli.failures import Usage

    try:
        return codes.explain(code)
    except KeyError:
        raise Usage(f"no diagnostic has the code {code}; see docs/diagnostics.md") from None
