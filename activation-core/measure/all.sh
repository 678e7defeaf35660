#!/usr/bin/env bash
# Measures everything that BENCHMARKS.md shows: each run in a process of its own, all of a round in
# turn. Lines are appended to measure/results.jsonl; then the chart and the tables are made from them.
# Usage: activation-core/measure/all.sh [ROUNDS] [MEMBERS]...
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=${1:-3}
shift || true
sizes=("$@")
[ $# -gt 0 ] || sizes=(10000 100000 1000000 10000000)

cargo build --release -p activation-core --example runs --example runs_chart
runs=target/release/examples/runs
results=activation-core/measure/results.jsonl
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for round in $(seq "$rounds"); do
    for members in "${sizes[@]}"; do
        echo "round $round, $members members" >&2
        for run in first changed unchanged; do
            "$runs" thin "$run" "$members" "$work/thin" >>"$results"
            "$runs" keyed "$run" "$members" "$work/keyed" >>"$results"
        done
        "$runs" reading "$members" >>"$results"
        if [ "$members" -le 100000 ]; then
            "$runs" simulator "$members" "$work/simulator" >>"$results"
        fi
        if [ "$round" = 1 ] && [ "$members" -le 100000 ]; then
            for limit in 35 150 1000; do "$runs" calls "$members" "$limit" >>"$results"; done
        fi
        rm -rf "$work"/*
    done
done
target/release/examples/runs_chart "$results" activation-core/measure/growth.svg
