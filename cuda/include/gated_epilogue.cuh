// A product's epilogue that takes C through a gated linear unit while it is on the chip.
#pragma once
#include "activations.cuh"
#include "epilogue.cuh"
#include "gated_gemm.h"

// C is rounded as it would be stored, so that the unit's numbers are those of glu_fwd and glu_bwd.
// What the unit reads is copied beside it, half of the tile at a time where all does not fit.
template <typename Tile, typename T, bool BACKWARD>
struct GatedEpilogue {
  static constexpr int kNeeded = (BACKWARD ? 3 : 2) * Tile::kRows * Tile::kColumns * 2;
  static constexpr int kHalves = kNeeded <= Tile::kSharedBytes ? 1 : 2;
  static_assert(kNeeded / kHalves <= Tile::kSharedBytes, "they take the stages' place");
  static constexpr int kRows = Tile::kRows / kHalves;
  typedef SharedTile<T, kRows, Tile::kColumns> Part;

  const TensorGemmArguments& g;
  const GatedArguments& u;

  template <int MT, int NT>
  LN_DEVICE void write(const float (&sum)[MT][NT][4], i64 m0, i64 n0, i64 rows, i64) const {
    LN_DYNAMIC_SHARED(char, c);
    char *gate = c + Part::kBytes, *up = gate + Part::kBytes;
    const int in = int(m0 % Tile::kRows), column = int(n0 % Tile::kColumns);
    auto view = [&](const void* matrix) {
      return MatrixView<T>{static_cast<const T*>(matrix), g.c_stride, rows, g.N};
    };
    for (int half = 0; half < kHalves; half++) {
      const i64 row0 = m0 - in + half * kRows, column0 = n0 - column;
      __syncthreads();  // nobody reads what lies here any more
      Part::template fetch<Tile::kThreads>(gate, view(u.gate), row0, column0);
      if (BACKWARD) Part::template fetch<Tile::kThreads>(up, view(u.up), row0, column0);
      copy_async_commit();
      if (in / kRows == half) put(c, sum, in % kRows, column, n0);
      copy_async_wait<0>();
      __syncthreads();
      each_eight<Tile, kRows>([&](int row, int eight) {
        const i64 m = row0 + row, n = column0 + eight * 8;
        const int at = Part::offset(row, eight);
        if (m < rows && n < g.N) finish(m * g.c_stride + n, c + at, gate + at, up + at);
      });
    }
  }

  // A warp's sums, as they would be stored.
  template <int MT, int NT>
  LN_DEVICE void put(char* to, const float (&sum)[MT][NT][4], int row, int column, i64 n0) const {
    const int lane = int(threadIdx.x % 32);
#pragma unroll
    for (int j = 0; j < NT; j++) {
      const i64 n = n0 + j * 8 + lane % 4 * 2;
      const bool biased = g.bias && n < g.N;
      const float bias[2] = {biased ? g.bias[n] : 0.0f, biased ? g.bias[n + 1] : 0.0f};
      char* first = to + Part::offset(row + lane / 4, column / 8 + j) + lane % 4 * 4;
#pragma unroll
      for (int i = 0; i < MT; i++)
#pragma unroll
        for (int half = 0; half < 2; half++)
          *reinterpret_cast<u32*>(first + (i * 16 + half * 8) * Tile::kColumns * 2) = pack<T>(
              sum[i][j][half * 2] * g.scale + bias[0], sum[i][j][half * 2 + 1] * g.scale + bias[1]);
    }
  }

  LN_DEVICE void finish(i64 at, const char* c, const char* gate, const char* up) const {
    const Chunk made = load_chunk(c);
    T *to = static_cast<T*>(g.c) + at, *y = static_cast<T*>(u.y) + at;
    Eight x = eight_of(load_chunk(gate), T());
    if (BACKWARD) {
      Eight by = eight_of(load_chunk(up), T());
      gated_backward(x, by, eight_of(made, T()), i32(u.act));
      store_eight(y, by);
      store_eight(to, x);
    } else {
      gated(x, eight_of(made, T()), i32(u.act));
      store_chunk(to, made);
      store_eight(y, x);
    }
  }
};
