"""Is the sketch of `segment-diff`, made by one aggregate in the warehouse, cheaper than reading the segment?

Without the right to make tables a run reads every identifier. Instead the warehouse could sum up its
members into a sketch, of which the record's is subtracted here; what is left says which digests are new,
and a second query fetches their identifiers. This measures what that would cost, in DuckDB and PostgreSQL.

Needs Python with pip, and PostgreSQL's server. Brings DuckDB's package into a directory below `target`.
Usage: python3 experiment.py MEMBERS [CHURN]
"""

import glob
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
PACKAGES = ROOT / "target" / "tmp" / "sketch-packages"

members = int(sys.argv[1])
churn = float(sys.argv[2]) if len(sys.argv) > 2 else 0.01
#: Who came and who left, as many each.
differences = int(2 * members * churn)
#: As `Shape::for_differences` has it, about: 1.25 cells for each difference, in three sub-arrays.
cells = max(16, differences * 5 // 12)
changed = members // int(1 / churn)
segment = f"SELECT email FROM people WHERE n >= {changed}"
secret = "0123456789abcdef"

#: The definition in the docs of `segment_diff::sketch`, with what an engine has for digests.
PLACES = """
{digests},
placed AS (
    SELECT a, b, a // 1073741824 * {m} // 1073741824 AS place FROM member UNION ALL
    SELECT a, b, {m} + a % 1073741824 * {m} // 1073741824 FROM member UNION ALL
    SELECT a, b, 2 * {m} + b // 1073741824 * {m} // 1073741824 FROM member)
SELECT place, COUNT(*), SUM(a), SUM(b),
    SUM((a % 2147483647) * (a % 2147483647) + (b % 2147483647) * (b % 2147483647))
FROM placed GROUP BY place"""


def report(engine, what, seconds, rows, size):
    line = {"engine": engine, "members": members, "churn": churn, "what": what}
    line |= {"seconds": round(seconds, 3), "rows": rows, "bytes": size}
    print(json.dumps(line), flush=True)


def timed(work):
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def duckdb():
    if not PACKAGES.exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(PACKAGES)]
        subprocess.run([*pip, "duckdb==2.0.0", "pyarrow"], check=True)
    sys.path.insert(0, str(PACKAGES))
    import duckdb

    engine = duckdb.connect()
    engine.execute("SET threads TO 2")
    engine.execute(
        "CREATE TABLE people AS SELECT n, printf('first.last%08d@mail.example.com', n) AS email "
        f"FROM range(0, {members + changed}) numbers(n)"
    )

    def read(sql):
        rows = size = 0
        for batch in engine.execute(sql).to_arrow_reader(65_536):
            rows, size = rows + batch.num_rows, size + batch.nbytes
        return rows, size

    hexadecimal = f"md5('{secret}' || email)"
    number = f"md5_number('{secret}' || email)"
    digests = {
        # Each branch of the union computes the digests again, and reads digits as numbers.
        "sketch, digits, computed three times": f"""WITH member AS NOT MATERIALIZED (
            SELECT ('0x' || substr(h, 1, 15))::BIGINT AS a, ('0x' || substr(h, 16, 15))::BIGINT AS b
            FROM (SELECT DISTINCT {hexadecimal} AS h FROM ({segment})))""",
        "sketch, digits, computed once": f"""WITH member AS MATERIALIZED (
            SELECT ('0x' || substr(h, 1, 15))::BIGINT AS a, ('0x' || substr(h, 16, 15))::BIGINT AS b
            FROM (SELECT DISTINCT {hexadecimal} AS h FROM ({segment})))""",
        "sketch, numbers, computed once": f"""WITH member AS MATERIALIZED (
            SELECT (h & 1152921504606846975)::BIGINT AS a, ((h >> 64) & 1152921504606846975)::BIGINT AS b
            FROM (SELECT DISTINCT {number}::UHUGEINT AS h FROM ({segment})))""",
        "sketch, numbers, repetitions not looked for": f"""WITH member AS MATERIALIZED (
            SELECT (h & 1152921504606846975)::BIGINT AS a, ((h >> 64) & 1152921504606846975)::BIGINT AS b
            FROM (SELECT {number}::UHUGEINT AS h FROM ({segment})))""",
    }
    yield "reading in full", lambda: read(segment)
    yield "digests alone", lambda: read(f"SELECT MAX({number}) FROM ({segment})")
    for what, member in digests.items():
        yield what, lambda member=member: read(PLACES.format(digests=member, m=cells))
    engine.execute(
        f"CREATE TABLE wanted AS SELECT {hexadecimal} AS h FROM people WHERE n >= {members}"
    )
    wanted = "SELECT h FROM wanted"
    yield "fetching those who came", lambda: read(f"{segment} AND {hexadecimal} IN ({wanted})")


def postgresql():
    binaries = os.environ.get("PG_BIN") or sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
    with tempfile.TemporaryDirectory() as directory:
        user = {}
        if os.getuid() == 0:
            os.chown(directory, 65534, 65534)
            user = {"user": 65534, "group": 65534, "extra_groups": []}
        data = f"{directory}/data"
        initdb = [f"{binaries}/initdb", "-U", "postgres", "-A", "trust", "--locale=C", "-D", data]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd="/", **user)
        server = [f"{binaries}/postgres", "-D", data, "-k", directory, "-c", "listen_addresses="]
        server += ["-c", "work_mem=256MB", "-c", "jit=off"]
        log = open(f"{directory}/log", "w")
        process = subprocess.Popen(server, stderr=log, cwd="/", **user)
        try:
            psql = [f"{binaries}/psql", "-X", "-q", "-h", directory, "-U", "postgres", "-c"]
            while subprocess.run([*psql, "SELECT 1"], capture_output=True).returncode:
                time.sleep(0.1)

            def read(sql):
                copied = subprocess.Popen([*psql, f"COPY ({sql}) TO STDOUT"], stdout=subprocess.PIPE)
                rows = size = 0
                while block := copied.stdout.read(1 << 20):
                    rows, size = rows + block.count(b"\n"), size + len(block)
                assert copied.wait() == 0
                return rows, size

            subprocess.run(
                [*psql, "CREATE TABLE people AS SELECT n, 'first.last' || lpad(n::text, 8, '0') || "
                 f"'@mail.example.com' AS email FROM generate_series(0, {members + changed - 1}) n"],
                check=True,
            )
            subprocess.run([*psql, "VACUUM ANALYZE people"], check=True)
            digest = f"md5('{secret}' || email)"
            part = "('x' || substr(h, {}, 15))::bit(60)::bigint"
            member = f"""WITH member AS MATERIALIZED (
                SELECT {part.format(1)} AS a, {part.format(16)} AS b
                FROM (SELECT DISTINCT {digest} AS h FROM ({segment}) s) t)"""
            places = PLACES.replace("//", "/")
            yield "reading in full", lambda: read(segment)
            yield "digests alone", lambda: read(f"SELECT MAX({digest}) FROM ({segment}) s")
            yield (
                "sketch, digits, computed once",
                lambda: read(places.format(digests=member, m=cells)),
            )
            subprocess.run(
                [*psql, f"CREATE TABLE wanted AS SELECT {digest} AS h FROM people WHERE n >= {members}"],
                check=True,
            )
            wanted = "SELECT h FROM wanted"
            yield "fetching those who came", lambda: read(f"{segment} AND {digest} IN ({wanted})")
        finally:
            process.kill()
            process.wait()


for engine in (duckdb, postgresql):
    for what, work in engine():
        best = min((timed(work) for _ in range(3)), key=lambda result: result[0])
        report(engine.__name__, what, best[0], *best[1])
