// Adafactor and CAME: second moments as the product of their rows' and their columns' means.
//                                                     Shazeer & Stern 2018, Luo et al. 2023
// A block for a matrix: rows' means (a warp, or for narrow rows a part of it, for a row), columns'
// means (a thread for a column, or for some of its rows where columns are few), then what stands
// for each number. After the first time the matrix is read from L2. Updates lie where the gradient
// was until it is zeroed. Where the norm is not finite only the gradient changes.
#include "clip.cuh"
#include "factored.h"

struct FactoredMeans {
  float *row, *column;
};

// Moves both means towards those of square(index), which is positive, by `fresh`.
template <typename F>
LN_DEVICE void update_means(const FactoredMatrix& at, FactoredMeans means, float fresh,
                            double* shared, F square) {
  constexpr u32 kThreads = FactoredTile::kThreads;
  const u32 rows = at.rows, columns = at.columns, thread = threadIdx.x;

  u32 lanes = 32;  // of a row
  while (lanes / 2 >= columns) lanes /= 2;
  const u32 lane = thread % lanes;
  for (u32 first = 0; first < rows; first += kThreads / lanes) {
    const u32 r = first + thread / lanes;
    float sum = 0;
    if (r < rows)
      for (u32 c = lane; c < columns; c += lanes) sum += square(r * columns + c);
    for (u32 l = lanes / 2; l > 0; l /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, l);
    if (r < rows && lane == 0) means.row[r] += fresh * (sum / float(columns) - means.row[r]);
  }

  const u32 groups = columns < kThreads ? kThreads / columns : 1;
  const u32 own = groups > 1 ? thread % columns : thread, group = groups > 1 ? thread / columns : 0;
  for (u32 first = 0; first < columns; first += kThreads) {
    const u32 c = first + own;
    double sum = 0;
    if (c < columns && group < groups)
      for (u32 r = group; r < rows; r += groups) sum += double(square(r * columns + c));
    shared[thread] = sum;
    __syncthreads();
    if (c < columns && group == 0) {
      for (u32 g = 1; g < groups; g++) sum += shared[thread + g * columns];
      means.column[c] += fresh * (float(sum) / float(rows) - means.column[c]);
    }
    __syncthreads();
  }
}

// Calls `each` with every index and one over the root of what stands there.
template <typename F>
LN_DEVICE void walk(const FactoredMatrix& at, FactoredMeans means, double* shared, F each) {
  const u32 rows = at.rows, columns = at.columns;
  double sum = 0;
  for (u32 r = threadIdx.x; r < rows; r += FactoredTile::kThreads) sum += double(means.row[r]);
  const float mean = float(block_sum(sum, shared)) / float(rows);
  for (u32 i = threadIdx.x; i < rows * columns; i += FactoredTile::kThreads)
    each(i, sqrtf(mean / means.row[i / columns]) / sqrtf(means.column[i % columns]));
}

// Turns gradients into updates; returns what divides these, so that their rms is no more than 1.
LN_DEVICE float updates(const FactoredMatrix& at, FactoredMeans means, float* grad, float factor,
                        float fresh, double* shared) {
  update_means(at, means, fresh, shared, [=](u32 i) {
    const float x = grad[i] * factor;
    return x * x + 1e-30f;
  });
  double squares = 0;
  walk(at, means, shared, [&](u32 i, float spread) {
    const float x = grad[i] * factor * spread;
    grad[i] = x;
    squares += double(x) * double(x);
  });
  __syncthreads();  // the mean has been read
  return fmaxf(1.0f,
               sqrtf(float(block_sum(squares, shared)) / (float(at.rows) * float(at.columns))));
}

extern "C" __global__ void __launch_bounds__(FactoredTile::kThreads)
    adafactor(float* p, float* grad, float* row, float* column, const FactoredMatrix* matrices,
              const float* clip, const gpu_step* step, AdafactorArguments a) {
  LN_DYNAMIC_SHARED(double, shared);
  const FactoredMatrix at = matrices[blockIdx.x];
  const u32 n = u32(at.rows) * u32(at.columns);
  p += i64(at.sixteens) * 16;
  grad += i64(at.sixteens) * 16;
  if (!overflowed(clip)) {
    const float fresh = powf(float(step->step), -0.8f);  // 1 - beta2
    const float size =
        updates(at, {row + at.row, column + at.column}, grad, clip[1], fresh, shared);
    const float rate = step->learning_rate * a.rate, move = rate / size;
    for (u32 i = threadIdx.x; i < n; i += FactoredTile::kThreads)
      p[i] -= rate * a.weight_decay * p[i] + move * grad[i];
  }
  for (u32 i = threadIdx.x; i < n; i += FactoredTile::kThreads) grad[i] = 0.0f;
}

extern "C" __global__ void __launch_bounds__(FactoredTile::kThreads)
    came(float* p, float* grad, float* m, float* row, float* column, float* residual_row,
         float* residual_column, const FactoredMatrix* matrices, const float* clip,
         const gpu_step* step, CameArguments a) {
  LN_DYNAMIC_SHARED(double, shared);
  const FactoredMatrix at = matrices[blockIdx.x];
  const u32 n = u32(at.rows) * u32(at.columns);
  p += i64(at.sixteens) * 16;
  grad += i64(at.sixteens) * 16;
  m += i64(at.sixteens) * 16;
  if (!overflowed(clip)) {
    const float scale = 1.0f / updates(at, {row + at.row, column + at.column}, grad, clip[1],
                                       1.0f - a.beta2, shared);
    const float rate = step->learning_rate * a.rate;
    for (u32 i = threadIdx.x; i < n; i += FactoredTile::kThreads) {
      grad[i] *= scale;
      m[i] += (1.0f - a.beta1) * (grad[i] - m[i]);
      p[i] -= rate * a.weight_decay * p[i];
    }
    __syncthreads();
    if (at.axes == 1) {
      for (u32 i = threadIdx.x; i < n; i += FactoredTile::kThreads) p[i] -= rate * m[i];
    } else {
      const FactoredMeans residuals = {residual_row + at.row, residual_column + at.column};
      update_means(at, residuals, 1.0f - a.beta3, shared, [=](u32 i) {
        const float x = grad[i] - m[i];
        return x * x + 1e-16f;
      });
      walk(at, residuals, shared, [=](u32 i, float spread) { p[i] -= rate * (m[i] * spread); });
    }
  }
  for (u32 i = threadIdx.x; i < n; i += FactoredTile::kThreads) grad[i] = 0.0f;
}

LN_KERNEL(adafactor)
LN_KERNEL(came)
