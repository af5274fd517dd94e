// A product's epilogue that takes C through a gated linear unit while it is on the chip.
#pragma once
#include "activations.cuh"
#include "gated_gemm.h"
#include "tensor_loop.cuh"

// The block's tile of C lies in the stages' shared memory, rounded as it would be in C, so that the
// unit's numbers are those of glu_fwd and glu_bwd. A thread then takes eight neighbours at a time;
// what the unit reads of the next eight is on its way before these are computed.
template <typename Tile, typename T, bool BACKWARD>
struct GatedEpilogue {
  // 16 bytes more than a row has: the rows that a warp writes at once begin in other banks.
  static constexpr int kPitch = Tile::kColumns * 2 + 16, kEights = Tile::kColumns / 8;
  static constexpr int kTurns = Tile::kRows * kEights / Tile::kThreads;
  static_assert(Tile::kRows * kPitch <= Tile::kSharedBytes, "the tile fits the stages");

  const TensorGemmArguments& g;
  const GatedArguments& u;

  // Eight of the unit's inputs.
  struct Read {
    Chunk gate, up;
  };

  template <int MT, int NT>
  LN_DEVICE void write(const float (&sum)[MT][NT][4], i64 m0, i64 n0, i64 rows, i64) const {
    LN_DYNAMIC_SHARED(char, tile);
    const TilePlace place;
    const i64 row0 = i64(place.row) * Tile::kRows, column0 = i64(place.column) * Tile::kColumns;
    const int lane = int(threadIdx.x % 32);
    const i64 n = n0 + lane % 4 * 2;
    char* to = tile + (m0 - row0 + lane / 4) * kPitch + (n - column0) * 2;
    __syncthreads();  // nobody reads a stage any more
#pragma unroll
    for (int j = 0; j < NT; j++) {
      const bool biased = g.bias && n + j * 8 < g.N;
      const float bias_x = biased ? g.bias[n + j * 8] : 0.0f;
      const float bias_y = biased ? g.bias[n + j * 8 + 1] : 0.0f;
#pragma unroll
      for (int i = 0; i < MT; i++)
#pragma unroll
        for (int half = 0; half < 2; half++)
          *reinterpret_cast<u32*>(to + (i * 16 + half * 8) * kPitch + j * 16) = pack<T>(
              sum[i][j][half * 2] * g.scale + bias_x, sum[i][j][half * 2 + 1] * g.scale + bias_y);
    }
    __syncthreads();

    const int in_row = int(threadIdx.x) / kEights, in_column = int(threadIdx.x) % kEights * 8;
    const i64 left = rows - row0 - in_row;  // rows from this thread's first on
    if (column0 + in_column >= g.N) return;
    const i64 start = (row0 + in_row) * g.c_stride + column0 + in_column;
    const char* from = tile + in_row * kPitch + in_column * 2;
    constexpr int kStep = Tile::kThreads / kEights;  // rows from turn to turn
    Read next = read(start, left > 0);
    for (int turn = 0; turn < kTurns; turn++) {
      const int row = turn * kStep;
      if (row >= left) return;
      const Read now = next;
      const i64 at = start + row * g.c_stride;
      next = read(at + kStep * g.c_stride, turn + 1 < kTurns && row + kStep < left);
      finish(at, load_chunk(from + row * kPitch), now);
    }
  }

  LN_DEVICE Read read(i64 at, bool wanted) const {
    Read r{};
    if (!wanted) return r;
    r.gate = load_chunk(static_cast<const T*>(u.gate) + at);
    if (BACKWARD) r.up = load_chunk(static_cast<const T*>(u.up) + at);
    return r;
  }

  LN_DEVICE void finish(i64 at, const Chunk& c, const Read& r) const {
    T *to = static_cast<T*>(g.c) + at, *y = static_cast<T*>(u.y) + at;
    Eight x = eight_of(r.gate, T());
    if (BACKWARD) {
      Eight by = eight_of(r.up, T());
      gated_backward(x, by, eight_of(c, T()), u.act);
      store_eight(y, by);
      store_eight(to, x);
    } else {
      gated(x, eight_of(c, T()), u.act);
      store_chunk(to, c);
      store_eight(y, x);
    }
  }
};
