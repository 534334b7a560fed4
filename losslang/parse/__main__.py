"""``python -m losslang.parse``: make the parse tables anew, after a change of the grammar."""

from losslang.parse import tables

tables.write()
