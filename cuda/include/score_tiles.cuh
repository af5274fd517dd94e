// Attention's scores as fragments of mma: what kernels on the tensor cores do with them, be they
// mma's or a warpgroup's. A warp holds 16 rows, a lane rows g = lane / 4 and g + 8, in tiles of 8
// columns.
#pragma once
#include "gpu.cuh"
#include "visible.cuh"

constexpr float kLog2E = 1.4426950408889634f, kLn2 = 0.6931471805599453f;

LN_DEVICE int lane() { return int(threadIdx.x) % 32; }
// The first of the block's rows that this warp has, of `strips` times 16.
LN_DEVICE int own_row(int strips) { return int(threadIdx.x) / 32 * 16 * strips; }

// Where there is a cap, products become scores; they are then scale() of what they were.
template <int TILES>
LN_DEVICE void cap(float (&s)[TILES][4], const AttentionArguments& a) {
  if (a.softcap <= 0) return;
  const float inverse = a.scale / a.softcap;
#pragma unroll
  for (int j = 0; j < TILES; j++)
#pragma unroll
    for (int r = 0; r < 4; r++) s[j][r] = a.softcap * tanhf(s[j][r] * inverse);
}
// What a score is in base 2, of what cap() leaves.
LN_DEVICE float unit(const AttentionArguments& a) {
  return kLog2E * (a.softcap > 0 ? 1.0f : a.scale);
}

// What the block's queries see, by row, in shared memory: worked out once, and not in the loop,
// where every register is taken.
template <int ROWS, int THREADS>
LN_DEVICE void keep_visible(Visible* rows, i32 m0, const i32* bounds, const AttentionArguments& a) {
  // A number a thread: a pair each would meet in the same banks.
  for (int i = int(threadIdx.x); i < 2 * ROWS; i += THREADS) {
    const Visible visible(m0 + i / 2, bounds, a);
    reinterpret_cast<i32*>(rows)[i] = i % 2 ? visible.end : visible.first;
  }
}

// Whether all of the warp's queries see all of the keys [j0, j0 + keys): both ends grow from row to
// row.
LN_DEVICE bool see_all(const Visible* rows, int strips, i32 j0, int keys) {
  return rows[own_row(strips) + strips * 16 - 1].first <= j0 &&
         j0 + keys <= rows[own_row(strips)].end;
}

// Scores of rows `row` and `row` + 8 of the block that their queries do not see become -infinity;
// nothing is done where the whole warp sees all, as in most tiles.
template <int TILES>
LN_DEVICE void mask(float (&s)[TILES][4], const Visible* rows, int strips, int row, i32 j0) {
  if (see_all(rows, strips, j0, TILES * 8)) return;
  const i32 column = j0 + lane() % 4 * 2;
#pragma unroll
  for (int half = 0; half < 2; half++) {
    const Visible visible = rows[row + half * 8];
#pragma unroll
    for (int j = 0; j < TILES; j++)
#pragma unroll
      for (int r = half * 2; r < half * 2 + 2; r++)
        if (!visible.sees(column + j * 8 + r % 2)) s[j][r] = negative_infinity();
  }
}

// The softmax of rows g and g + 8 so far: the maximum, in base 2, and each lane's part of the sum.
struct Running {
  float most[2] = {negative_infinity(), negative_infinity()}, total[2] = {};

  // Scores become p relative to the running maximum; what has been summed must fade().
  template <int TILES>
  LN_DEVICE void softmax(float (&s)[TILES][4], float unit, float (&fade)[2]) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      float top = negative_infinity();
#pragma unroll
      for (int j = 0; j < TILES; j++) top = fmaxf(top, fmaxf(s[j][half * 2], s[j][half * 2 + 1]));
      top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, 1));
      top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, 2));
      top = fmaxf(most[half], top * unit);
      float base = top == negative_infinity() ? 0.0f : top;  // nothing seen yet
      fade[half] = exp2_approximate(most[half] - base);
      most[half] = top;
      total[half] *= fade[half];
#pragma unroll
      for (int j = 0; j < TILES; j++)
#pragma unroll
        for (int r = half * 2; r < half * 2 + 2; r++) {
          s[j][r] = exp2_approximate(fmaf(s[j][r], unit, -base));
          total[half] += s[j][r];
        }
    }
  }

  // The rows' sums of p over all lanes.
  LN_DEVICE float whole(int half) const {
    float t = total[half];
    t += __shfl_xor_sync(0xffffffffu, t, 1);
    t += __shfl_xor_sync(0xffffffffu, t, 2);
    return t;
  }
};

template <int D8>
LN_DEVICE void fade_sums(float (&sum)[D8][4], const float (&fade)[2]) {
#pragma unroll
  for (int j = 0; j < D8; j++)
#pragma unroll
    for (int r = 0; r < 4; r++) sum[j][r] *= fade[r / 2];
}

// Writes 16 rows of a head from channel d0 on, times a factor for rows g and g + 8. row0 is this
// lane's g.
template <typename T, int D8>
LN_DEVICE void write_rows(T* x, const float (&sum)[D8][4], i64 row0, i64 rows, i64 heads, i64 head,
                          i64 D, i64 d0, const float (&factor)[2]) {
#pragma unroll
  for (int j = 0; j < D8; j++)
#pragma unroll
    for (int half = 0; half < 2; half++) {
      i64 row = row0 + half * 8, d = d0 + j * 8 + lane() % 4 * 2;
      if (row < rows && d < D)  // D is a multiple of 8
        *reinterpret_cast<u32*>(x + (row * heads + head) * D + d) =
            pack<T>(sum[j][half * 2] * factor[half], sum[j][half * 2 + 1] * factor[half]);
    }
}
