// The embedding of a model whose embedding is trained. Bound by memory.
//
//   trained_embedding     y[m, c] = w[ids[m], c] scale, w in f32: a thread for eight numbers
//   embedding_weight_bwd  dw[ids[m]] += scale dy[m]
//
// embedding_weight_bwd: a block for a row m and 2048 columns. It looks for the rows of the same id,
// 256 at a time, and adds them in their order; if one of them lies before m, that row's block does
// it all. So no two blocks write one row, and no atomics are needed. Work: M^2 / 2 comparisons of
// ids at most, which stay in L1 (M is some thousands).
#include "eight.cuh"
#include "trained_embedding.h"

template <bool WHOLE, typename T>
LN_DEVICE void trained_embedding(const i32* ids, const float* w, T* y, i64 M, i64 C, float scale) {
  const RowSpan<WHOLE> s(u32(global_thread()), C);
  if (s.row >= M) return;
  Eight x = s.load(w + i64(ids[s.row]) * C);
  LN_EACH_OF_8 x[i] *= scale;
  s.store(y + s.row * C, x);
}

// Which of a warp's threads say so, as bits.
LN_DEVICE u32 votes(bool mine) {
  u32 all = u32(mine) << threadIdx.x % 32;
  for (int lanes = 16; lanes > 0; lanes >>= 1) all |= __shfl_xor_sync(0xffffffffu, all, lanes);
  return all;
}

template <bool WHOLE, typename T>
LN_DEVICE void embedding_weight_bwd(const T* dy, const i32* ids, float* dw, i64 M, i64 C,
                                    float scale) {
  LN_DYNAMIC_SHARED(u32, same);  // a warp's rows of the same id
  const i64 m = blockIdx.x;
  const i32 id = ids[m];
  const Span<WHOLE> s((i64(blockIdx.y) * blockDim.x + threadIdx.x) * 8, C);
  Eight sum{};
  for (i64 first = 0; first < M; first += blockDim.x) {
    const i64 n = first + threadIdx.x;
    const u32 found = votes(n < M && ids[n] == id);
    if (threadIdx.x % 32 == 0) same[threadIdx.x / 32] = found;
    __syncthreads();
    for (u32 warp = 0; warp < blockDim.x / 32; warp++)
      for (u32 lane = 0, left = same[warp]; left; lane++, left >>= 1) {
        if (!(left & 1)) continue;
        const i64 row = first + warp * 32 + lane;
        if (row < m) return;  // the whole block: all read the same
        if (!s.empty()) sum += s.load(dy + row * C);
      }
    __syncthreads();
  }
  if (s.empty()) return;
  Eight total = s.load(dw + i64(id) * C);
  LN_EACH_OF_8 total[i] += scale * sum[i];
  s.store(dw + i64(id) * C, total);
}

LN_INSTANCES_16_BIT((256), trained_embedding,
                    (const i32* ids, const float* w, T* y, i64 M, i64 C, float scale),
                    LN_EIGHTS(whole_eights(C, w, y), trained_embedding, ids, w, y, M, C, scale))
LN_INSTANCES((TrainedRows::kThreads), embedding_weight_bwd,
             (const T* dy, const i32* ids, float* dw, i64 M, i64 C, float scale),
             LN_EIGHTS(whole_eights(C, dy, dw), embedding_weight_bwd, dy, ids, dw, M, C, scale))
