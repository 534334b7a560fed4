"""From the exceptions that a user can cause to a message and an exit status; no traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from losslang.errors import InputError, LosslangError, MissingBackend, SpecError


class Problem(click.ClickException):
    """Something is wrong with what the user handed over: exit status 1."""


class Usage(click.ClickException):
    """The command cannot be carried out as asked: exit status 2, without the usage line."""

    exit_code = 2


@contextmanager
def reported() -> Iterator[None]:
    """Turn the errors of the compiler and of the file system into what click reports."""
    try:
        yield
    except SpecError as error:
        from losslang.cli.findings import show

        show(error.diagnostics)
        raise click.exceptions.Exit(1) from error
    except MissingBackend as error:
        raise Usage(str(error)) from error
    except (InputError, LosslangError) as error:
        raise Problem(str(error)) from error
    except BrokenPipeError:
        raise  # the reader went away: click ends quietly
    except OSError as error:
        raise Usage(describe(error)) from error


def describe(error: OSError) -> str:
    """``cannot open 'x.npz': no such file or directory``."""
    reason = (error.strerror or str(error) or type(error).__name__).lower()
    return f"cannot open {str(error.filename)!r}: {reason}" if error.filename else reason
