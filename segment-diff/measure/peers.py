"""Compares two line files with a peer: peers.py PEER PREVIOUS CURRENT ADDED REMOVED

Each form is the fastest one known for its peer that gives a set difference of lines. Peers that
assume unique lines are given distinct ones first when the name ends in `-distinct`.
"""

import sys


def duckdb_connection():
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET preserve_insertion_order = false")
    return connection


def duckdb_lines(path, distinct):
    if path.endswith(".parquet"):
        source = f"SELECT k FROM read_parquet('{path}')"
    else:
        source = (
            f"SELECT k FROM read_csv('{path}', columns = {{'k': 'VARCHAR'}}, header = false, "
            "delim = '\x01', quote = '', escape = '', auto_detect = false)"
        )
    return source.replace("SELECT k", "SELECT DISTINCT k") if distinct else source


def duckdb_copy(connection, query, path):
    options = "(FORMAT csv, HEADER false, DELIMITER '\x01', QUOTE '', ESCAPE '')"
    connection.execute(f"COPY ({query}) TO '{path}' {options}")


def duckdb_full_join(previous, current, added, removed, distinct=False):
    """One FULL OUTER JOIN, which reads and builds once for both answers."""
    connection = duckdb_connection()
    previous, current = (duckdb_lines(side, distinct) for side in (previous, current))
    connection.execute(
        f"CREATE TEMP TABLE d AS SELECT p.k AS p, c.k AS c FROM ({previous}) p "
        f"FULL OUTER JOIN ({current}) c ON p.k = c.k WHERE p.k IS NULL OR c.k IS NULL"
    )
    duckdb_copy(connection, "SELECT c FROM d WHERE p IS NULL", added)
    duckdb_copy(connection, "SELECT p FROM d WHERE c IS NULL", removed)


def duckdb_full_join_distinct(previous, current, added, removed):
    duckdb_full_join(previous, current, added, removed, distinct=True)


def duckdb_except(previous, current, added, removed):
    connection = duckdb_connection()
    previous, current = (duckdb_lines(side, False) for side in (previous, current))
    duckdb_copy(connection, f"{current} EXCEPT {previous}", added)
    duckdb_copy(connection, f"{previous} EXCEPT {current}", removed)


def duckdb_parquet(previous, current, *_):
    """Not a comparison: writes both sides as Parquet files beside the text ones."""
    connection = duckdb_connection()
    for side in (previous, current):
        target = side.replace(".txt", ".parquet")
        source = duckdb_lines(side, False).replace("VARCHAR", "UBIGINT")
        connection.execute(f"COPY ({source}) TO '{target}' (FORMAT parquet)")


def polars_anti(previous, current, added, removed):
    import polars

    def read(path):
        return polars.read_csv(
            path, has_header=False, separator="\x01", quote_char=None, schema={"k": polars.String}
        )

    previous, current = read(previous), read(current)
    options = {"include_header": False, "quote_style": "never"}
    current.join(previous, on="k", how="anti").write_csv(added, **options)
    previous.join(current, on="k", how="anti").write_csv(removed, **options)


def python_set(previous, current, added, removed):
    def read(path):
        with open(path, "rb") as lines:
            return {line.rstrip(b"\n") for line in lines}

    previous, current = read(previous), read(current)
    for path, members in ((added, current - previous), (removed, previous - current)):
        with open(path, "wb") as out:
            out.writelines(member + b"\n" for member in members)


if __name__ == "__main__":
    peer, *files = sys.argv[1:]
    globals()[peer.replace("-", "_")](*files)
