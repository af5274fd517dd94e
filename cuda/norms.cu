// Layer norm and group norm (with SiLU behind it), forward and backward to x.
//                                                         Ba et al. 2016; Wu & He 2018
//   xhat = (x - mean) rstd,  y = xhat w + b  (group norm: then silu)
//   dx = rstd (g - mean(g) - xhat mean(g xhat)),  g = dy w  (dy times silu'(y) first)
//
// Layer norm: layer_norm.cuh. Group norm is two launches: the first leaves
// each block's two sums of each group, the second adds them up and normalizes. A thread owns eight
// channels, whose group may end among them, so it sums by channel; shared memory brings channels
// and rows of threads together, in a fixed order. Variances are added as Chan et al. 1983 do, each
// about its own mean: no cancellation, so f32 suffices.
//
// Bound by memory: x is read twice, the second time from L2 where it fits, and y written once. The
// sums are 1 KB a group. Predicted for [1, 16384, 320] in bf16 on an H100: 128 blocks of 480 busy
// threads with 4 reads of 16 bytes in flight each; 21 MB, 12 to 16 us (one block a group: 620 us).
#include "layer_norm.cuh"
#include "logistic.cuh"
#include "norms.h"

template <bool WHOLE, typename T>
LN_DEVICE void layer_norm_fwd(const T* x, const float* w, const float* b, T* y, float* stats, i64 M,
                              i64 C, float eps, i32 warps) {
  const RowWalk<WHOLE> walk(C, warps);
  if (walk.m >= M) return;  // the whole row
  normalize_row(walk, x, y, stats, C, eps, [&](const Span<WHOLE>& s, Eight* xhat) {
    const Eight by = s.load(w), plus = s.load(b);
    LN_EACH_OF_8 xhat->x[i] = xhat->x[i] * by[i] + plus[i];
  });
}

template <bool WHOLE, typename T>
LN_DEVICE void layer_norm_bwd(const T* dy, const T* x, const float* w, const float* stats, T* dx,
                              i64 M, i64 C, i32 warps) {
  const RowWalk<WHOLE> walk(C, warps);
  if (walk.m >= M) return;
  normalize_row_bwd(walk, dy, x, stats, dx, C, [&](const Span<WHOLE>& s, Eight* d) {
    const Eight by = s.load(w);
    LN_EACH_OF_8 d->x[i] *= by[i];
  });
}

// The pixels and channels of a thread.
struct GroupWalk {
  const GroupArguments& g;
  i32 across, down, column, row, pixels;
  i64 at;  // of the block's first pixel

  LN_DEVICE explicit GroupWalk(const GroupArguments& g_) : g(g_) {
    across = GroupTile::across(g.C);
    down = GroupTile::down(g.C);
    column = i32(threadIdx.x) % across;
    row = i32(threadIdx.x) / across;
    const i64 first = i64(blockIdx.x) * g.pixels, left = g.N - first;
    pixels = left < g.pixels ? i32(left) : g.pixels;
    at = (i64(blockIdx.y) * g.N + first) * g.C;
  }
  LN_DEVICE i32 width() const { return g.C / g.groups; }
  // Pixels that a row of threads walks over.
  LN_DEVICE i32 count(i32 of_row) const {
    return of_row < down && of_row < pixels ? (pixels - of_row + down - 1) / down : 0;
  }
  // Where the thread's k-th pixel lies from its first.
  LN_DEVICE i64 pixel(i32 k) const { return i64(k) * (down * g.C); }
  template <int BATCH, typename Run>
  LN_DEVICE void pixel_batches(Run run) const {
    const i32 n = count(row);
    for (i32 k0 = 0; k0 < n; k0 += BATCH) run(k0, n);
  }

  // Calls run(span, of its first pixel) for the thread's eights of channels.
  template <bool WHOLE, typename Run>
  LN_DEVICE void columns(Run run) const {
    if (row >= down) return;
    for (i32 c = column * 8; c < g.C; c += across * 8)
      run(Span<WHOLE>(c, g.C), at + i64(row) * g.C);
  }

