#!/usr/bin/env python3
"""Whole-process comparisons: two files in, two files out, everything counted.

    python3 segment-diff/measure/compare.py TABLE [--runs N] [--members N] [--churn SHARE]

Builds what it runs, installs DuckDB and Polars with pip into a virtual environment, generates the
data, runs all commands of the table in turn (A B C A B C ...), one round of warm-up first, and
checks that all of them found the same sets. Prints a markdown table of medians and writes every
single run to target/measure/results/TABLE.json. What cannot be run is reported and left out.
"""

import argparse
import hashlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
PROGRAMS = TARGET / "release" / "examples"
WORK = TARGET / "measure"
PYTHON = WORK / "python" / "bin" / "python"


class Data:
    """Two memberships, generated once and kept: previous and current, in all forms asked for."""

    def __init__(self, kind="emails", members=10**7, churn=0.01, repeated=1, seed=7):
        self.kind, self.members, self.churn, self.repeated = kind, members, churn, repeated
        self.name = f"{kind} {members:.0e} {churn:.2%}" + (f" x{repeated}" if repeated > 1 else "")
        self.directory = WORK / "data" / f"{kind}-{members}-{churn}-{repeated}-{seed}"
        self.arguments = [kind, str(members), str(churn), str(repeated), str(seed)]

    def sides(self, form="txt"):
        return [str(self.directory / f"{side}.{form}") for side in ("previous", "current")]

    def make(self, forms):
        done = self.directory / "complete"
        if not done.exists():
            shutil.rmtree(self.directory, ignore_errors=True)
            self.directory.mkdir(parents=True)
            run([PROGRAMS / "generate_members", *self.arguments, self.directory])
            done.touch()
        for form in forms:
            if all(Path(side).exists() for side in self.sides(form)):
                continue
            if form == "sorted":
                for text, sorted_ in zip(self.sides(), self.sides("sorted")):
                    command = ["sort", "-u", "-S", "1G", "-T", self.directory]
                    run([*command, text, "-o", sorted_], env={**os.environ, "LC_ALL": "C"})
            elif form == "stored":
                previous, current = self.sides()
                stored, link = self.sides("stored")
                room = str(int(3 * self.members * self.churn) + 100)
                run([PROGRAMS / "stored", "make", previous, stored, stored + ".sketch", room])
                os.symlink(current, link)
            elif form == "parquet":
                run([PYTHON, HERE / "peers.py", "duckdb-parquet", *self.sides()])


class Command:
    """One way to compare: `arguments` takes the files previous, current, added, removed."""

    def __init__(self, name, arguments, form="txt", checked=True, afterwards=None):
        self.name, self.arguments, self.form = name, arguments, form
        self.checked, self.afterwards = checked, afterwards


# Commands


def ours(engine, memory="8GiB", threads=2, form="txt", name=None):
    name = name or f"**{engine}**, {threads} threads" + ("" if memory == "8GiB" else f", {memory}")
    name = name.replace("1 threads", "1 thread")
    return Command(
        name,
        lambda *files: [PROGRAMS / "engines", engine, size(memory), str(threads), *files],
        form,
    )


def since(kind, *options, name):
    """Of the previous side only what was stored of it is at hand; so removed are fingerprints."""
    suffix = ".sketch" if kind == "sketch" else ""
    return Command(
        name,
        lambda previous, *rest: [PROGRAMS / "stored", kind, *options, previous + suffix, *rest],
        "stored",
        checked="added",
    )


def scan(threads=2, form="txt"):
    threads = str(threads)
    return Command(
        f"scan: count line feeds, {threads} thread{'s' if threads != '1' else ''}",
        lambda previous, current, *_: [PROGRAMS / "baselines", "scan", threads, previous, current],
        form,
        checked=False,
    )


def baseline(kind, name):
    return Command(name, lambda *files: [PROGRAMS / "baselines", kind, *files])


def integers(kind, threads, name):
    return Command(name, lambda *files: [PROGRAMS / "integers", kind, threads, *files], "u64")


def peer(kind, name, form="txt"):
    return Command(name, lambda *files: [PYTHON, HERE / "peers.py", kind, *files], form)


