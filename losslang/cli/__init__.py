"""The command line: one module a command, each of which only parses options, calls and prints.

Exit status 0 without errors (with ``--strict``: without warnings too), 1 problems found, 2 usage.
Findings go to stdout, everything else to stderr. Commands are imported when they are called, and
they import what they need when they run: starting up must not load an array library.
"""
