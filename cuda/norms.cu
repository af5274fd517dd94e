// Layer norm and group norm (with SiLU behind it), forward and backward to x.
//                                                         Ba et al. 2016; Wu & He 2018
//   xhat = (x - mean) rstd,  y = xhat w + b  (group norm: then silu)
//   dx = rstd (g - mean(g) - xhat mean(g xhat)),  g = dy w  (dy times silu'(y) first)
//
// Layer norm: one warp for a row of [M, C]. Group norm: a block of 256 for an image and group; its
// threads walk over pixels and the group's channels together, so that a warp reads runs of them;
// sums in f64 in a fixed order, 2 KB of shared memory. Bound by memory: x is read three times, from
// L2 after the first.
#include "gpu.cuh"
#include "norms.h"

template <typename T>
LN_DEVICE void layer_norm_fwd(const T* x, const float* w, const float* b, T* y, float* stats, i64 M,
                              i64 C, float eps) {
  i64 m = warp_row();
  if (m >= M) return;  // a whole warp
  i64 lane = threadIdx.x % 32;
  const T* row = x + m * C;
  float sum = 0, squares = 0;
  for (i64 c = lane; c < C; c += 32) sum += load(row[c]);
  float mean = warp_sum(sum) / float(C);
  for (i64 c = lane; c < C; c += 32) squares += (load(row[c]) - mean) * (load(row[c]) - mean);
  float rstd = 1.0f / sqrtf(warp_sum(squares) / float(C) + eps);
  if (lane == 0) {
    stats[2 * m] = mean;
    stats[2 * m + 1] = rstd;
  }
  for (i64 c = lane; c < C; c += 32)
    store(y + m * C + c, (load(row[c]) - mean) * rstd * w[c] + b[c]);
}

template <typename T>
LN_DEVICE void layer_norm_bwd(const T* dy, const T* x, const float* w, const float* stats, T* dx,
                              i64 M, i64 C) {
  i64 m = warp_row();
  if (m >= M) return;
  i64 lane = threadIdx.x % 32;
  const T *g = dy + m * C, *row = x + m * C;
  float mean = stats[2 * m], rstd = stats[2 * m + 1], sum = 0, dot = 0;
  for (i64 c = lane; c < C; c += 32) {
    float d = load(g[c]) * w[c];
    sum += d;
    dot += d * (load(row[c]) - mean) * rstd;
  }
  sum = warp_sum(sum) / float(C);
  dot = warp_sum(dot) / float(C);
  for (i64 c = lane; c < C; c += 32)
    store(dx + m * C + c, rstd * (load(g[c]) * w[c] - sum - (load(row[c]) - mean) * rstd * dot));
}

// The elements of one image and group, spread over the block's threads.
struct GroupWalk {
  i64 first, at, width, count, C;

  LN_DEVICE explicit GroupWalk(const GroupArguments& g) {
    width = g.C / g.groups;
    first = blockIdx.x % g.groups * width;
    at = blockIdx.x / g.groups * g.N * g.C + first;
    count = g.N * width;
    C = g.C;
  }
  LN_DEVICE i64 channel(i64 i) const { return first + i % width; }
  LN_DEVICE i64 index(i64 i) const { return at + i / width * C + i % width; }
};

LN_DEVICE float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

template <typename T>
LN_DEVICE void group_norm_fwd(const T* x, const float* w, const float* b, T* y, float* stats,
                              const GroupArguments& g) {
  LN_DYNAMIC_SHARED(double, shared);
  const GroupWalk walk(g);
  double sum = 0, squares = 0;
  for (i64 i = threadIdx.x; i < walk.count; i += blockDim.x) sum += double(load(x[walk.index(i)]));
  float mean = float(block_sum(sum, shared) / double(walk.count));
  for (i64 i = threadIdx.x; i < walk.count; i += blockDim.x) {
    float d = load(x[walk.index(i)]) - mean;
    squares += double(d * d);
  }
  __syncthreads();  // the sum before has been read
  float rstd = 1.0f / sqrtf(float(block_sum(squares, shared) / double(walk.count)) + g.eps);
  if (threadIdx.x == 0) {
    stats[2 * i64(blockIdx.x)] = mean;
    stats[2 * i64(blockIdx.x) + 1] = rstd;
  }
  for (i64 i = threadIdx.x; i < walk.count; i += blockDim.x) {
    i64 c = walk.channel(i);
    float z = (load(x[walk.index(i)]) - mean) * rstd * w[c] + b[c];
    store(y + walk.index(i), g.silu ? z * sigmoid(z) : z);
  }
}

template <typename T>
LN_DEVICE void group_norm_bwd(const T* dy, const T* x, const float* w, const float* b,
                              const float* stats, T* dx, const GroupArguments& g) {
  LN_DYNAMIC_SHARED(double, shared);
  const GroupWalk walk(g);
  float mean = stats[2 * i64(blockIdx.x)], rstd = stats[2 * i64(blockIdx.x) + 1];
  // xhat, and the gradient that reaches it.
  auto inner = [&](i64 i, float* xhat) {
    i64 c = walk.channel(i);
    *xhat = (load(x[walk.index(i)]) - mean) * rstd;
    float d = load(dy[walk.index(i)]);
    if (g.silu) {
      float z = *xhat * w[c] + b[c], s = sigmoid(z);
      d *= s * (1.0f + z * (1.0f - s));
    }
    return d * w[c];
  };
  double sum = 0, dot = 0;
  float xhat;
  for (i64 i = threadIdx.x; i < walk.count; i += blockDim.x) {
    float d = inner(i, &xhat);
    sum += double(d);
    dot += double(d * xhat);
  }
  float mean_g = float(block_sum(sum, shared) / double(walk.count));
  __syncthreads();  // the sum before has been read
  float mean_dot = float(block_sum(dot, shared) / double(walk.count));
  for (i64 i = threadIdx.x; i < walk.count; i += blockDim.x) {
    float d = inner(i, &xhat);
    store(dx + walk.index(i), rstd * (d - mean_g - xhat * mean_dot));
  }
}

LN_INSTANCES((128), layer_norm_fwd,
             (const T* x, const float* w, const float* b, T* y, float* stats, i64 M, i64 C,
              float eps),
             layer_norm_fwd(x, w, b, y, stats, M, C, eps))
LN_INSTANCES((128), layer_norm_bwd,
             (const T* dy, const T* x, const float* w, const float* stats, T* dx, i64 M, i64 C),
             layer_norm_bwd(dy, x, w, stats, dx, M, C))
LN_INSTANCES((GroupTile::kThreads, 1), group_norm_fwd,
             (const T* x, const float* w, const float* b, T* y, float* stats, GroupArguments g),
             group_norm_fwd(x, w, b, y, stats, g))
LN_INSTANCES((GroupTile::kThreads, 1), group_norm_bwd,
             (const T* dy, const T* x, const float* w, const float* b, const float* stats, T* dx,
              GroupArguments g),
             group_norm_bwd(dy, x, w, b, stats, dx, g))
