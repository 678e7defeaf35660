#!/usr/bin/env bash
# Measures `activate` over real HTTP against the simulator in a process of its own, where each job
# takes one second: a first run of MEMBERS people, a run in which 1 % left and 1 % entered, and a run
# without changes.
# Needs GNU time for the peak memory. Usage: examples/measure/activate.sh [MEMBERS] [ROUNDS]
set -euo pipefail
cd "$(dirname "$0")/../.."
members=${1:-100000} rounds=${2:-3}
changed=$((members / 100))

cargo build --release --example activate --example dotdigital_simulator
bin=$(pwd)/target/release/examples
work=$(mktemp -d)
trap 'kill "${simulator:-0}" 2>/dev/null || true; rm -rf "$work"' EXIT

people() { echo email; seq -f 'first.last%08.0f@mail.example.com' "$1" "$2"; }

cat >"$work/activate.toml" <<TOML
[state]
directory = "state"
[destination]
endpoint = "ENDPOINT"
user_env = "DOTDIGITAL_USER"
password_env = "DOTDIGITAL_PASSWORD"
[[activation]]
segment = "everybody"
source = { kind = "csv", path = "segment.csv", column = "email" }
TOML
echo '{"job_seconds": 1}' >"$work/account.json"
export DOTDIGITAL_USER='apiuser-simulator@example.com' DOTDIGITAL_PASSWORD='simulator'

run() {
    /usr/bin/time -f "$1: %e s, %M KiB" "$bin/activate" --config "$work/run.toml" \
        >"$work/out" 2>"$work/time" || { cat "$work/out" "$work/time"; exit 1; }
    tail -1 "$work/time"
    awk '/ calls: /{calls += $NF} END {print "   calls: " calls}' "$work/out"
}

for round in $(seq "$rounds"); do
    echo "round $round, $members members"
    rm -rf "$work/state"
    "$bin/dotdigital_simulator" --account "$work/account.json" >"$work/simulator" &
    simulator=$!
    until grep -qs listening "$work/simulator"; do sleep 0.05; done
    endpoint=$(grep -o 'http://[0-9.:]*' "$work/simulator" | head -1)
    sed "s|ENDPOINT|$endpoint|" "$work/activate.toml" >"$work/run.toml"
    people 1 "$members" >"$work/segment.csv"
    run 'first run'
    people "$((changed + 1))" "$((members + changed))" >"$work/segment.csv"
    run '1 percent left, 1 percent entered'
    run 'no change'
    kill "$simulator"
    wait "$simulator" 2>/dev/null || true
done
