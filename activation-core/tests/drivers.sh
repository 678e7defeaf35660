#!/usr/bin/env bash
# Brings what tests load into a directory: packages of fixed versions and contents, by the ordinary
# clients and wherever these are set up to look. Does nothing where all is there.
# Usage: drivers.sh DIRECTORY [NAME]...     without names, the drivers of warehouses that need no server
set -euo pipefail
directory=$1
shift
[ $# -gt 0 ] || set -- sqlite postgresql duckdb
mkdir -p "$directory"
cd "$directory"

# Tests of several processes may want the same at once.
exec 9>lock
flock 9

[[ $(uname -sm) == 'Linux x86_64' ]] || { echo "no drivers are known for $(uname -sm)" >&2; exit 1; }

# The content of a wheel, in a directory NAME.
unpacked() {
    local name=$1 package=$2 version=$3 hash=$4
    [[ -e $name ]] && return
    local made="made.$name"
    rm -rf "$made" && mkdir "$made"
    echo "$package==$version --hash=sha256:$hash" >"$made/requirements"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --require-hashes --requirement "$made/requirements" --dest "$made"
    python3 -m zipfile -e "$made"/*.whl "$made/content"
    mv "$made/content" "$name"
    rm -rf "$made"
}

# What pip makes of a package, in a directory NAME.
installed() {
    local name=$1 package=$2 version=$3 hash=$4
    [[ -e $name ]] && return
    local made="made.$name"
    rm -rf "$made" && mkdir "$made"
    echo "$package==$version --hash=sha256:$hash" >"$made/requirements"
    python3 -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
        --requirement "$made/requirements" --target "$made/content"
    mv "$made/content" "$name"
    rm -rf "$made"
}

# A wheel with one library, which becomes NAME.so.
wheel() {
    local name=$1
    [[ -e $name.so ]] && return
    rm -rf "wheel.$name"
    unpacked "wheel.$name" "${@:2}"
    mv "wheel.$name"/*/*.so "$name.so"
    rm -rf "wheel.$name"
}

# A package of npm with one library, which becomes NAME.so.
node() {
    local name=$1 package=$2 version=$3 hash=$4 library=$5
    [[ -e $name.so ]] && return
    local made="made.$name"
    rm -rf "$made" && mkdir "$made"
    (cd "$made" && npm pack --silent "$package@$version" >/dev/null)
    echo "$hash  $(echo "$made"/*.tgz)" | sha256sum --check --quiet
    tar -xzf "$made"/*.tgz -C "$made" "package/$library"
    mv "$made/package/$library" "$name.so"
    rm -rf "$made"
}

# The content of a package of Debian's, in a directory NAME. Of the version that the machine knows of.
debian() {
    local name=$1 package=$2
    [[ -e $name ]] && return
    local made="made.$name"
    rm -rf "$made" && mkdir "$made"
    # Where there is no way to the packages, that is to be known soon.
    (cd "$made" && apt-get -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 -o Acquire::Retries=1 \
        download --quiet "$package" >/dev/null)
    dpkg -x "$made"/*.deb "$made/content"
    mv "$made/content" "$name"
    rm -rf "$made"
}

for name in "$@"; do
    case $name in
        sqlite) wheel sqlite adbc-driver-sqlite 1.13.0 \
            fb51f307cb3c45aa5476c84eae83781079939832f35dd54611dbe6095627ca3d ;;
        postgresql) wheel postgresql adbc-driver-postgresql 1.13.0 \
            a86819ba7c79b1d067c4a5344358b4d346bab58e888d7879ed2b25d97cc59ba1 ;;
        duckdb) node duckdb @duckdb/node-bindings-linux-x64 1.5.6-r.1 \
            1b9f82478539bb9a1d1df44bd103121a12ae52142c07158dc52b97d2ec1d69ff libduckdb.so ;;
        flightsql) wheel flightsql adbc-driver-flightsql 1.13.0 \
            1199552b5cfe3349554a972c372fcaa2ecfdfac27b942c8ddf8c3bf798690c31 ;;
        # A distributed engine that speaks Spark's SQL.
        sail) unpacked sail pysail 0.7.2 \
            0c1557ece17e5e277c6f16fa54697e2546717f463add2b8e2f0d5e10a9d92012 ;;
        # Apache Spark, and a driver for its own protocol.
        spark) installed spark pyspark 4.3.0 \
            e8c517948eff7088a7aa07449aa8eafa4a15a8d50319de2525a6fd26622476c6 ;;
        spark-connect) wheel spark-connect adbc-driver-spark 0.3.0 \
            d0aea98bfa425d802b8bcb2dfae0dba5f9d1d1f730e3241e6b043cd318d1212d ;;
        # ClickHouse as a library of Python's.
        clickhouse) unpacked clickhouse chdb-core 26.9.0 \
            707e2ec3fe0f7953bac97942eaeb7a1ed1d66b1e56ecef3f0aa2130f61f6e735 ;;
        mariadb) debian mariadb mariadb-server-core ;;
        pymysql) unpacked pymysql PyMySQL 1.2.4 \
            e169bed906168fffd0088925f45b3df024c2775c6fd128da0df773d47c458840 ;;
        sqlglot) unpacked sqlglot sqlglot 30.31.0 \
            51a876a43edecf8ee6fd4c872cf6713d899c4234256bba0be96a8c7c8d8781e8 ;;
        *) echo "nothing is known of $name" >&2; exit 1 ;;
    esac
done
