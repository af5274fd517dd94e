// Layer norm and group norm (with SiLU behind it), forward and backward to x.
//                                            Ba et al. 2016; Wu & He 2018
//
//   xhat = (x - mean) rstd,  y = xhat w + b  (group norm: then silu)
//   dx = rstd (g - mean(g) - xhat mean(g xhat)),  g = dy w  (dy times silu'(y) first)
//
// Layer norm: one thread for a row. Group norm: one thread for an image and group, which walks down
// the rows of its channels. Sums over a group in f64. Bound by memory.
#include <math.h>

#include "cpu/ops/activations.h"

namespace ln {
namespace LN_ISA {
namespace {

template <typename T>
void layer_forward(const Device* device, const T* x, const float* w, const float* b, T* y,
                   float* stats, int64_t M, int64_t C, float eps) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t m = 0; m < M; m++) {
    const T* row = x + m * C;
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
    for (int64_t c = 0; c < C; c++) store(to + c, (load(row[c]) - mean) * rstd * w[c] + b[c]);
  }
}

template <typename T>
void layer_backward(const Device* device, const T* dy, const T* x, const float* w,
                    const float* stats, T* dx, int64_t M, int64_t C) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t m = 0; m < M; m++) {
    const T *g = dy + m * C, *row = x + m * C;
    float mean = stats[2 * m], rstd = stats[2 * m + 1], sum = 0, dot = 0;
#pragma omp simd reduction(+ : sum, dot)
    for (int64_t c = 0; c < C; c++) {
      float d = load(g[c]) * w[c];
      sum += d;
      dot += d * (load(row[c]) - mean) * rstd;
    }
    sum /= float(C);
    dot /= float(C);
    T* to = dx + m * C;
    for (int64_t c = 0; c < C; c++)
      store(to + c, rstd * (load(g[c]) * w[c] - sum - (load(row[c]) - mean) * rstd * dot));
  }
}

struct Groups {
  int64_t B, N, C, groups;
  float eps;
  bool silu;

  int64_t width() const { return C / groups; }
};

template <typename T>
void group_forward(const Device* device, const Groups& s, const T* x, const float* w,
                   const float* b, T* y, float* stats) {
  int64_t width = s.width();
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t unit = 0; unit < s.B * s.groups; unit++) {
    int64_t first = unit % s.groups * width, at = unit / s.groups * s.N * s.C + first;
    double sum = 0, squares = 0;
    for (int64_t n = 0; n < s.N; n++) {
      const T* row = x + at + n * s.C;
      float part = 0;
      for (int64_t c = 0; c < width; c++) part += load(row[c]);
      sum += double(part);
    }
    float mean = float(sum / double(s.N * width));
    for (int64_t n = 0; n < s.N; n++) {
      const T* row = x + at + n * s.C;
      float part = 0;
      for (int64_t c = 0; c < width; c++) part += (load(row[c]) - mean) * (load(row[c]) - mean);
      squares += double(part);
    }
    float rstd = 1.0f / sqrtf(float(squares / double(s.N * width)) + s.eps);
    stats[2 * unit] = mean;
    stats[2 * unit + 1] = rstd;
    for (int64_t n = 0; n < s.N; n++) {
      const T* row = x + at + n * s.C;
      T* to = y + at + n * s.C;
      for (int64_t c = 0; c < width; c++) {
        float z = (load(row[c]) - mean) * rstd * w[first + c] + b[first + c];
        store(to + c, s.silu ? Silu::value(z) : z);
      }
    }
  }
}