  LN_DEVICE GroupSums* channel(GroupSums* shared, i32 of_row, i32 c) const {
    return shared + of_row * g.C + c;
  }
  // A warp for a group: calls run(row of threads, channel) for its share.
  template <typename Run>
  LN_DEVICE void group(i32 group, Run run) const {
    const i32 n = width() * down;
    for (i32 i = i32(threadIdx.x) % 32; i < n; i += 32)
      run(i / width(), group * width() + i % width());
  }
  template <typename Sums>
  LN_DEVICE Sums* of_group(Sums* sums, i32 group) const {
    return sums + (i64(blockIdx.y) * g.groups + group) * g.splits;
  }
};

template <bool WHOLE, typename T>
LN_DEVICE void group_moments(const T* x, GroupSums* sums, const GroupArguments& g) {
  LN_DYNAMIC_SHARED(GroupSums, shared);
  const GroupWalk walk(g);
  walk.columns<WHOLE>([&](const Span<WHOLE>& s, i64 at) {
    const T* from = x + at;
    const i32 n = walk.count(walk.row);
    Eight sum{}, squares{};
    const Eight pivot = n > 0 ? s.load(from) : Eight{};  // keeps squares small
#pragma unroll 4
    for (i32 k = 0; k < n; k++) {
      const Eight e = s.load(from + walk.pixel(k));
      LN_EACH_OF_8 {
        const float d = e[i] - pivot[i];
        sum[i] += d;
        squares[i] += d * d;
      }
    }
    const float by = n > 0 ? 1.0f / float(n) : 0.0f;
    LN_EACH_OF_8 if (i < s.count) {
      *walk.channel(shared, walk.row, i32(s.at) + i) = {pivot[i] * float(n) + sum[i],
                                                        squares[i] - sum[i] * sum[i] * by};
    }
  });
  __syncthreads();
  for (i32 group = i32(threadIdx.x) / 32; group < g.groups; group += GroupTile::kThreads / 32) {
    float sum = 0, squares = 0;
    walk.group(group, [&](i32 row, i32 c) { sum += walk.channel(shared, row, c)->a; });
    sum = warp_sum(sum);
    const float mean = sum / (float(walk.pixels) * float(walk.width()));
    walk.group(group, [&](i32 row, i32 c) {
      const float n = float(walk.count(row));
      if (n == 0) return;
      const GroupSums here = *walk.channel(shared, row, c);
      const float d = here.a / n - mean;
      squares += here.b + n * d * d;
    });
    squares = warp_sum(squares);
    if (threadIdx.x % 32 == 0) walk.of_group(sums, group)[blockIdx.x] = {sum, squares};
  }
}

template <bool WHOLE, typename T>
LN_DEVICE void group_norm_fwd(const T* x, const float* w, const float* b, const GroupSums* sums,
                              T* y, float* stats, const GroupArguments& g) {
  LN_DYNAMIC_SHARED(GroupSums, of_groups);  // mean, rstd
  const GroupWalk walk(g);
  const float all = float(g.N) * float(walk.width());
  for (i32 group = i32(threadIdx.x) / 32; group < g.groups; group += GroupTile::kThreads / 32) {
    const GroupSums* parts = walk.of_group(sums, group);
    float sum = 0, squares = 0;
    for (i32 k = i32(threadIdx.x) % 32; k < g.splits; k += 32) sum += parts[k].a;
    const float mean = warp_sum(sum) / all;
    for (i32 k = i32(threadIdx.x) % 32; k < g.splits; k += 32) {
      const i64 left = g.N - i64(k) * g.pixels;
      const float n = float(left < g.pixels ? left : g.pixels) * float(walk.width());
      const float d = parts[k].a / n - mean;
      squares += parts[k].b + n * d * d;
    }
    const float rstd = 1.0f / sqrtf(warp_sum(squares) / all + g.eps);
    if (threadIdx.x % 32 == 0) {
      of_groups[group] = {mean, rstd};
      const i64 at = 2 * (i64(blockIdx.y) * g.groups + group);
      if (blockIdx.x == 0) stats[at] = mean;
      if (blockIdx.x == 0) stats[at + 1] = rstd;
    }
  }
  __syncthreads();
  walk.columns<WHOLE>([&](const Span<WHOLE>& s, i64 at) {
    Eight mean{}, by{};
    const Eight weight = s.load(w), plus = s.load(b);
    LN_EACH_OF_8 if (i < s.count) {
      const GroupSums here = of_groups[(i32(s.at) + i) / walk.width()];
      mean[i] = here.a;
      by[i] = here.b * weight[i];
    }
    walk.pixel_batches<4>([&](i32 k0, i32 n) {  // all reads, then all stores
      Eight e[4];
#pragma unroll
      for (i32 j = 0; j < 4; j++)
        if (k0 + j < n) e[j] = s.load(x + at + walk.pixel(k0 + j));
#pragma unroll
      for (i32 j = 0; j < 4; j++) {
        if (k0 + j >= n) return;
        LN_EACH_OF_8 {
          const float z = (e[j][i] - mean[i]) * by[i] + plus[i];
          e[j][i] = g.silu ? z * sigmoid(z) : z;
        }
        s.store(y + at + walk.pixel(k0 + j), e[j]);
      }
    });
  });
}

