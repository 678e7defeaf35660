"""Prints the lines that all.sh gives as a table in Markdown: medians, by source and run.

Usage: python3 table.py FILE
"""

import collections
import json
import statistics
import sys

groups = collections.defaultdict(list)
with open(sys.argv[1]) as lines:
    for line in map(json.loads, lines):
        key = line["members"], line["run"], line["source"], line["tables"]
        groups[key].append(line)


def median(key, what):
    return statistics.median(line[what] for line in groups[key])


print("| members | run | source | | rows out | MiB out | wall s | our CPU s | our peak MiB |")
print("|---|---|---|---|---|---|---|---|---|")
for key in sorted(groups, key=lambda key: (key[0], key[1] != "unchanged", list(groups).index(key))):
    members, run, source, tables = key
    how = "difference there" if tables else "in full"
    mib = median(key, "bytes") / 2**20
    print(
        f"| {members:,} | {run} | {source} | {how} | {median(key, 'rows'):,.0f} | {mib:.1f} "
        f"| {median(key, 'seconds'):.2f} | {median(key, 'cpu_seconds'):.2f} "
        f"| {median(key, 'peak_mib'):.0f} |"
    )
