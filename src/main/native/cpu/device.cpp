#include "common/device.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include <exception>

#include "cpu/products.h"
#include "lora_ops.h"
#include "platform/platform.h"

namespace ln {

// cpu/ops/table.cpp, once for each instruction set.
namespace cpu_v2 {
extern const Ops table;
}
namespace cpu_v3 {
extern const Ops table;
}
namespace cpu_v4 {
extern const Ops table;
}

static int isa_level() {
  static const int level = [] {
    __builtin_cpu_init();
    const char* limit = getenv("LORA_NATIVE_ISA");  // v2, v3: to reproduce an older CPU
    int most = limit && !strcmp(limit, "v2") ? 2 : limit && !strcmp(limit, "v3") ? 3 : 4;
    if (most >= 4 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512cd"))
      return 4;
    if (most >= 3 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("bmi"))
      return 3;
    return 2;
  }();
  return level;
}

}  // namespace ln

using namespace ln;

const char* ln_cpu_isa() { return isa_level() == 4 ? "v4" : isa_level() == 3 ? "v3" : "v2"; }

int ln_cpu_has_bf16() { return isa_level() == 4 && __builtin_cpu_supports("avx512bf16") ? 1 : 0; }

int ln_cpu_physical_cores() { return platform::physical_cores(); }

// oneDNN keeps its own, and blocks pass through a buffer of its (cpu/block_gemm.cpp).
static int64_t no_gemm_scratch(const Device*, int64_t, int64_t, int64_t, int32_t, int32_t) {
  return 0;
}

int ln_cpu_open(int32_t threads, int64_t* device) {
  if (threads < 1) return fail(LN_INVALID, "threads is %d; it must be at least 1", threads);
  const Ops* ops = isa_level() == 4   ? &cpu_v4::table
                   : isa_level() == 3 ? &cpu_v3::table
                                      : &cpu_v2::table;
  try {
    omp_set_num_threads(threads);
    *device = reinterpret_cast<int64_t>(
        new Device{ops, onednn_gemm, no_gemm_scratch, threads, onednn_open(threads)});
    return LN_OK;
  } catch (const std::exception& e) {
    return fail(LN_FAILED, "the CPU device did not open: %s", e.what());
  }
}

int64_t ln_gemm_scratch_bytes(int64_t device) {
  return of(device)->onednn ? onednn_scratch_bytes(of(device)->onednn) : 0;
}
