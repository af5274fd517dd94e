#!/usr/bin/env bash
# The op tests on the CPU's library as AddressSanitizer and UBSan watch it, built beside the usual one into target/classes:
# build again afterwards. sanitize.sh [TESTS]
set -euo pipefail
cd "$(dirname "$0")/../../.."
tests="${1:-OpTest,CpuLossAndOptimizerTest,EightsTest}"
mvn --batch-mode --no-transfer-progress -Psanitize -DskipKernels -Dlibasan="$(g++ -print-file-name=libasan.so)" \
  test -Dtest="$tests"
