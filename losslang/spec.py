"""A spec as users hold it: loaded from text, a path or JSON, checked, ready to compile."""

from __future__ import annotations

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from losslang.diagnostics import Diagnostic
from losslang.errors import SpecError

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema

    from losslang import model as m
    from losslang.lowered import LoweredLoss, Signature

Source = "str | PathLike[str] | bytes | Mapping[str, Any] | Spec | m.File"
MAX_BYTES = 1_000_000


class Spec:
    """A parsed spec with every diagnostic found. Also usable as a field type of a pydantic model,
    which then accepts a text, a path, or the JSON form as a dict, and refuses a spec with errors.

    ``file`` is the syntax model, ``path`` is None for a text, ``text`` is None for a spec from JSON.
    """

    __slots__ = ("diagnostics", "file", "path", "text")

    def __init__(
        self,
        file: m.File,
        path: str | None = None,
        text: str | None = None,
        diagnostics: tuple[Diagnostic, ...] = (),
    ) -> None:
        self.file = file
        self.path = path
        self.text = text
        self.diagnostics = diagnostics

    @classmethod
    def read(cls, source: Any) -> Spec:
        """Parse and check without raising on a bad spec; see ``diagnostics``."""
        if isinstance(source, Spec):
            return source
        text, path, problem = _text_of(source)
        if problem is not None:
            return cls(_empty(), path, None, (problem,))
        if not isinstance(text, str):
            return _checked(text, path, None, [])
        if path is not None and path.endswith(".json"):
            return cls._from_json(text, path)
        from losslang.parse import parse

        file, problems = parse(text, path)
        return _checked(file or _empty(), path, text, problems)

    @classmethod
    def load(cls, source: Any) -> Spec:
        """Like :meth:`read`, but raises SpecError where the spec has errors."""
        spec = cls.read(source)
        errors = [d for d in spec.diagnostics if d.is_error]
        if errors:
            raise SpecError(spec.diagnostics)
        return spec

    @classmethod
    def _from_json(cls, text: str, path: str) -> Spec:
        file, problem = _file_from_json(text, path)
        return _checked(file, path, None, []) if problem is None else cls(_empty(), path, None, (problem,))

    def losses(self) -> list[str]:
        """The names of the losses, in order."""
        from losslang.checker import loss_names

        return loss_names(self.file)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(d for d in self.diagnostics if d.is_error)

    def choose(self, loss: str | None) -> str:
        """The loss of that name, or the only one. Raises SpecError where the choice is not clear."""
        names = self.losses()
        if loss is None and len(names) == 1:
            return names[0]
        if loss in names and loss is not None:
            return loss
        from losslang.checker.suggest import did_you_mean, listing

        if loss is None:
            message = (
                "the file holds no loss" if not names else f"the file holds several losses: {listing(names)}"
            )
            help = "add `loss NAME`" if not names else f'say which: `loss="{names[0]}"`'
        else:
            message = f"there is no loss `{loss}` in this file"
            help = did_you_mean(loss, names) or f"its losses are {listing(names)}"
        raise SpecError([Diagnostic("LL113", "error", message, help=help, path=self.path)])

    def elaborate(self, loss: str | None = None, signature: Signature | None = None) -> LoweredLoss:
        """The loss as a graph. Raises SpecError where it has errors."""
        from losslang.checker import elaborate_file

        if self.errors:
            raise SpecError(self.diagnostics)
        lowered, found = elaborate_file(self.file, self.path, self.choose(loss), signature)
        if lowered is None:
            raise SpecError(found)
        return lowered

    def to_json(self) -> str:
        """The syntax model as JSON; ``losslang.load`` and ``losslang check`` read it back."""
        return self.file.model_dump_json()

    def __repr__(self) -> str:
        where = self.path or "text"
        return f"<Spec {', '.join(self.losses()) or 'without losses'} from {where}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Spec) and (self.file, self.path) == (other.file, other.path)

    def __hash__(self) -> int:
        return hash((self.file, self.path))

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (
            self.to_json() if self.text is None else None,
            self.text,
            self.path,
            self.diagnostics,
        )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema

        def validate(value: Any) -> Spec:
            try:
                return cls.load(value)
            except SpecError as error:
                raise ValueError(str(error)) from error
            except TypeError as error:
                raise ValueError(str(error)) from error

        def serialize(spec: Spec) -> Any:
            if spec.path is not None:
                return spec.path
            return spec.text if spec.text is not None else json.loads(spec.to_json())

        return core_schema.no_info_plain_validator_function(
            validate, serialization=core_schema.plain_serializer_function_ser_schema(serialize)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "title": "Spec",
            "description": "A losslang spec: its text, the path of a .loss file, or its JSON model",
            "anyOf": [{"type": "string"}, {"type": "object"}],
        }


