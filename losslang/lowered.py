"""A checked loss as a graph: what the checker hands to the compiler."""

from __future__ import annotations

from dataclasses import dataclass, field

from losslang.interval import Interval
from losslang.ir import Graph, Node
from losslang.kinds import Kind


@dataclass(frozen=True)
class Signature:
    """What only a call can tell of a loss with packs of axes or collections.

    ``ranks``: the number of axes of each pack, by the pack's name (for ``parameter[*]`` the
    input's name). ``members``: for each collection its keys, with the rank of every member.
    """

    ranks: tuple[tuple[str, int], ...] = ()
    members: tuple[tuple[str, tuple[tuple[str, int], ...]], ...] = ()


@dataclass(frozen=True)
class Leaf:
    """One array of an input: the only one (``key`` None), or the member of a collection at ``key``."""

    key: str | None
    node: Node
    axes: tuple[str, ...]


@dataclass(frozen=True)
class LoweredInput:
    """``axes`` as declared (packs as ``*name``); a leaf's ``axes`` are those of the graph, in order."""

    name: str
    kind: Kind
    axes: tuple[str, ...]
    leaves: tuple[Leaf, ...]
    collection: bool = False
    doc: str = ""


@dataclass(frozen=True)
class Schedule:
    """``linear``, ``cosine``, ``exponential`` from ``start`` to ``end`` over ``steps``, or ``constant``."""

    form: str
    start: float
    end: float
    steps: float


NestedFloats = float | tuple["NestedFloats", ...]


@dataclass(frozen=True)
class LoweredHyper:
    """A hyperparameter: a scalar input of the graph, or an array over ``axes``."""

    name: str
    kind: Kind
    axes: tuple[str, ...]
    node: Node
    default: NestedFloats | Schedule
    interval: Interval
    doc: str = ""


@dataclass(frozen=True)
class LoweredTerm:
    """``weight`` is None where ``minimize`` does not use the term."""

    name: str
    node: Node
    weight: Node | None
    doc: str = ""


@dataclass(frozen=True)
class LoweredReport:
    """``axes`` in order of first appearance in the inputs, then renames."""

    name: str
    node: Node
    kind: Kind
    axes: tuple[str, ...]
    doc: str = ""


@dataclass(frozen=True)
class LoweredLoss:
    """``total`` is the sum of weight times term, plus ``offset`` where minimize has a part without terms.

    ``fixed`` holds the axes whose size a file fixes; ``constant_picks`` holds (axis, index) of picks
    at constants, to be checked against the axis when inputs are bound; ``equal_sizes`` holds pairs
    of axes that one name makes equally long.
    """

    name: str
    graph: Graph
    inputs: tuple[LoweredInput, ...]
    hypers: tuple[LoweredHyper, ...]
    terms: tuple[LoweredTerm, ...]
    offset: Node | None
    total: Node
    reports: tuple[LoweredReport, ...]
    fixed: dict[str, int] = field(default_factory=dict)
    places: dict[str, tuple[str, ...]] = field(default_factory=dict)
    constant_picks: tuple[tuple[str, int], ...] = ()
    equal_sizes: tuple[tuple[str, str], ...] = ()
    doc: str = ""
    needs_signature: bool = False
