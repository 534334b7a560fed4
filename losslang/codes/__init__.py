"""The table of diagnostics; its rows stand in a module for each family."""

from losslang.codes import lints, meaning, names, syntax
from losslang.codes.table import CODES, Code, explain, titles

__all__ = ["CODES", "Code", "explain", "lints", "meaning", "names", "syntax", "titles"]
