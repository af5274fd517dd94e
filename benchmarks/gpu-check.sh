#!/usr/bin/env bash
# What only a machine with a card can show: the tests on the device, training against the CPU's
# losses, kernels and whole steps beside torch (where it is installed).
#
#   benchmarks/gpu-check.sh pack            here: makes target/gpu-check.tar.xz (56 MB), with a Java of its own
#   benchmarks/gpu-check.sh [RESULT.json]   there, in a checkout with that file: no JDK, no internet; 9 minutes
#
# The exit code is 0 if all tests passed and training went as on the CPU.
set -euo pipefail
cd "$(dirname "$0")/.."
packed=target/gpu-check.tar.xz
folder=target/gpu-check

pack() {
  mvn -q package -DskipTests
  rm -rf $folder
  mvn -q dependency:copy-dependencies -DincludeScope=test -DoutputDirectory=$folder/lib \
    -DincludeGroupIds=org.junit.jupiter,org.junit.platform,org.opentest4j,org.assertj,net.bytebuddy
  jlink --add-modules java.base,java.desktop,java.management,java.naming,java.sql,jdk.unsupported \
    --strip-debug --no-man-pages --no-header-files --output $folder/java
  # The jar unpacked: what it holds is compressed better together.
  mkdir $folder/main
  (cd $folder/main && jar xf ../../lora-native.jar)
  cp -r target/test-classes $folder/tests
  rm -rf $folder/tests/golden
  tar c $folder | xz -9 >$packed.partial
  mv $packed.partial $packed
  ls -l $packed
}

if [ "${1:-}" = pack ]; then
  pack
  exit
fi
if [ ! -x $folder/java/bin/java ]; then
  [ -f $packed ] || { echo "$packed is missing: make it with benchmarks/gpu-check.sh pack" >&2; exit 2; }
  tar xf $packed
fi
result="${1:-target/gpu-check.json}"
exec $folder/java/bin/java -ea -cp "$folder/tests:$folder/main:$folder/lib/*" org.loranative.gpucheck.GpuCheck \
  "${GPU_CHECK_SIZE:-full}" "${GPU_CHECK_DRIVER:-libcuda.so.1}" 530 "$result"
