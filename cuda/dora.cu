// DoRA beside a low-rank adapter.                            Liu et al. 2024, sections 4.1 and 4.3
//
//   dora_norm       norm[o] = |w0[o] + s b[o] A|: a block of 128 threads for a row, 16 neighbours a
//                   thread; squares in f32 by thread, then in f64 across the block in a fixed
//                   order, 1 KB of shared memory. FLOPs: 2 out in rank. W0 is read once, in blocks
//                   as it lies; A comes from L2.
//   dora_scale_fwd  y = z m / norm + bias, eight numbers a thread
//   dora_scale_bwd  dz = dy m / norm, and the sums of dy z over 512 rows: a block for 64 channels,
//                   32 rows at a time, 8.3 KB of shared memory
//   dora_magnitude  dm += the sums of those, over norm: a thread for a channel
//
// The last three are bound by memory, each byte once.
#include "blocks.cuh"
#include "column_sums.cuh"
#include "dora.h"

template <bool WHOLE, typename T>
LN_DEVICE void dora_norm(const T* w0, const float* a, const float* b, float* norm,
                         const DoraNormArguments& g) {
  LN_DYNAMIC_SHARED(double, shared);
  typedef DoraNormTile Tile;
  const i64 row = blockIdx.x;
  float squares = 0;
  for (i64 at = threadIdx.x * Tile::kNumbers; at < g.in; at += Tile::kThreads * Tile::kNumbers) {
    Eight v[2];
    if (g.format) {
      float x[16];
      read_sixteen(x, w0, g.out * g.in, g.format, row * g.in + at);
      LN_EACH_OF_8 {
        v[0][i] = x[i];
        v[1][i] = x[8 + i];
      }
    } else {
#pragma unroll
      for (int half = 0; half < 2; half++)
        v[half] = Span<WHOLE>(at + half * 8, g.in).load(w0 + row * g.in);
    }
    for (i64 r = 0; r < g.rank; r++) {
      const float by = g.scale * b[row * g.rank + r];
#pragma unroll
      for (int half = 0; half < 2; half++) {
        const Eight e = Span<WHOLE>(at + half * 8, g.in).load(a + r * g.in);
        LN_EACH_OF_8 v[half][i] += by * e[i];
      }
    }
#pragma unroll
    for (int half = 0; half < 2; half++) LN_EACH_OF_8 squares += v[half][i] * v[half][i];
  }
  const double sum = block_sum(double(squares), shared);
  if (threadIdx.x == 0) norm[row] = sqrtf(float(sum));
}

template <bool WHOLE, typename T>
LN_DEVICE void dora_scale_fwd(const T* z, const float* m, const float* norm, const float* bias,
                              T* y, i64 M, i64 C) {
  const RowSpan<WHOLE> s(u32(global_thread()), C);
  if (s.row >= M) return;
  Eight e = s.load(z + s.row * C);
  const Eight by = s.load(m), over = s.load(norm);
  LN_EACH_OF_8 e[i] *= by[i] / over[i];
  if (bias) e += s.load(bias);
  s.store(y + s.row * C, e);
}

template <bool WHOLE, typename T>
LN_DEVICE void dora_scale_bwd(const T* dy, const T* z, const float* m, const float* norm, T* dz,
                              float* sums, i64 M, i64 C) {
  typedef DoraSumTile Tile;
  const ColumnPlace place;
  const Span<WHOLE> s = place.span<WHOLE>(C);
  const i64 first = i64(blockIdx.y) * Tile::kRows;
  const i64 end = first + Tile::kRows < M ? first + Tile::kRows : M;
  Eight by = s.load(m);
  const Eight over = s.load(norm);
  LN_EACH_OF_8 by[i] /= over[i];
  Eight sum{};
  for (i64 at = first + place.row; at < end; at += Tile::kDown) {
    Eight e = s.load(dy + at * C);
    const Eight x = s.load(z + at * C);
    LN_EACH_OF_8 {
      sum[i] += e[i] * x[i];
      e[i] *= by[i];
    }
    s.store(dz + at * C, e);
  }
  sum = place.sum_down(sum);
  if (place.row == 0) s.store(sums + i64(blockIdx.y) * C, sum);
}

extern "C" __global__ void __launch_bounds__(128)
    dora_magnitude(const float* sums, const float* norm, float* dm, i64 blocks, i64 C) {
  const i64 c = global_thread();
  if (c >= C) return;
  float sum = 0;
  for (i64 block = 0; block < blocks; block++) sum += sums[block * C + c];
  dm[c] += sum / norm[c];
}

LN_INSTANCES((DoraNormTile::kThreads), dora_norm,
             (const T* w0, const float* a, const float* b, float* norm, DoraNormArguments g),
             LN_EIGHTS(whole_eights(g.in, w0, a), dora_norm, w0, a, b, norm, g))
LN_INSTANCES((256), dora_scale_fwd,
             (const T* z, const float* m, const float* norm, const float* bias, T* y, i64 M, i64 C),
             LN_EIGHTS(whole_eights(C, z, m, norm, bias, y), dora_scale_fwd, z, m, norm, bias, y, M,
                       C))
LN_INSTANCES((DoraSumTile::kThreads), dora_scale_bwd,
             (const T* dy, const T* z, const float* m, const float* norm, T* dz, float* sums, i64 M,
              i64 C),
             LN_EIGHTS(whole_eights(C, dy, z, m, norm, dz, sums), dora_scale_bwd, dy, z, m, norm,
                       dz, sums, M, C))
LN_KERNEL(dora_magnitude)
