#!/usr/bin/env bash
# Called by Maven: build.sh BUILD_DIR DNNL_DIR CLASSES_DIR NVRTC_DIR SKIP_KERNELS ARCHITECTURES TARGETS [FLAGS]
# Builds TARGETS (all: libloranative.a and the emulator) into BUILD_DIR against oneDNN unpacked in DNNL_DIR, and puts
# what is loaded at run time into CLASSES_DIR: a small library, and the compiled CUDA kernels.
set -euo pipefail
build="$1" dnnl="$2" classes="$3" nvrtc="$4" skip="$5" architectures="$6" targets="$7" flags="${8:-}"
cd "$(dirname "$0")"
cmake -S . -B "$build" -DDNNL_DIR="$dnnl" -DCMAKE_BUILD_TYPE=None -DLIBRARY_FLAGS="$flags" >"$build.configure.log" 2>&1 ||
  { cat "$build.configure.log"; exit 1; }
# shellcheck disable=SC2086 # targets are words
cmake --build "$build" -j"$(nproc)" --target $targets -- --no-print-directory
natives="$classes/org/loranative/device/linux-x86_64"
mkdir -p "$natives"
cp "$build/libloranative_environment.so" "$natives"
# The linker wants bare names.
ln -sf libdnnl.so.3 "$dnnl/libdnnl.so"
ln -sf libgomp.so.1 "$dnnl/libgomp.so"

kernels="$classes/org/loranative/device/kernels"
if [ "$skip" != false ]; then
  rm -rf "$kernels"
  exit 0
fi
# Unchanged kernels are not compiled again.
list="$kernels/list.txt" built="$kernels/architectures.txt"
if [ -f "$list" ] && [ "$(cat "$built")" = "$architectures" ] &&
  [ -z "$(find ../../../cuda kernelc -newer "$list" -type f)" ]; then
  exit 0
fi
rm -rf "$kernels"
mkdir -p "$kernels"
LD_LIBRARY_PATH="$nvrtc" "$build/kernelc" "$nvrtc/libnvrtc.so.12" "$kernels" \
  "$build/../kernels.csv" "$architectures" ../../../cuda/*.cu
echo "$architectures" >"$built"
for file in ../../../cuda/*.cu; do basename "$file" .cu; done >"$list"
