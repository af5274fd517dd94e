// Attention with sinks: attention without, after which each head looks at its sink. Backward is
// attention's own, from the o and lse that come out.                              Xiao et al. 2023
#include "composed/experts.h"

namespace ln {
namespace LN_ISA {

int ln_sink_attention_fwd(int64_t device, int64_t q, int64_t k, int64_t v, int64_t sinks,
                          int64_t bounds, int64_t o, int64_t lse, int64_t scratch, int64_t M,
                          int64_t heads, int64_t kv_heads, int64_t D, float scale, int64_t window,
                          int32_t dtype) {
  const int status = ln_attention_fwd(device, q, k, v, bounds, o, lse, scratch, M, heads, kv_heads,
                                      D, scale, 0, window, 0, 0, dtype);
  return status ? status : look_at_sinks(of(device), o, lse, sinks, M, heads, D, dtype);
}

int ln_cached_sink_attention_fwd(int64_t device, int64_t q, int64_t k, int64_t v, int64_t k_cache,
                                 int64_t v_cache, int64_t sinks, int64_t start, int64_t o,
                                 int64_t lse, int64_t scratch, int64_t T, int64_t capacity,
                                 int64_t heads, int64_t kv_heads, int64_t D, float scale,
                                 int64_t window, int32_t dtype) {
  const int status =
      ln_cached_attention_fwd(device, q, k, v, k_cache, v_cache, start, o, lse, scratch, T,
                              capacity, heads, kv_heads, D, scale, 0, window, dtype);
  return status ? status : look_at_sinks(of(device), o, lse, sinks, T, heads, D, dtype);
}

}  // namespace LN_ISA
}  // namespace ln
