"""What people and machines get to read: one module per output format.

Diagnostics are data; these modules turn them into text and know nothing of the language.
``formula`` turns a model expression into Unicode and LaTeX. Nothing here prints.
"""
