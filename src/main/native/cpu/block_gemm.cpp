// Matrix products with a frozen matrix in blocks of 4 to 8 bits: taken apart tile by tile into a
// buffer that stays in the cache, and multiplied from there.
//
// oneDNN's own weight decompression asks for numbers and scales in tensors of their own; the blocks
// of a GGUF file hold them side by side, and stay as they lie.
#include <string.h>

#include "common/types.h"
#include "cpu/onednn.h"

namespace ln {

// A tile's size, about what a core's L2 holds; more where a matrix has very long rows.
static constexpr int64_t kTileBytes = 1 << 20, kLeastRows = 32, kLongestBlock = 256;

int block_gemm(Device* device, const Gemm& g) {
  OneDnn& dnn = *device->onednn;
  // Forward takes rows of W [N, K]; backward columns of W [K, N], so that neither sums over tiles.
  bool rows = g.b.transposed;
  int64_t size = g.a.dtype == LN_BF16 ? 2 : 4, unit = rows ? kLeastRows : kLongestBlock;
  int64_t each = kTileBytes / (g.K * size) / unit * unit;
  if (each < unit) each = unit;
  if (each > g.N) each = g.N;
  try {
    dnn.blocks.reserve(size_t(each * g.K * size));
  } catch (const std::bad_alloc&) {
    return fail(LN_OUT_OF_MEMORY, "no memory for a tile of %lld x %lld", (long long)each,
                (long long)g.K);
  }
  int64_t tile = reinterpret_cast<int64_t>(dnn.blocks.memory);
  int64_t c_size = g.c.dtype == LN_BF16 ? 2 : 4;
  for (int64_t n = 0; n < g.N; n += each) {
    int64_t count = lo(each, g.N - n), handle = reinterpret_cast<int64_t>(device);
    LN_TRY(rows ? device->ops->ln_dequantize_fwd(handle, g.b.address, g.b.dtype, tile, g.a.dtype,
                                                 n * g.K, count, g.K, g.K)
                : device->ops->ln_dequantize_fwd(handle, g.b.address, g.b.dtype, tile, g.a.dtype, n,
                                                 g.K, count, g.N));
    Gemm part = g;
    part.N = count;
    part.b = {tile, g.a.dtype, rows};
    part.c.address += n * c_size;
    part.c.stride = g.c.pitch(g.M, g.N);
    if (g.bias) part.bias += n * 4;
    LN_TRY(onednn_gemm(device, part));
  }
  return LN_OK;
}

}  // namespace ln