// What backward needs of eight channels: z = (x - mean) by + plus, and rstd.
struct GroupChannels {
  Eight mean, rstd, by, plus;

  template <bool WHOLE>
  LN_DEVICE GroupChannels(const GroupWalk& walk, const Span<WHOLE>& s, const float* w,
                          const float* b, const float* stats)
      : mean{}, rstd{}, by(s.load(w)), plus(s.load(b)) {
    LN_EACH_OF_8 if (i < s.count) {
      const i64 group = i64(blockIdx.y) * walk.g.groups + (i32(s.at) + i) / walk.width();
      mean[i] = stats[2 * group];
      rstd[i] = stats[2 * group + 1];
      by[i] *= rstd[i];
    }
  }
  // dy behind silu, of the i-th channel; *x becomes its distance from the mean.
  LN_DEVICE float inner(int i, float dy, float* x, i32 silu) const {
    *x -= mean[i];
    if (!silu) return dy;
    const float z = *x * by[i] + plus[i];
    const Logistic l(z);
    return dy * l.s * (1.0f + z * l.rest);
  }
};

template <bool WHOLE, typename T>
LN_DEVICE void group_gradients(const T* dy, const T* x, const float* w, const float* b,
                               const float* stats, GroupSums* sums, const GroupArguments& g) {
  LN_DYNAMIC_SHARED(GroupSums, shared);
  const GroupWalk walk(g);
  walk.columns<WHOLE>([&](const Span<WHOLE>& s, i64 at) {
    const GroupChannels channels(walk, s, w, b, stats);
    Eight sum{}, dot{};
    const i32 n = walk.count(walk.row);
#pragma unroll 2
    for (i32 k = 0; k < n; k++) {
      const Eight d = s.load(dy + at + walk.pixel(k));
      Eight e = s.load(x + at + walk.pixel(k));
      LN_EACH_OF_8 {
        const float inner = channels.inner(i, d[i], &e[i], g.silu);
        sum[i] += inner;
        dot[i] += inner * e[i];
      }
    }
    const Eight weight = s.load(w);
    LN_EACH_OF_8 if (i < s.count) {
      *walk.channel(shared, walk.row, i32(s.at) + i) = {sum[i] * weight[i],
                                                        dot[i] * channels.by[i]};
    }
  });
  __syncthreads();
  for (i32 group = i32(threadIdx.x) / 32; group < g.groups; group += GroupTile::kThreads / 32) {
    GroupSums here{0, 0};
    walk.group(group, [&](i32 row, i32 c) {
      here.a += walk.channel(shared, row, c)->a;
      here.b += walk.channel(shared, row, c)->b;
    });
    here = {warp_sum(here.a), warp_sum(here.b)};
    if (threadIdx.x % 32 == 0) walk.of_group(sums, group)[blockIdx.x] = here;
  }
}

