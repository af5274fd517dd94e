// What transformers of images do with a timestep: layer norms whose scale and shift it makes, and
// gated residual adds.                                           Peebles & Xie 2023 (adaLN-Zero)
//
//   xhat = (x - mean) rstd,  y = xhat (1 + scale) + shift
//   dx = rstd (g - mean(g) - xhat mean(g xhat)),  g = dy (1 + scale)
//
// One thread for a row; sums over rows by channel, in their order. Bound by memory.
#include <math.h>

#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {
namespace {

template <typename T>
void forward(const Device* device, const T* x, const T* scale, const T* shift, T* y, float* stats,
             int64_t B, int64_t N, int64_t C, float eps) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t m = 0; m < B * N; m++) {
    const T *row = x + m * C, *by = scale + m / N * C, *plus = shift + m / N * C;
    float sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t c = 0; c < C; c++) sum += load(row[c]);
    float mean = sum / float(C);
#pragma omp simd reduction(+ : squares)
    for (int64_t c = 0; c < C; c++) squares += (load(row[c]) - mean) * (load(row[c]) - mean);
    float rstd = 1.0f / sqrtf(squares / float(C) + eps);
    stats[2 * m] = mean;
    stats[2 * m + 1] = rstd;
    T* to = y + m * C;
    for (int64_t c = 0; c < C; c++)
      store(to + c, (load(row[c]) - mean) * rstd * (1.0f + load(by[c])) + load(plus[c]));
  }
}

template <typename T>
void backward(const Device* device, const T* dy, const T* x, const T* scale, const float* stats,
              T* dx, int64_t B, int64_t N, int64_t C) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t m = 0; m < B * N; m++) {
    const T *g = dy + m * C, *row = x + m * C, *by = scale + m / N * C;
    float mean = stats[2 * m], rstd = stats[2 * m + 1], sum = 0, dot = 0;
#pragma omp simd reduction(+ : sum, dot)
    for (int64_t c = 0; c < C; c++) {
      float d = load(g[c]) * (1.0f + load(by[c]));
      sum += d;
      dot += d * (load(row[c]) - mean) * rstd;
    }
    sum /= float(C);
    dot /= float(C);
    T* to = dx + m * C;
    for (int64_t c = 0; c < C; c++) {
      float d = load(g[c]) * (1.0f + load(by[c]));
      store(to + c, rstd * (d - sum - (load(row[c]) - mean) * rstd * dot));
    }
  }
}

// Calls add(row, c, sums) down the rows of each image, a block of channels at a time, so that rows
// are read along; then put(image, c, sums).
template <typename Add, typename Put>
void down_rows(const Device* device, int64_t B, int64_t N, int64_t C, Add add, Put put) {
  constexpr int64_t kBlock = 64;
  int64_t blocks = (C + kBlock - 1) / kBlock;
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t unit = 0; unit < B * blocks; unit++) {
    int64_t b = unit / blocks, first = unit % blocks * kBlock, end = lo(first + kBlock, C);
    float one[kBlock] = {}, other[kBlock] = {};
    for (int64_t m = b * N; m < (b + 1) * N; m++)
      for (int64_t c = first; c < end; c++) add(m, c, one + (c - first), other + (c - first));
    for (int64_t c = first; c < end; c++) put(b * C + c, one[c - first], other[c - first]);
  }
}

template <typename T>
void gated_add(const Device* device, const T* x, const T* z, const T* gate, T* y, int64_t B,
               int64_t N, int64_t C) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t m = 0; m < B * N; m++) {
    const T* by = gate + m / N * C;
    for (int64_t c = 0; c < C; c++) {
      float branch = load(by[c]) * load(z[m * C + c]);
      store(y + m * C + c, x ? load(x[m * C + c]) + branch : branch);
    }
  }
}

}  // namespace

int ln_modulated_norm_fwd(int64_t device, int64_t x, int64_t scale, int64_t shift, int64_t y,
                          int64_t stats, int64_t B, int64_t N, int64_t C, float eps,
                          int32_t dtype) {
  auto run = [&](auto* type) {
    using T = __typeof__(*type);
    forward(of(device), ptr<T>(x), ptr<T>(scale), ptr<T>(shift), ptr<T>(y), ptr<float>(stats), B, N,
            C, eps);
  };
  dtype == LN_BF16 ? run(ptr<bf16>(0)) : run(ptr<float>(0));
  return LN_OK;
}

int ln_modulated_norm_bwd(int64_t device, int64_t dy, int64_t x, int64_t scale, int64_t stats,
                          int64_t dx, int64_t B, int64_t N, int64_t C, int32_t dtype) {
  auto run = [&](auto* type) {
    using T = __typeof__(*type);
    backward(of(device), ptr<T>(dy), ptr<T>(x), ptr<T>(scale), ptr<float>(stats), ptr<T>(dx), B, N,
             C);
  };
  dtype == LN_BF16 ? run(ptr<bf16>(0)) : run(ptr<float>(0));
  return LN_OK;
}

int ln_modulated_norm_weight_bwd(int64_t device, int64_t dy, int64_t x, int64_t stats,
                                 int64_t dscale, int64_t dshift, int64_t B, int64_t N, int64_t C,
                                 int32_t dtype) {
  auto run = [&](auto* type) {
    using T = __typeof__(*type);
    const T *g = ptr<T>(dy), *from = ptr<T>(x);
    const float* s = ptr<float>(stats);
    T *to_scale = ptr<T>(dscale), *to_shift = ptr<T>(dshift);
    down_rows(
        of(device), B, N, C,
        [=](int64_t m, int64_t c, float* by, float* plus) {
          float d = load(g[m * C + c]);
          *by += d * (load(from[m * C + c]) - s[2 * m]) * s[2 * m + 1];
          *plus += d;
        },
        [=](int64_t at, float by, float plus) {
          store(to_scale + at, by);
          store(to_shift + at, plus);
        });
  };
  dtype == LN_BF16 ? run(ptr<bf16>(0)) : run(ptr<float>(0));
  return LN_OK;
}

int ln_gated_add_fwd(int64_t device, int64_t x, int64_t z, int64_t gate, int64_t y, int64_t B,
                     int64_t N, int64_t C, int32_t dtype) {
  auto run = [&](auto* type) {
    using T = __typeof__(*type);
    gated_add(of(device), ptr<T>(x), ptr<T>(z), ptr<T>(gate), ptr<T>(y), B, N, C);
  };
  dtype == LN_BF16 ? run(ptr<bf16>(0)) : run(ptr<float>(0));
  return LN_OK;
}

int ln_gated_add_bwd(int64_t device, int64_t dy, int64_t gate, int64_t dz, int64_t B, int64_t N,
                     int64_t C, int32_t dtype) {
  return ln_gated_add_fwd(device, 0, dy, gate, dz, B, N, C, dtype);
}

int ln_gated_add_weight_bwd(int64_t device, int64_t dy, int64_t z, int64_t dgate, int64_t B,
                            int64_t N, int64_t C, int32_t dtype) {
  auto run = [&](auto* type) {
    using T = __typeof__(*type);
    const T *g = ptr<T>(dy), *branch = ptr<T>(z);
    T* to = ptr<T>(dgate);
    down_rows(
        of(device), B, N, C,
        [=](int64_t m, int64_t c, float* sum, float*) {
          *sum += load(g[m * C + c]) * load(branch[m * C + c]);
        },
        [=](int64_t at, float sum, float) { store(to + at, sum); });
  };
  dtype == LN_BF16 ? run(ptr<bf16>(0)) : run(ptr<float>(0));
  return LN_OK;
}

}  // namespace LN_ISA
}  // namespace ln
