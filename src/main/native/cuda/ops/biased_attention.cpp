// Launcher of T5's attention.
#include "biased_attention.h"

#include "cuda/launch.h"

namespace ln {
namespace cuda {

int ln_biased_attention_fwd(int64_t device, int64_t q, int64_t k, int64_t v, int64_t bias,
                            int64_t padding, int64_t o, int64_t B, int64_t T, int64_t heads,
                            int64_t D, int32_t dtype) {
  if (T > BiasedTile::kMostTokens || D > BiasedTile::kMostWidth)
    return fail(LN_INVALID, "texts of %lld tokens in heads of width %lld", (long long)T,
                (long long)D);
  return LN_LAUNCH_TYPED(of(device), dtype, biased_attention,
                         cover(B * T * heads, BiasedTile::kWarps), BiasedTile::kThreads,
                         BiasedTile::shared_bytes(T), q, k, v, bias, padding, o, B * T, T, heads,
                         D);
}

}  // namespace cuda
}  // namespace ln
