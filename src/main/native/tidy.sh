#!/usr/bin/env bash
# tidy.sh CLANG_TIDY DNNL_DIR: clang-tidy by .clang-tidy's checks over the library, the launchers and kernelc.
# Not over kernels, which are no C++ of the host.
set -euo pipefail
tidy="$(realpath "$1")" dnnl="$(realpath "$2")"
cd "$(dirname "$0")"
build="$(mktemp -d)"
trap 'rm -rf "$build"' EXIT
cmake -S . -B "$build" -DDNNL_DIR="$dnnl" -DCMAKE_BUILD_TYPE=None -DCMAKE_EXPORT_COMPILE_COMMANDS=ON >/dev/null
openmp="$(dirname "$(g++ -fopenmp -print-file-name=include/omp.h)")"
find common composed cpu cuda kernelc platform -name '*.cpp' -print0 |
  xargs -0 -P"$(nproc)" -n1 "$tidy" -p "$build" --quiet --extra-arg=-idirafter"$openmp"
