// The entry points of oneDNN's users, for files that know nothing of oneDNN.
#pragma once
#include <stdint.h>

#include "common/device.h"
#include "common/gemm.h"

namespace ln {

int onednn_gemm(Device* device, const Gemm& g);
// The same where b is in blocks.
int block_gemm(Device* device, const Gemm& g);

// A convolution of lora_ops.h. Weights are put into the layout that the primitive likes, in
// scratch.
struct Conv {
  int64_t B, H, W, I, OH, OW, O, kernel, stride, pad;
  int32_t dtype;
  bool bias, backward;

  bool operator==(const Conv& c) const;
};
// Forward: from = x, to = y. Backward: from = dy, to = dx; no bias.
int onednn_conv(Device* device, const Conv& c, int64_t from, int64_t w, int64_t bias, int64_t to);

// A product that one thread runs by itself, inside a parallel region: C [M, N] f32 = A [M, K] B
// [K, N] (+ C). `a_transposed` says that memory holds [K, M]; likewise b. Strides in elements. In
// 16 bits, where rows of A have a gap behind K, the gap must hold finite numbers up to a multiple
// of 32: oneDNN multiplies them by zeros.
struct Tile {
  int64_t M, N, K;
  bool a_transposed, b_transposed;
  int64_t a_stride, b_stride, c_stride;
  int32_t dtype;  // of A and B
  bool packed;    // B is what tile_pack() made of it: worth it where B meets many A
  bool accumulate;

  bool operator==(const Tile& t) const;
};
struct TileProduct;
// Made when first asked for, and kept by the device; not to be called inside a parallel region.
// Null, with the error recorded, where oneDNN refuses.
const TileProduct* tile_product(Device* device, const Tile& tile);
int64_t tile_packed_bytes(const TileProduct* p);
int64_t tile_scratch_bytes(const TileProduct* p);
// Both may run on many threads at once; scratch is the caller's.
int tile_pack(const TileProduct* p, const void* b, void* packed);
int tile_run(const TileProduct* p, const void* a, const void* b, float* c, void* scratch);

OneDnn* onednn_open(int threads);
void onednn_close(OneDnn* dnn);
int64_t onednn_scratch_bytes(const OneDnn* dnn);

}  // namespace ln
