// Group norm with SiLU behind it, forward and backward to x.                  Wu & He 2018
//
//   xhat = (x - mean) rstd,  y = silu(xhat w + b)
//   dx = rstd (g - mean(g) - xhat mean(g xhat)),  g = dy silu'(y) w
//
// Images are [N, C] with a group's channels side by side, so every pass goes along whole rows, and
// what belongs to a group is held once for each of its channels. Sums run over blocks of rows whose
// number does not depend on the threads, in f32 over 64 rows and in f64 beyond. Bound by memory:
// forward reads x three times, backward dy and x twice.
#include <math.h>
#include <stdlib.h>

#include "cpu/ops/activations.h"

namespace ln {
namespace LN_ISA {
namespace {

constexpr int64_t kBlocks = 64, kRows = 64, kChannels = 128;

struct Groups {
  const Device* device;
  int64_t B, N, C, groups;

  int64_t width() const { return C / groups; }
};

// Memory of one call.
struct Buffer {
  void* memory;
  explicit Buffer(int64_t bytes) : memory(malloc(size_t(bytes))) {}
  ~Buffer() { free(memory); }
  Buffer(const Buffer&) = delete;
};

// Adds value(image, index, channel) over each image's groups into sums [B, groups].
template <typename Value>
int group_sums(const Groups& s, double* sums, Value value) {
  int64_t each = hi((s.N + kBlocks - 1) / kBlocks, int64_t(16));
  int64_t blocks = (s.N + each - 1) / each, width = s.width();
  Buffer buffer(s.B * blocks * s.groups * 8);
  double* parts = static_cast<double*>(buffer.memory);
  if (!parts) return fail(LN_OUT_OF_MEMORY, "sums of a group norm");
#pragma omp parallel for num_threads(s.device->threads) schedule(static)
  for (int64_t block = 0; block < s.B * blocks; block++) {
    int64_t image = block / blocks, first = block % blocks * each, end = lo(first + each, s.N);
    double* mine = parts + block * s.groups;
    memset(mine, 0, size_t(s.groups) * 8);
    for (int64_t n0 = first; n0 < end; n0 += kRows)
      for (int64_t c0 = 0; c0 < s.C; c0 += kChannels) {
        int64_t channels = lo(kChannels, s.C - c0);
        float sum[kChannels] = {};
        for (int64_t n = n0; n < lo(n0 + kRows, end); n++) {
          int64_t at = (image * s.N + n) * s.C + c0;
#pragma omp simd
          for (int64_t c = 0; c < channels; c++) sum[c] += value(image, at + c, c0 + c);
        }
        for (int64_t c = 0; c < channels; c++) mine[(c0 + c) / width] += double(sum[c]);
      }
  }
  for (int64_t image = 0; image < s.B; image++)
    for (int64_t g = 0; g < s.groups; g++) {
      double sum = 0;
      for (int64_t block = 0; block < blocks; block++)
        sum += parts[(image * blocks + block) * s.groups + g];
      sums[image * s.groups + g] = sum;
    }
  return LN_OK;
}

// A number for each channel of each image, from one for each group.
template <typename Of>
void spread(const Groups& s, float* channels, Of of_group) {
  for (int64_t i = 0; i < s.B * s.C; i++)
    channels[i] = float(of_group(i / s.C * s.groups + i % s.C / s.width()));
}

// Calls run(image, index, channel) for every number, which writes it.
template <typename Run>
void each_number(const Groups& s, Run run) {
#pragma omp parallel for num_threads(s.device->threads) schedule(static)
  for (int64_t row = 0; row < s.B * s.N; row++) {
    int64_t image = row / s.N;
#pragma omp simd
    for (int64_t c = 0; c < s.C; c++) run(image, row * s.C + c, c);
  }
}

template <bool SILU, typename T>
int forward(const Groups& s, float eps, const T* x, const float* w, const float* b, T* y,
            float* stats) {
  int64_t C = s.C;
  double count = double(s.N * s.width());
  Buffer buffer(s.B * (s.groups * 8 + 2 * C * 4));
  if (!buffer.memory) return fail(LN_OUT_OF_MEMORY, "a group norm");
  double* sums = static_cast<double*>(buffer.memory);
  float* mean = reinterpret_cast<float*>(sums + s.B * s.groups);
  float* rstd = mean + s.B * C;
  LN_TRY(group_sums(s, sums, [=](int64_t, int64_t i, int64_t) { return load(x[i]); }));
  spread(s, mean, [=](int64_t g) { return sums[g] / count; });
  for (int64_t g = 0; g < s.B * s.groups; g++) stats[2 * g] = float(sums[g] / count);
  LN_TRY(group_sums(s, sums, [=](int64_t image, int64_t i, int64_t c) {
    float d = load(x[i]) - mean[image * C + c];
    return d * d;
  }));
  for (int64_t g = 0; g < s.B * s.groups; g++)
    stats[2 * g + 1] = 1.0f / sqrtf(float(sums[g] / count) + eps);
  spread(s, rstd, [=](int64_t g) { return stats[2 * g + 1]; });
  each_number(s, [=](int64_t image, int64_t i, int64_t c) {
    float z = (load(x[i]) - mean[image * C + c]) * rstd[image * C + c] * w[c] + b[c];
    store(y + i, SILU ? Silu::value(z) : z);
  });
  return LN_OK;
}

template <bool SILU, typename T>
int backward(const Groups& s, const T* dy, const T* x, const float* w, const float* b,
             const float* stats, T* dx) {
  int64_t C = s.C;
  double count = double(s.N * s.width());
  Buffer buffer(s.B * (s.groups * 16 + 4 * C * 4));
  if (!buffer.memory) return fail(LN_OUT_OF_MEMORY, "the gradient of a group norm");
  double *sums = static_cast<double*>(buffer.memory), *dots = sums + s.B * s.groups;
  float* mean = reinterpret_cast<float*>(dots + s.B * s.groups);
  float *rstd = mean + s.B * C, *mean_g = rstd + s.B * C, *mean_dot = mean_g + s.B * C;
  spread(s, mean, [=](int64_t g) { return stats[2 * g]; });
  spread(s, rstd, [=](int64_t g) { return stats[2 * g + 1]; });
  auto xhat = [=](int64_t image, int64_t i, int64_t c) {
    return (load(x[i]) - mean[image * C + c]) * rstd[image * C + c];
  };
  // The gradient that reaches xhat.
  auto inner = [=](float normed, int64_t i, int64_t c) {
    float g = load(dy[i]) * w[c];
    return SILU ? g * Silu::slope(normed * w[c] + b[c]) : g;
  };
  LN_TRY(group_sums(s, sums, [=](int64_t image, int64_t i, int64_t c) {
    return inner(xhat(image, i, c), i, c);
  }));
  LN_TRY(group_sums(s, dots, [=](int64_t image, int64_t i, int64_t c) {
    float normed = xhat(image, i, c);
    return inner(normed, i, c) * normed;
  }));
  spread(s, mean_g, [=](int64_t g) { return sums[g] / count; });
  spread(s, mean_dot, [=](int64_t g) { return dots[g] / count; });
  each_number(s, [=](int64_t image, int64_t i, int64_t c) {
    float normed = xhat(image, i, c);
    int64_t at = image * C + c;
    store(dx + i, rstd[at] * (inner(normed, i, c) - mean_g[at] - normed * mean_dot[at]));
  });
  return LN_OK;
}

struct Yes {
  static constexpr bool value = true;
};
struct No {
  static constexpr bool value = false;
};

// Calls run(a T*, whether SiLU follows).
template <typename Run>
int typed(int32_t dtype, int32_t silu, Run run) {
  if (dtype == LN_BF16) return silu ? run(ptr<bf16>(0), Yes()) : run(ptr<bf16>(0), No());
  return silu ? run(ptr<float>(0), Yes()) : run(ptr<float>(0), No());
}

}  // namespace

int64_t ln_group_norm_scratch(int64_t, int64_t, int64_t, int64_t, int64_t) { return 0; }

int ln_group_norm_fwd(int64_t device, int64_t x, int64_t w, int64_t b, int64_t y, int64_t stats,
                      int64_t, int64_t B, int64_t N, int64_t C, int64_t groups, float eps,
                      int32_t silu, int32_t dtype) {
  Groups s{of(device), B, N, C, groups};
  return typed(dtype, silu, [&](auto* type, auto with) {
    using T = __typeof__(*type);
    return forward<decltype(with)::value>(s, eps, ptr<T>(x), ptr<float>(w), ptr<float>(b),
                                          ptr<T>(y), ptr<float>(stats));
  });
}

int ln_group_norm_bwd(int64_t device, int64_t dy, int64_t x, int64_t w, int64_t b, int64_t stats,
                      int64_t dx, int64_t, int64_t B, int64_t N, int64_t C, int64_t groups,
                      int32_t silu, int32_t dtype) {
  Groups s{of(device), B, N, C, groups};
  return typed(dtype, silu, [&](auto* type, auto with) {
    using T = __typeof__(*type);
    return backward<decltype(with)::value>(s, ptr<T>(dy), ptr<T>(x), ptr<float>(w), ptr<float>(b),
                                           ptr<float>(stats), ptr<T>(dx));
  });
}

}  // namespace LN_ISA
}  // namespace ln