template <bool WHOLE, typename T>
LN_DEVICE void group_norm_bwd(const T* dy, const T* x, const float* w, const float* b,
                              const float* stats, const GroupSums* sums, T* dx,
                              const GroupArguments& g) {
  LN_DYNAMIC_SHARED(GroupSums, of_groups);  // mean of g, of g xhat
  const GroupWalk walk(g);
  const float all = float(g.N) * float(walk.width());
  for (i32 group = i32(threadIdx.x) / 32; group < g.groups; group += GroupTile::kThreads / 32) {
    const GroupSums* parts = walk.of_group(sums, group);
    GroupSums here{0, 0};
    for (i32 k = i32(threadIdx.x) % 32; k < g.splits; k += 32) {
      here.a += parts[k].a;
      here.b += parts[k].b;
    }
    here = {warp_sum(here.a) / all, warp_sum(here.b) / all};
    if (threadIdx.x % 32 == 0) of_groups[group] = here;
  }
  __syncthreads();
  walk.columns<WHOLE>([&](const Span<WHOLE>& s, i64 at) {
    const GroupChannels channels(walk, s, w, b, stats);
    Eight pull{}, slope{};  // rstd mean(g), rstd^2 mean(g xhat)
    LN_EACH_OF_8 if (i < s.count) {
      const GroupSums here = of_groups[(i32(s.at) + i) / walk.width()];
      pull[i] = channels.rstd[i] * here.a;
      slope[i] = channels.rstd[i] * channels.rstd[i] * here.b;
    }
    walk.pixel_batches<2>([&](i32 k0, i32 n) {
      Eight d[2], e[2];
#pragma unroll
      for (i32 j = 0; j < 2; j++)
        if (k0 + j < n) {
          d[j] = s.load(dy + at + walk.pixel(k0 + j));
          e[j] = s.load(x + at + walk.pixel(k0 + j));
        }
#pragma unroll
      for (i32 j = 0; j < 2; j++) {
        if (k0 + j >= n) return;
        LN_EACH_OF_8 {
          const float inner = channels.inner(i, d[j][i], &e[j][i], g.silu);
          d[j][i] = inner * channels.by[i] - pull[i] - e[j][i] * slope[i];
        }
        s.store(dx + at + walk.pixel(k0 + j), d[j]);
      }
    });
  });
}

LN_INSTANCES((RowTile::kMostThreads, 1), layer_norm_fwd,
             (const T* x, const float* w, const float* b, T* y, float* stats, i64 M, i64 C,
              float eps, i32 warps),
             LN_EIGHTS(whole_eights(C, x, w, b, y), layer_norm_fwd, x, w, b, y, stats, M, C, eps,
                       warps))
LN_INSTANCES((RowTile::kMostThreads, 1), layer_norm_bwd,
             (const T* dy, const T* x, const float* w, const float* stats, T* dx, i64 M, i64 C,
              i32 warps),
             LN_EIGHTS(whole_eights(C, dy, x, w, dx), layer_norm_bwd, dy, x, w, stats, dx, M, C,
                       warps))
LN_INSTANCES((GroupTile::kThreads, 1), group_moments,
             (const T* x, GroupSums* sums, GroupArguments g),
             LN_EIGHTS(whole_eights(g.C, x), group_moments, x, sums, g))
LN_INSTANCES((GroupTile::kThreads, 1), group_norm_fwd,
             (const T* x, const float* w, const float* b, const GroupSums* sums, T* y, float* stats,
              GroupArguments g),
             LN_EIGHTS(whole_eights(g.C, x, w, b, y), group_norm_fwd, x, w, b, sums, y, stats, g))
LN_INSTANCES((GroupTile::kThreads, 1), group_gradients,
             (const T* dy, const T* x, const float* w, const float* b, const float* stats,
              GroupSums* sums, GroupArguments g),
             LN_EIGHTS(whole_eights(g.C, dy, x, w, b), group_gradients, dy, x, w, b, stats, sums,
                       g))
LN_INSTANCES((GroupTile::kThreads, 1), group_norm_bwd,
             (const T* dy, const T* x, const float* w, const float* b, const float* stats,
              const GroupSums* sums, T* dx, GroupArguments g),
             LN_EIGHTS(whole_eights(g.C, dy, x, w, b, dx), group_norm_bwd, dy, x, w, b, stats, sums,
                       dx, g))
