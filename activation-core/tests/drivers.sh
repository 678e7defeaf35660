#!/usr/bin/env bash
# Brings the ADBC drivers that tests load into a directory: packages of fixed versions and contents,
# by the ordinary clients and wherever these are set up to look. Does nothing where all is there.
set -euo pipefail
directory=$1
mkdir -p "$directory"
cd "$directory"

# Tests of several processes may want the same at once.
exec 9>lock
flock 9

[[ $(uname -sm) == 'Linux x86_64' ]] || { echo "no drivers are known for $(uname -sm)" >&2; exit 1; }

# A wheel with one library, which becomes NAME.so.
wheel() {
    local name=$1 package=$2 version=$3 hash=$4
    [[ -e $name.so ]] && return
    local made="made.$name"
    rm -rf "$made" && mkdir "$made"
    echo "$package==$version --hash=sha256:$hash" >"$made/requirements"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --require-hashes --requirement "$made/requirements" --dest "$made"
    python3 -m zipfile -e "$made"/*.whl "$made/content"
    mv "$made"/content/*/*.so "$name.so"
    rm -rf "$made"
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

wheel sqlite adbc-driver-sqlite 1.13.0 \
    fb51f307cb3c45aa5476c84eae83781079939832f35dd54611dbe6095627ca3d
wheel postgresql adbc-driver-postgresql 1.13.0 \
    a86819ba7c79b1d067c4a5344358b4d346bab58e888d7879ed2b25d97cc59ba1
node duckdb @duckdb/node-bindings-linux-x64 1.5.6-r.1 \
    1b9f82478539bb9a1d1df44bd103121a12ae52142c07158dc52b97d2ec1d69ff libduckdb.so
