// DoRA beside a low-rank adapter: norms of adapted rows, and outputs scaled by channel.
//                                                            Liu et al. 2024, sections 4.1 and 4.3
//
//   norm[o] = |w0[o] + s b[o] A|;  y = z m / norm + bias;  dz = dy m / norm;  dm += sum dy z / norm
//
// Norms: some rows of W0 at a time are brought to f32 in scratch and the product is added to them.
// Sums over rows run in their order within a channel, 64 channels a thread. Bound by memory.
#include <math.h>

#include "common/gemm.h"
#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {
namespace {

constexpr int64_t kPanel = 1 << 18, kChannels = 64;

int64_t panel_rows(int64_t in, int64_t out) { return lo(out, hi(kPanel / in, int64_t(1))); }

template <typename T>
void scale(const Device* device, const T* z, const float* m, const float* norm, const float* bias,
           T* y, int64_t M, int64_t C) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t row = 0; row < M; row++)
    for (int64_t c = 0; c < C; c++)
      store(y + row * C + c, load(z[row * C + c]) * (m[c] / norm[c]) + (bias ? bias[c] : 0.0f));
}

template <typename T>
void scale_backward(const Device* device, const T* dy, const T* z, const float* m,
                    const float* norm, T* dz, float* dm, int64_t M, int64_t C) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t first = 0; first < C; first += kChannels) {
    int64_t n = lo(kChannels, C - first);
    float sum[kChannels] = {}, by[kChannels] = {};
    for (int64_t c = 0; c < n; c++) by[c] = m[first + c] / norm[first + c];
    for (int64_t row = 0; row < M; row++) {
      int64_t at = row * C + first;
#pragma omp simd
      for (int64_t c = 0; c < n; c++) {
        float g = load(dy[at + c]);
        sum[c] += g * load(z[at + c]);
        store(dz + at + c, g * by[c]);
      }
    }
    for (int64_t c = 0; c < n; c++) dm[first + c] += sum[c] / norm[first + c];
  }
}

}  // namespace

int64_t ln_dora_norm_scratch(int64_t, int64_t in, int64_t out) {
  return panel_rows(in, out) * in * 4;
}

int ln_dora_norm_fwd(int64_t device, int64_t w0, int64_t a, int64_t b, int64_t norm_at,
                     int64_t scratch, int64_t in, int64_t out, int64_t rank, float factor,
                     int32_t w_dtype) {
  float *norm = ptr<float>(norm_at), *panel = ptr<float>(scratch);
  int64_t most = panel_rows(in, out);
  for (int64_t first = 0; first < out; first += most) {
    int64_t rows = lo(most, out - first);
    LN_TRY(
        ln_dequantize_fwd(device, w0, w_dtype, scratch, int32_t(LN_F32), first * in, rows, in, in));
    Gemm add{rows,
             in,
             rank,
             {b + first * rank * 4, LN_F32, false},
             {a, LN_F32, false},
             {scratch, LN_F32, false}};
    add.scale = factor;
    add.accumulate = true;
    LN_TRY(of(device)->gemm(of(device), add));
#pragma omp parallel for num_threads(of(device)->threads) schedule(static)
    for (int64_t row = 0; row < rows; row++) {
      float squares = 0;
      const float* w = panel + row * in;
#pragma omp simd reduction(+ : squares)
      for (int64_t i = 0; i < in; i++) squares += w[i] * w[i];
      norm[first + row] = sqrtf(squares);
    }
  }
  return LN_OK;
}

int ln_dora_scale_fwd(int64_t device, int64_t z, int64_t m, int64_t norm, int64_t bias, int64_t y,
                      int64_t M, int64_t C, int32_t dtype) {
  auto run = [&](auto* type) {
    using T = __typeof__(*type);
    scale(of(device), ptr<T>(z), ptr<float>(m), ptr<float>(norm), ptr<float>(bias), ptr<T>(y), M,
          C);
  };
  dtype == LN_BF16 ? run(ptr<bf16>(0)) : run(ptr<float>(0));
  return LN_OK;
}

int64_t ln_dora_scale_scratch(int64_t, int64_t, int64_t) { return 0; }

int ln_dora_scale_bwd(int64_t device, int64_t dy, int64_t z, int64_t m, int64_t norm, int64_t dz,
                      int64_t dm, int64_t, int64_t M, int64_t C, int32_t dtype) {
  auto run = [&](auto* type) {
    using T = __typeof__(*type);
    scale_backward(of(device), ptr<T>(dy), ptr<T>(z), ptr<float>(m), ptr<float>(norm), ptr<T>(dz),
                   ptr<float>(dm), M, C);
  };
  dtype == LN_BF16 ? run(ptr<bf16>(0)) : run(ptr<float>(0));
  return LN_OK;
}

}  // namespace LN_ISA
}  // namespace ln
