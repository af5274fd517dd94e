// What transformers of images do with a timestep.                Peebles & Xie 2023 (adaLN-Zero)
//
//   modulated_norm  xhat = (x - mean) rstd,  y = xhat (1 + scale[b]) + shift[b]
//                   dx = rstd (g - mean(g) - xhat mean(g xhat)),  g = dy (1 + scale[b])
//   modulation_bwd  dscale[b] = sum of dy xhat, dshift[b] = sum of dy over the rows of image b
//   gated_add       y = x + gate[b] z, or gate[b] z alone, which is the gradient of z
//   gate_bwd        dgate[b] = sum of dy z
//
// Norms: layer_norm.cuh; scale and shift come from L2, where all rows of
// an image find them. Sums: a block for an image and 64 channels, 32 rows at a time, in a fixed
// order, 8.4 KB of shared memory. Bound by memory, each byte once: [4096, 1536] in bf16 is 25 MB, 8
// us on an H100. The sums run only where something that makes scale, shift or gate is trained.
#include "column_sums.cuh"
#include "layer_norm.cuh"
#include "modulation.h"

template <bool WHOLE, typename T>
LN_DEVICE void modulated_norm_fwd(const T* x, const T* scale, const T* shift, T* y, float* stats,
                                  i64 M, i64 N, i64 C, float eps, i32 warps) {
  const RowWalk<WHOLE> walk(C, warps);
  if (walk.m >= M) return;  // the whole row
  const i64 of_image = i64(u32(walk.m) / u32(N)) * C;
  normalize_row(walk, x, y, stats, C, eps, [&](const Span<WHOLE>& s, Eight* xhat) {
    const Eight by = s.load(scale + of_image), plus = s.load(shift + of_image);
    LN_EACH_OF_8 xhat->x[i] = xhat->x[i] * (1.0f + by[i]) + plus[i];
  });
}

template <bool WHOLE, typename T>
LN_DEVICE void modulated_norm_bwd(const T* dy, const T* x, const T* scale, const float* stats,
                                  T* dx, i64 M, i64 N, i64 C, i32 warps) {
  const RowWalk<WHOLE> walk(C, warps);
  if (walk.m >= M) return;
  const i64 of_image = i64(u32(walk.m) / u32(N)) * C;
  normalize_row_bwd(walk, dy, x, stats, dx, C, [&](const Span<WHOLE>& s, Eight* d) {
    const Eight by = s.load(scale + of_image);
    LN_EACH_OF_8 d->x[i] *= 1.0f + by[i];
  });
}

template <bool WHOLE, typename T>
LN_DEVICE void modulation_bwd(const T* dy, const T* x, const float* stats, T* dscale, T* dshift,
                              i64 N, i64 C) {
  const ColumnPlace place;
  const Span<WHOLE> s = place.span<WHOLE>(C);
  const i64 first = i64(blockIdx.y) * N;
  Eight by{}, plus{};
#pragma unroll 2
  for (i64 n = place.row; n < N; n += ColumnTile::kDown) {
    const i64 m = first + n;
    const Eight d = s.load(dy + m * C), e = s.load(x + m * C);
    const float mean = stats[2 * m], rstd = stats[2 * m + 1];
    LN_EACH_OF_8 by[i] += d[i] * (e[i] - mean) * rstd;
    plus += d;
  }
  by = place.sum_down(by);
  __syncthreads();  // the sums before have been read
  plus = place.sum_down(plus);
  if (place.row > 0) return;
  s.store(dscale + i64(blockIdx.y) * C, by);
  s.store(dshift + i64(blockIdx.y) * C, plus);
}

template <bool WHOLE, typename T>
LN_DEVICE void gated_add(const T* x, const T* z, const T* gate, T* y, i64 M, i64 N, i64 C) {
  const RowSpan<WHOLE> s(u32(global_thread()), C);
  if (s.row >= M) return;
  const Eight by = s.load(gate + i64(s.row / u32(N)) * C);
  Eight e = s.load(z + s.row * C);
  LN_EACH_OF_8 e[i] *= by[i];
  if (x) e += s.load(x + s.row * C);
  s.store(y + s.row * C, e);
}

template <bool WHOLE, typename T>
LN_DEVICE void gate_bwd(const T* dy, const T* z, T* dgate, i64 N, i64 C) {
  const ColumnPlace place;
  const Span<WHOLE> s = place.span<WHOLE>(C);
  const i64 first = i64(blockIdx.y) * N * C;
  Eight sum{};
#pragma unroll 2
  for (i64 n = place.row; n < N; n += ColumnTile::kDown) {
    const Eight d = s.load(dy + first + n * C), e = s.load(z + first + n * C);
    LN_EACH_OF_8 sum[i] += d[i] * e[i];
  }
  sum = place.sum_down(sum);
  if (place.row == 0) s.store(dgate + i64(blockIdx.y) * C, sum);
}

LN_INSTANCES((RowTile::kMostThreads, 1), modulated_norm_fwd,
             (const T* x, const T* scale, const T* shift, T* y, float* stats, i64 M, i64 N, i64 C,
              float eps, i32 warps),
             LN_EIGHTS(whole_eights(C, x, scale, shift, y), modulated_norm_fwd, x, scale, shift, y,
                       stats, M, N, C, eps, warps))
LN_INSTANCES((RowTile::kMostThreads, 1), modulated_norm_bwd,
             (const T* dy, const T* x, const T* scale, const float* stats, T* dx, i64 M, i64 N,
              i64 C, i32 warps),
             LN_EIGHTS(whole_eights(C, dy, x, scale, dx), modulated_norm_bwd, dy, x, scale, stats,
                       dx, M, N, C, warps))
LN_INSTANCES((ColumnTile::kThreads), modulation_bwd,
             (const T* dy, const T* x, const float* stats, T* dscale, T* dshift, i64 N, i64 C),
             LN_EIGHTS(whole_eights(C, dy, x, dscale, dshift), modulation_bwd, dy, x, stats, dscale,
                       dshift, N, C))
LN_INSTANCES((256), gated_add, (const T* x, const T* z, const T* gate, T* y, i64 M, i64 N, i64 C),
             LN_EIGHTS(whole_eights(C, x, z, gate, y), gated_add, x, z, gate, y, M, N, C))
LN_INSTANCES((ColumnTile::kThreads), gate_bwd, (const T* dy, const T* z, T* dgate, i64 N, i64 C),
             LN_EIGHTS(whole_eights(C, dy, z, dgate), gate_bwd, dy, z, dgate, N, C))