def shell(script, name, form="txt"):
    return Command(name, lambda *files: ["sh", "-c", script, "sh", *files], form)


def sort_and_comm(memory):
    sort = f"LC_ALL=C sort -u -S {memory}"
    script = (
        f'{sort} "$1" -o "$3.p" && {sort} "$2" -o "$3.c" && export LC_ALL=C && '
        'comm -13 "$3.p" "$3.c" >"$3" && comm -23 "$3.p" "$3.c" >"$4" && rm "$3.p" "$3.c"'
    )
    return shell(script, f"`sort -u -S {memory}` twice, `comm` twice")


def comm_sorted():
    def split(added, removed):
        # Lines of the current side alone are indented by a tab.
        lines = Path(added).read_bytes().split(b"\n")
        Path(added).write_bytes(b"\n".join(line[1:] for line in lines if line[:1] == b"\t"))
        Path(removed).write_bytes(b"\n".join(line for line in lines if line[:1] != b"\t"))

    command = shell('LC_ALL=C exec comm -3 "$1" "$2" >"$3"', "`comm -3`, one pass", "sorted")
    command.afterwards = split
    return command


DUCKDB = peer("duckdb-full-join", "DuckDB, one FULL OUTER JOIN")
DUCKDB_DISTINCT = peer("duckdb-full-join-distinct", "DuckDB, one FULL OUTER JOIN of DISTINCT")
DUCKDB_EXCEPT = peer("duckdb-except", "DuckDB, EXCEPT both ways")
POLARS = peer("polars-anti", "Polars, anti join both ways")
PYTHON_SET = peer("python-set", "Python `set`")
HASHBROWN = baseline("hashbrown", "hashbrown + foldhash, slices")
FNV = baseline("fnv", "hashbrown + FNV-1a, slices")
STD_SET = baseline("std_set", "std `HashSet<String>`")
SORT_SLICES = baseline("sort", "`sort_unstable` of slices, 2 threads, merge")
SCANS = [scan(2), scan(1)]
ENGINES = [
    ours("partition"),
    ours("partition", threads=1),
    ours("partition", "64MiB"),
    ours("spill", "64MiB"),
]


# Tables: a list of (data, commands); each pair is one table below the other.


def table_peers(options):
    data = Data(members=options.members or 10**7, churn=options.churn or 0.01)
    bounded = [ours("partition", "16MiB"), ours("spill", "16MiB"), ours("sketch", "32MiB")]
    peers = [HASHBROWN, DUCKDB, DUCKDB_EXCEPT, POLARS, PYTHON_SET, sort_and_comm("64M")]
    return [(data, SCANS + ENGINES + bounded + peers + [SORT_SLICES, STD_SET])]


def table_sizes(options):
    sizes = [options.members] if options.members else [10**5, 10**6, 10**7]
    commands = SCANS + ENGINES + [HASHBROWN]
    with_python = commands + [DUCKDB]
    # Below a million members a Python-hosted peer is mostly its interpreter's start.
    return [
        (Data(members=members), with_python if members >= 10**6 else commands) for members in sizes
    ]


def table_largest(options):
    data = Data(members=options.members or 10**8, churn=options.churn or 0.01)
    bounded = [ours("partition", "128MiB"), ours("partition", "64MiB"), ours("sketch", "256MiB")]
    return [(data, [scan(2), ours("partition"), *bounded, ours("spill", "64MiB"), DUCKDB])]


def table_largest_peers(options):
    data = Data(members=options.members or 10**8, churn=options.churn or 0.01)
    return [(data, [scan(2), ours("partition", "64MiB"), sort_and_comm("256M")])]


def table_churn(options):
    least = [ours(engine, "16MiB", 1) for engine in ("partition", "sketch")]
    commands = SCANS + ENGINES + least + [ours("sketch", "64MiB"), DUCKDB]
    shares = [options.churn] if options.churn else [0.0001, 0.001, 0.003, 0.01, 0.03, 0.1]
    return [(Data(members=options.members or 10**7, churn=share), commands) for share in shares]


