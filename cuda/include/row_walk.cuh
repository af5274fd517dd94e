// A row of [M, C] that a warp, or a whole block, holds in registers.
#pragma once
#include "eight.cuh"
#include "rows.h"

// Thread t of the row has its eights t, t + threads, ... and keeps the first kHeld of them; a
// longer row (RowTile says which) is read again.
template <bool WHOLE>
struct RowWalk {
  static constexpr int kHeld = RowTile::kHeld;
  i64 m, C;
  i32 warps, thread;

  LN_DEVICE RowWalk(i64 C_, i32 warps_) : C(C_), warps(warps_) {
    m = warps == 1 ? warp_row() : i64(blockIdx.x);
    thread = i32(warps == 1 ? threadIdx.x % 32 : threadIdx.x);
  }
  LN_DEVICE Span<WHOLE> span(int k) const { return Span<WHOLE>((k * warps * 32 + thread) * 8, C); }
  LN_DEVICE bool has(int k) const { return (k * warps * 32 + thread) * 8 < C; }

  // Calls with_held(k, span) for what is kept, and with_rest(span) for what is not.
  template <typename Held, typename Rest>
  LN_DEVICE void each(Held with_held, Rest with_rest) const {
#pragma unroll
    for (int k = 0; k < kHeld; k++) with_held(k, span(k));
    for (int k = kHeld; has(k); k++) with_rest(span(k));
  }

  // Sum over the row, the same in each of its threads, in a fixed order.
  LN_DEVICE float sum(float x) const {
    x = warp_sum(x);
    if (warps == 1) return x;
    LN_DYNAMIC_SHARED(float, shared);
    __syncthreads();  // the sum before has been read
    if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = x;
    __syncthreads();
    float y = 0;
    for (int w = 0; w < warps; w++) y += shared[w];
    return y;
  }
};
