"""Reads scripts of SQL in the dialects that files are named after, and complains of what it cannot.

The arguments are the files.
"""

import pathlib
import sys

from sqlglot import ErrorLevel, exp, parse

#: What sqlglot calls dialects that have another name here.
NAMES = {"postgresql": "postgres"}

complaints = []
for path in map(pathlib.Path, sys.argv[1:]):
    dialect = NAMES.get(path.stem, path.stem)
    try:
        statements = parse(path.read_text(), read=dialect, error_level=ErrorLevel.RAISE)
    except Exception as error:
        complaints.append(f"{path.name}: {error}")
        continue
    # What it does not know it takes as a command of which nothing is understood.
    unknown = [one for one in statements if one is None or one.find(exp.Command)]
    complaints += [f"{path.name}: {one}" for one in unknown]
sys.exit("\n".join(complaints) or None)