def table_sorted(options):
    scans = [scan(2, "sorted"), scan(1, "sorted")]
    merges = [ours("merge", threads=threads, form="sorted") for threads in (2, 1)]
    shares = [options.churn] if options.churn else [0.001, 0.01, 0.1]
    members = options.members or 10**7
    return [(Data(members=members, churn=share), scans + merges + [comm_sorted()]) for share in shares]


def table_stored(options):
    memory = size("1GiB")
    commands = [
        scan(2),
        scan(1),
        ours("partition"),
        since("snapshot", memory, "2", name="**stored snapshot**, 2 threads"),
        since("snapshot", memory, "1", name="**stored snapshot**, 1 thread"),
        since("sketch", "2", name="**stored sketch**, 2 threads, the next one written"),
        since("sketch", "1", name="**stored sketch**, 1 thread, the next one written"),
        DUCKDB,
    ]
    shares = [options.churn] if options.churn else [0.001, 0.01]
    members = options.members or 10**7
    return [(Data(members=members, churn=share), commands) for share in shares]


def table_shapes(options):
    members = options.members or 10**6
    shapes = [
        Data(members=members, churn=0.001),
        Data(members=members, churn=0.3),
        Data(members=members, churn=1.0),
        Data(members=members, churn=0.1, repeated=20),
        Data("colliding", members=min(members, 10**7)),
    ]
    tables = [(data, SCANS + ENGINES + [HASHBROWN, DUCKDB_DISTINCT]) for data in shapes]
    # What a weak hash does to a table of slices: at 1e5 already, and quadratic from there.
    weak = Data("colliding", members=10**5)
    return tables + [(weak, [scan(2)] + ENGINES + [HASHBROWN, FNV])]


def table_identifiers(options):
    members = options.members or 10**7
    phones = SCANS + ENGINES + [ours("spill", "16MiB"), HASHBROWN, DUCKDB, POLARS]
    ids = SCANS + ENGINES + [DUCKDB, POLARS]
    return [(Data("phones", members), phones), (Data("ids", members), ids)]


def table_integers(options):
    members = options.members or 10**7
    raw = [
        integers("tables", "2", "**`ValueSides`**, 2 threads"),
        integers("tables", "1", "**`ValueSides`**, 1 thread"),
        integers("slices", "2", "**`diff_values`**, 2 threads"),
        integers("sort", "2", "`sort_unstable` on 2 threads, merge"),
        peer("duckdb-full-join", "DuckDB, one FULL OUTER JOIN, Parquet", "parquet"),
    ]
    # In random order a bitmap of sparse ids takes minutes.
    bitmap = [integers("roaring", "1", "`roaring`, 1 thread")]
    return [(Data("ids", members), raw), (Data("dense_ids", members), raw + bitmap)]


def table_memory(options):
    data = Data(members=options.members or 10**7, churn=options.churn or 0.01)
    budgets = ["16MiB", "32MiB", "64MiB", "256MiB"]
    kinds = ("partition", "sketch", "spill")
    engines = [ours(engine, budget) for budget in budgets for engine in kinds]
    return [(data, [scan(2)] + engines + [sort_and_comm("64M")])]


TABLES = {
    name.removeprefix("table_").replace("_", "-"): table
    for name, table in list(globals().items())
    if name.startswith("table_")
}


# Running


def size(text):
    units = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
    return str(int(text[:-3]) * units[text[-3:]])


def run(command, **options):
    subprocess.run([str(part) for part in command], check=True, **options)


def set_up():
    examples = ["baselines", "engines", "generate_members", "integers", "measured", "stored"]
    build = ["cargo", "build", "--release", "-p", "segment-diff"]
    run([*build, *(part for name in examples for part in ("--example", name))], cwd=ROOT)
    if not PYTHON.exists():
        run([sys.executable, "-m", "venv", PYTHON.parents[1]])
    if subprocess.run([PYTHON, "-c", "import duckdb, polars"], capture_output=True).returncode:
        subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", "duckdb", "polars"])