template <typename T>
void group_backward(const Device* device, const Groups& s, const T* dy, const T* x, const float* w,
                    const float* b, const float* stats, T* dx) {
  int64_t width = s.width();
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t unit = 0; unit < s.B * s.groups; unit++) {
    int64_t first = unit % s.groups * width, at = unit / s.groups * s.N * s.C + first;
    float mean = stats[2 * unit], rstd = stats[2 * unit + 1];
    // The gradient that reaches xhat.
    auto inner = [&](int64_t i, int64_t c, float xhat) {
      float g = load(dy[i]);
      if (s.silu) g *= Silu::slope(xhat * w[first + c] + b[first + c]);
      return g * w[first + c];
    };
    double sum = 0, dot = 0;
    for (int64_t n = 0; n < s.N; n++) {
      float part = 0, dot_part = 0;
      for (int64_t c = 0; c < width; c++) {
        int64_t i = at + n * s.C + c;
        float xhat = (load(x[i]) - mean) * rstd, g = inner(i, c, xhat);
        part += g;
        dot_part += g * xhat;
      }
      sum += double(part);
      dot += double(dot_part);
    }
    float mean_g = float(sum / double(s.N * width)), mean_dot = float(dot / double(s.N * width));
    for (int64_t n = 0; n < s.N; n++)
      for (int64_t c = 0; c < width; c++) {
        int64_t i = at + n * s.C + c;
        float xhat = (load(x[i]) - mean) * rstd;
        store(dx + i, rstd * (inner(i, c, xhat) - mean_g - xhat * mean_dot));
      }
  }
}

}  // namespace

int ln_layer_norm_fwd(int64_t device, int64_t x, int64_t w, int64_t b, int64_t y, int64_t stats,
                      int64_t M, int64_t C, float eps, int32_t dtype) {
  auto run = [&](auto* type) {
    using T = __typeof__(*type);
    layer_forward(of(device), ptr<T>(x), ptr<float>(w), ptr<float>(b), ptr<T>(y), ptr<float>(stats),
                  M, C, eps);
  };
  dtype == LN_BF16 ? run(ptr<bf16>(0)) : run(ptr<float>(0));
  return LN_OK;
}

int ln_layer_norm_bwd(int64_t device, int64_t dy, int64_t x, int64_t w, int64_t stats, int64_t dx,
                      int64_t M, int64_t C, int32_t dtype) {
  auto run = [&](auto* type) {
    using T = __typeof__(*type);
    layer_backward(of(device), ptr<T>(dy), ptr<T>(x), ptr<float>(w), ptr<float>(stats), ptr<T>(dx),
                   M, C);
  };
  dtype == LN_BF16 ? run(ptr<bf16>(0)) : run(ptr<float>(0));
  return LN_OK;
}

int ln_group_norm_fwd(int64_t device, int64_t x, int64_t w, int64_t b, int64_t y, int64_t stats,
                      int64_t B, int64_t N, int64_t C, int64_t groups, float eps, int32_t silu,
                      int32_t dtype) {
  Groups s{B, N, C, groups, eps, silu != 0};
  auto run = [&](auto* type) {
    using T = __typeof__(*type);
    group_forward(of(device), s, ptr<T>(x), ptr<float>(w), ptr<float>(b), ptr<T>(y),
                  ptr<float>(stats));
  };
  dtype == LN_BF16 ? run(ptr<bf16>(0)) : run(ptr<float>(0));
  return LN_OK;
}

int ln_group_norm_bwd(int64_t device, int64_t dy, int64_t x, int64_t w, int64_t b, int64_t stats,
                      int64_t dx, int64_t B, int64_t N, int64_t C, int64_t groups, int32_t silu,
                      int32_t dtype) {
  Groups s{B, N, C, groups, 0, silu != 0};
  auto run = [&](auto* type) {
    using T = __typeof__(*type);
    group_backward(of(device), s, ptr<T>(dy), ptr<T>(x), ptr<float>(w), ptr<float>(b),
                   ptr<float>(stats), ptr<T>(dx));
  };
  dtype == LN_BF16 ? run(ptr<bf16>(0)) : run(ptr<float>(0));
  return LN_OK;
}

}  // namespace LN_ISA
}  // namespace ln
