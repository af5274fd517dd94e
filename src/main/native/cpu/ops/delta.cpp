// What LoHa and LoKr add to a frozen weight, and the way back to what it is made of; see
// composed/backend.h.                                              Yeh et al. 2023 (LyCORIS)
//
// Sums run in a fixed order. Bound by memory.
#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {
namespace {

template <typename T>
void write_product(const Device* device, const float* p1, const float* p2, T* d, int64_t n,
                   float scale) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t i = 0; i < n; i++) store(d + i, p1[i] * (scale * p2[i]));
}

template <typename T>
void write_kronecker(const Device* device, const Kronecker& k, const float* w1, const float* w2,
                     T* d) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t o = 0; o < k.out_l * k.out_k; o++)
    for (int64_t tap = 0; tap < k.taps; tap++)
      for (int64_t i1 = 0; i1 < k.in_m; i1++) {
        float by = k.scale * w1[o / k.out_k * k.in_m + i1];
        const float* row = w2 + (o % k.out_k * k.taps + tap) * k.in_n;
        T* to = d + k.at(o / k.out_k, i1, o % k.out_k, tap);
        for (int64_t i2 = 0; i2 < k.in_n; i2++) store(to + i2, by * row[i2]);
      }
}

}  // namespace

int hadamard(Device* device, int64_t p1, int64_t p2, int64_t d, int64_t n, float scale,
             int32_t dtype) {
  if (dtype == LN_BF16)
    write_product(device, ptr<float>(p1), ptr<float>(p2), ptr<bf16>(d), n, scale);
  else
    write_product(device, ptr<float>(p1), ptr<float>(p2), ptr<float>(d), n, scale);
  return LN_OK;
}

int hadamard_gradients(Device* device, int64_t dd, int64_t p1, int64_t p2, int64_t n, float scale) {
  const float* g = ptr<float>(dd);
  float *first = ptr<float>(p1), *second = ptr<float>(p2);
#pragma omp parallel for simd num_threads(device->threads) schedule(static)
  for (int64_t i = 0; i < n; i++) {
    float x = first[i], by = scale * g[i];
    first[i] = by * second[i];
    second[i] = by * x;
  }
  return LN_OK;
}

int kronecker(Device* device, const Kronecker& k, int64_t w1, int64_t w2, int64_t d,
              int32_t dtype) {
  if (dtype == LN_BF16)
    write_kronecker(device, k, ptr<float>(w1), ptr<float>(w2), ptr<bf16>(d));
  else
    write_kronecker(device, k, ptr<float>(w1), ptr<float>(w2), ptr<float>(d));
  return LN_OK;
}

int kronecker_gradients(Device* device, const Kronecker& k, int64_t dd_at, int64_t w1_at,
                        int64_t w2_at, int64_t dw1_at, int64_t dw2_at, bool accumulate) {
  const float *dd = ptr<float>(dd_at), *w1 = ptr<float>(w1_at), *w2 = ptr<float>(w2_at);
  float *dw1 = ptr<float>(dw1_at), *dw2 = ptr<float>(dw2_at);
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t i = 0; i < k.first_size(); i++) {
    double sum = 0;
    for (int64_t row = 0; row < k.out_k * k.taps; row++) {
      const float* from = dd + k.at(i / k.in_m, i % k.in_m, row / k.taps, row % k.taps);
      float some = 0;
      for (int64_t i2 = 0; i2 < k.in_n; i2++) some += from[i2] * w2[row * k.in_n + i2];
      sum += double(some);
    }
    dw1[i] += k.scale * float(sum);
  }
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t row = 0; row < k.out_k * k.taps; row++) {
    float* to = dw2 + row * k.in_n;
    if (!accumulate) memset(to, 0, size_t(k.in_n) * 4);
    for (int64_t i = 0; i < k.first_size(); i++) {
      const float* from = dd + k.at(i / k.in_m, i % k.in_m, row / k.taps, row % k.taps);
      float by = k.scale * w1[i];
#pragma omp simd
      for (int64_t i2 = 0; i2 < k.in_n; i2++) to[i2] += by * from[i2];
    }
  }
  return LN_OK;
}

}  // namespace LN_ISA
}  // namespace ln