def measure(command, data):
    """Runs once. Returns the figures with the digests of both results, or raises."""
    out = WORK / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    files = [str(out / name) for name in ("added", "removed")]
    arguments = command.arguments(*data.sides(command.form), *files)
    process = subprocess.run(
        [str(part) for part in [PROGRAMS / "measured", *arguments]],
        capture_output=True,
        text=True,
        timeout=1800,
    )
    figures = json.loads(process.stdout) if process.stdout else {"success": False}
    if not figures["success"]:
        raise RuntimeError(process.stderr.strip().splitlines()[-1:] or ["no result"])
    if command.afterwards:
        command.afterwards(*files)
    if command.checked:
        results = [digest(path) for path in files]
        figures["results"] = [found for found, _ in results]
        figures["counts"] = [count for _, count in results]
    return figures


def digest(path):
    """What stands in a file of lines, taken as a set, and how many they are."""
    with open(path, "rb") as lines:
        content = lines.read()
    members = sorted(set(content.split(b"\n")) - {b""})
    return hashlib.sha256(b"\n".join(members)).hexdigest(), len(members)


def compare(data, commands, runs):
    data.make({command.form for command in commands})
    figures, failed, expected = {command.name: [] for command in commands}, {}, None
    for turn in range(-1, runs):
        for command in commands:
            if command.name in failed:
                continue
            print(f"{data.name}: {command.name} {turn + 1}/{runs}", file=sys.stderr)
            try:
                measured = measure(command, data)
            except (RuntimeError, OSError, subprocess.SubprocessError) as error:
                failed[command.name] = str(error)
                print(f"  left out: {error}", file=sys.stderr)
                continue
            if command.checked:
                expected = expected or (command.name, measured["results"], measured["counts"])
                sides = 1 if command.checked == "added" else 2
                if measured["results"][:sides] != expected[1][:sides]:
                    failed[command.name] = (
                        f"found {measured['counts']} where {expected[0]} found {expected[2]}"
                    )
                    print(f"  WRONG: {failed[command.name]}", file=sys.stderr)
                    continue
            if turn >= 0:
                figures[command.name].append(measured)
    names = [command.name for command in commands]
    medians = {
        name: {
            key: statistics.median(run[key] for run in figures[name])
            for key in ("wall", "cpu", "peak_bytes")
        }
        for name in names
        if name not in failed and figures[name]
    }
    return {
        "data": data.name,
        "differences": expected and expected[2],
        "runs": figures,
        "medians": medians,
        "failed": failed,
    }


def markdown(result, runs):
    medians = result["medians"]
    first = next(iter(medians), None)
    rival = next((name for name in medians if name.startswith("DuckDB")), None)
    rival = rival or next((name for name in medians if "comm" in name), None)
    added, removed = result["differences"] or ("?", "?")
    lines = [
        f"{result['data']}: {added} added, {removed} removed; medians of {runs} runs in turn",
        "",
        f"| command | wall s | CPU s | peak MiB | ÷ {first} | {rival or 'rival'} ÷ it |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in medians.items():
        of_rival = f"{medians[rival]['wall'] / row['wall']:.1f}" if rival else ""
        lines.append(
            f"| {name} | {row['wall']:.3f} | {row['cpu']:.2f} | {row['peak_bytes'] / 2**20:.0f} "
            f"| {row['wall'] / medians[first]['wall']:.1f} | {of_rival} |"
        )
    lines += [f"\nLeft out: {name}: {reason}" for name, reason in result["failed"].items()]
    return "\n".join(lines) + "\n"


def machine():
    versions = subprocess.run(
        [PYTHON, "-c", "import duckdb, polars; print(duckdb.__version__, polars.__version__)"],
        capture_output=True,
        text=True,
    ).stdout.split()
    processor = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {
        "processor": processor,
        "processors": os.cpu_count(),
        "system": platform.release(),
        "duckdb": versions[0] if versions else None,
        "polars": versions[1] if versions else None,
    }


def main():
    parser = argparse.ArgumentParser(description="Compares whole processes; see the file's head.")
    parser.add_argument("table", choices=sorted(TABLES))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--members", type=lambda text: int(float(text)))
    parser.add_argument("--churn", type=float)
    options = parser.parse_args()
    set_up()
    results = []
    for data, commands in TABLES[options.table](options):
        results.append(compare(data, commands, options.runs))
        print(markdown(results[-1], options.runs), flush=True)
    target = WORK / "results" / f"{options.table}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({"machine": machine(), "tables": results}, indent=1))


if __name__ == "__main__":
    main()
