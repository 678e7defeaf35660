#!/usr/bin/env bash
# Measures runs over warehouses, read in full and with the difference computed there, and prints a line
# of JSON for each: the variants in turn, each run a process of its own. Needs PostgreSQL's server, Python
# with pip, npm, and Debian's packages.
# Usage: activation-core/measure/warehouses/all.sh MEMBERS [ROUNDS]
set -euo pipefail
cd "$(dirname "$0")/../../.."
members=$1
rounds=${2:-3}

cargo build --release --workspace --all-features --locked --example warehouses
program=$PWD/target/release/examples/warehouses
work=$(mktemp -d)
chmod 755 "$work"
export DRIVERS=$PWD/target/tmp/adbc-drivers
activation-core/tests/drivers.sh "$DRIVERS"
activation-core/tests/drivers.sh "$DRIVERS" flightsql sail clickhouse mariadb pymysql

finish() {
    exec 7>&- 8>&-
    kill ${postgres:-} ${mariadb:-}
    wait
    rm -rf "$work"
}
trap finish EXIT

# PostgreSQL, which refuses to run as root.
binaries=${PG_BIN:-$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)}
as_nobody=()
mkdir "$work/postgres"
if [ "$(id -u)" = 0 ]; then
    chown 65534:65534 "$work/postgres"
    as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi
"${as_nobody[@]}" "$binaries/initdb" -U postgres -A trust -E UTF8 --locale=C -D "$work/postgres/data" >/dev/null
"${as_nobody[@]}" "$binaries/postgres" -D "$work/postgres/data" -k "$work/postgres" -c listen_addresses= \
    2>"$work/postgres.log" &
postgres=$!
until "$binaries/pg_isready" -q -h "$work/postgres"; do sleep 0.1; done
url="postgresql://postgres@$(printf %s "$work/postgres" | sed 's|/|%2F|g')/postgres"

# MariaDB, without accounts.
mkdir "$work/mariadb"
files=$DRIVERS/mariadb/usr/share/mysql
"$DRIVERS/mariadb/usr/sbin/mariadbd" --no-defaults --user="$(id -un)" --datadir="$work/mariadb" \
    --skip-grant-tables --skip-networking --socket="$work/mariadb.socket" --lc-messages-dir="$files" \
    --character-sets-dir="$files/charsets" --innodb-buffer-pool-size=1G 2>"$work/mariadb.log" &
mariadb=$!
until [ -S "$work/mariadb.socket" ]; do sleep 0.1; done

# Sail with so many workers, each with one slot, as the descriptor $2; its port goes to `port`.
sail() {
    mkfifo "$work/sail$1"
    PYTHONPATH=$DRIVERS/sail SAIL_CLUSTER__WORKER_INITIAL_COUNT=$1 SAIL_CLUSTER__WORKER_MAX_COUNT=$1 \
        SAIL_CLUSTER__WORKER_TASK_SLOTS=4 \
        python3 activation-core/tests/engines/sail.py <"$work/sail$1" >"$work/port$1" 7>&- 8>&- &
    eval "exec $2>'$work/sail$1'"
    until [ -s "$work/port$1" ]; do sleep 0.1; done
    port=$(cat "$work/port$1")
}
sail 1 7
one_worker=$port
sail 2 8
two_workers=$port

declare -A places=(
    [csv]=$work/people.csv [sqlite]=$work/people.db [postgres]=$url [adbc-postgres]=$url
    [duckdb]=$work/warehouse.duckdb [sail1]=$one_worker [sail2]=$two_workers
    [clickhouse]=$work/clickhouse [mariadb]=$work/mariadb.socket
)
# Or those that VARIANTS names, with csv:full among them.
variants="${VARIANTS:-csv:full sqlite:full sqlite:tables postgres:full postgres:tables adbc-postgres:full duckdb:full \
    duckdb:tables sail1:full sail1:tables sail2:full sail2:tables clickhouse:tables mariadb:tables}"
for source in sqlite postgres duckdb sail1 sail2 clickhouse mariadb; do
    [[ " $variants" != *" $source:"* ]] ||
        "$program" fill "${source%[12]}" "$members" "${places[$source]}"
done

run() {
    local variant=$1 run=$2 source=${1%:*} how=${1#*:}
    "$program" run "${source%[12]}" "$how" "$run" "$members" "${places[$source]}" "$work/state.$variant" |
        sed "s/\"source\":\"sail\"/\"source\":\"$source\"/"
}
# What is in the state does not depend on where the members came from. A run that finds no table makes
# one, where not too many are new.
run csv:full first >/dev/null
run csv:full changed >/dev/null
for variant in $variants; do
    [ "$variant" = csv:full ] || cp -r "$work/state.csv:full" "$work/state.$variant"
    run "$variant" unchanged >/dev/null
done
for _ in $(seq "$rounds"); do
    for run in unchanged back changed; do
        for variant in $variants; do run "$variant" "$run"; done
    done
done