def _restore(
    as_json: str | None, text: str | None, path: str | None, diagnostics: tuple[Diagnostic, ...]
) -> Spec:
    from losslang.model import File
    from losslang.parse import parse

    if text is not None:
        file = parse(text, path)[0] or _empty()
    else:
        assert as_json is not None
        file = File.model_validate_json(as_json)
    return Spec(file, path, text, diagnostics)


def _empty() -> m.File:
    from losslang.model import File

    return File.make()


def _checked(file: m.File, path: str | None, text: str | None, problems: list[Diagnostic]) -> Spec:
    """A file with syntax errors is checked as far as it was understood."""
    from losslang.checker import check_file

    found = check_file(file, path)
    if any(d.is_error for d in problems):
        found = [d for d in found if d.is_error and not _caused_by_gaps(d)]
    return Spec(file, path, text, tuple(sorted([*problems, *found], key=Diagnostic.sort_key)))


def _caused_by_gaps(diagnostic: Diagnostic) -> bool:
    """A statement that could not be read may have held the missing name or objective."""
    return diagnostic.code in (
        "LL101",
        "LL102",
        "LL103",
        "LL105",
        "LL113",
        "LL115",
        "LL118",
        "LL216",
        "LL230",
    )


def _text_of(source: Any) -> tuple[Any, str | None, Diagnostic | None]:
    """The text of a source (or a File), its path, and what went wrong."""
    from losslang.model import File

    if isinstance(source, File):
        return source, None, None
    if isinstance(source, Mapping):
        file, problem = _file_from_json(json.dumps(source), None)
        return file, None, problem
    if isinstance(source, bytes):
        return (*_decoded(source, None),)
    if isinstance(source, PathLike) or (isinstance(source, str) and _looks_like_path(source)):
        return _read_file(str(source))
    if isinstance(source, str):
        return source, None, None
    raise TypeError(f"a spec is a text, a path, a dict or a Spec, not {type(source).__name__}")


def _looks_like_path(source: str) -> bool:
    return "\n" not in source and source.strip().endswith((".loss", ".json")) and len(source) < 4096


def _read_file(path: str) -> tuple[Any, str | None, Diagnostic | None]:
    try:
        with Path(path).open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or "not a usable path"
        message = f"cannot read `{path}`: {reason.lower()}"
        return (
            None,
            path,
            Diagnostic("LL107", "error", message, help="give the path of a .loss file", path=path),
        )
    return _decoded(raw, path)


def _decoded(raw: bytes, path: str | None) -> tuple[Any, str | None, Diagnostic | None]:
    from losslang.parse import decode

    text = decode(raw, path)
    return (text, path, None) if isinstance(text, str) else (None, path, text)


def _file_from_json(text: str, path: str | None) -> tuple[m.File, Diagnostic | None]:
    from pydantic import ValidationError

    from losslang.model import File

    try:
        return File.model_validate_json(text), None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        message = f"this JSON is no losslang model: {first['msg'].lower()} at {place or 'the top'}"
        help = "`losslang schema` prints the JSON schema of a spec"
        return _empty(), Diagnostic("LL090", "error", message, help=help, path=path)
