// A part of a frozen matrix in blocks as numbers of 16 bits, for products of many rows, where every
// tile of rows would take the same blocks apart again: as many columns of op(B) as fit a panel
// (cuda/ops/gemm.cpp) are written to memory, where they stay in L2, and tensor_gemm.cu or hopper.cu
// multiplies them. A kernel for each format.
//
// A thread takes 32 neighbours apart, of NF4 by one read of 16 bytes. Its 64 bytes go to memory by
// shared memory, 16 KB, so that a warp writes 512 bytes that lie side by side, whole sectors: 16
// bytes of each lane's own 64 would be half sectors, twice the transactions of L2. Bytes: 0.6 to
// 1.1 read and 2 written a number; about 6 instructions a number in NF4.
#include "block_gemm.h"
#include "blocks.cuh"

template <typename Format, typename T>
LN_DEVICE void dequantize_panel(const PanelArguments& p, T* to) {
  LN_DYNAMIC_SHARED(char, shared);
  const Format from(p.from, p.count);
  const u32 lane = threadIdx.x % 32, before = threadIdx.x - lane;
  const u32 first = blockIdx.x * PanelTile::kThreads + before;  // the warp's first unit
  const u32 across = u32(p.columns) / kUnit, units = u32(p.rows) * across;
  if (first >= units) return;  // the whole warp
  // Lanes past the end do as the last unit's: all go one way.
  const u32 at = first + lane < units ? first + lane : units - 1, row = at / across;
  const u32 unit = (u32(p.row0) + row) * (u32(p.all_columns) / kUnit) + u32(p.column0) / kUnit +
                   at - row * across;
  // Chunk j of lane l lies at 4 l + (j ^ (l / 2 % 4)): eight lanes that store, or read, at once
  // meet in no bank.
  Chunk* own = reinterpret_cast<Chunk*>(shared) + before * 4;
  const auto bits = from.load(unit);
#pragma unroll
  for (u32 half = 0; half < 2; half++) {
    float x[16];
    from.numbers(x, bits, unit, half);
#pragma unroll
    for (u32 j = half * 2; j < half * 2 + 2; j++)
      store_shared(own + lane * 4 + (j ^ (lane / 2 % 4)), packed<T>(x, int(j % 2 * 8)));
  }
  __syncwarp();
  const Chunk* there = own + lane / 4 * 4 + (lane % 4 ^ (lane / 8));
  Chunk* out = reinterpret_cast<Chunk*>(to) + u64(first) * 4 + lane;
#pragma unroll
  for (u32 turn = 0; turn < 4; turn++)  // eight units each
    if (first + turn * 8 + lane / 4 < units)
      store_chunk(out + turn * 32, load_chunk(there + turn * 32));
}

#define LN_DEQUANTIZE_PANEL(format, Format)                             \
  LN_INSTANCES_16_BIT((PanelTile::kThreads), dequantize_panel_##format, \
                      (PanelArguments p, T * to), (dequantize_panel<Format>(p, to)))
LN_BLOCK_FORMATS(LN_DEQUANTIZE_PANEL)
