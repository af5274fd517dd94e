#!/usr/bin/env bash
# Builds libloranative.a into $1 against oneDNN unpacked in $2; what is loaded at run time goes to $3.
# Called by Maven.
set -euo pipefail
cd "$(dirname "$0")"
cmake -S . -B "$1" -DDNNL_DIR="$2" -DCMAKE_BUILD_TYPE=None >"$1.configure.log" 2>&1 ||
  { cat "$1.configure.log"; exit 1; }
cmake --build "$1" -j"$(nproc)" -- --no-print-directory
mkdir -p "$3"
cp "$1/libloranative_environment.so" "$3"
# The linker wants bare names.
ln -sf libdnnl.so.3 "$2/libdnnl.so"
ln -sf libgomp.so.1 "$2/libgomp.so"
