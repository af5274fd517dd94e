// What gpt-oss adds to experts and to attention: biases of experts, its gated unit, and sinks.
//                                                                                 Xiao et al. 2023
#include <math.h>

#include "composed/experts.h"
#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {
namespace {

struct Glu {
  int64_t rows, columns, pitch, step;
  float alpha, limit;
};

template <typename T>
void clamped(const Device* device, const T* gate, const T* apart, T* y, const Glu& a) {
  const T* up = apart ? apart : gate + 1;
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t r = 0; r < a.rows; r++)
    for (int64_t c = 0; c < a.columns; c++) {
      const int64_t at = r * a.pitch + c * a.step;
      const float g = lo(load(gate[at]), a.limit), u = hi(lo(load(up[at]), a.limit), -a.limit);
      store(y + r * a.columns + c, (u + 1) * g * sigmoid(a.alpha * g));
    }
}

template <typename T>
void clamped_backward(const Device* device, const T* dy, const T* gate, const T* apart, T* dgate,
                      T* dapart, const Glu& a) {
  const T* up = apart ? apart : gate + 1;
  T* dup = dapart ? dapart : dgate + 1;
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t r = 0; r < a.rows; r++)
    for (int64_t c = 0; c < a.columns; c++) {
      const int64_t at = r * a.pitch + c * a.step;
      const float z = load(gate[at]), w = load(up[at]), d = load(dy[r * a.columns + c]);
      const float g = lo(z, a.limit), u = hi(lo(w, a.limit), -a.limit);
      const Logistic l(a.alpha * g);
      store(dgate + at, z > a.limit ? 0.0f : d * (u + 1) * l.s * (1 + a.alpha * g * l.rest));
      store(dup + at, w > a.limit || w < -a.limit ? 0.0f : d * g * l.s);
    }
}

template <typename T>
void add_bias(const Device* device, const T* x, const float* bias, const int32_t* chosen,
              const int32_t* order, T* y, int64_t R, int64_t C) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t r = 0; r < R; r++) {
    const float* own = bias + chosen[order[r]] * C;
    for (int64_t c = 0; c < C; c++) store(y + r * C + c, load(x[r * C + c]) + own[c]);
  }
}

template <typename T>
void sinks(const Device* device, T* o, float* lse, const float* sink, int64_t M, int64_t heads,
           int64_t D) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t m = 0; m < M; m++)
    for (int64_t head = 0; head < heads; head++) {
      float* l = lse + head * M + m;
      const float stays = sigmoid(*l - sink[head]), most = hi(*l, sink[head]);
      T* row = o + (m * heads + head) * D;
      for (int64_t d = 0; d < D; d++) store(row + d, stays * load(row[d]));
      *l = most + logf(expf(*l - most) + expf(sink[head] - most));
    }
}

}  // namespace

int ln_expert_bias_fwd(int64_t device, int64_t x, int64_t bias, int64_t chosen, int64_t order,
                       int64_t y, int64_t R, int64_t C, int32_t dtype) {
  if (dtype == LN_BF16)
    add_bias(of(device), ptr<bf16>(x), ptr<float>(bias), ptr<int32_t>(chosen), ptr<int32_t>(order),
             ptr<bf16>(y), R, C);
  else
    add_bias(of(device), ptr<float>(x), ptr<float>(bias), ptr<int32_t>(chosen), ptr<int32_t>(order),
             ptr<float>(y), R, C);
  return LN_OK;
}

int ln_clamped_glu_fwd(int64_t device, int64_t gate, int64_t up, int64_t y, int64_t rows,
                       int64_t columns, int64_t pitch, int64_t step, float alpha, float limit,
                       int32_t dtype) {
  const Glu a{rows, columns, pitch, step, alpha, limit};
  if (dtype == LN_BF16)
    clamped(of(device), ptr<bf16>(gate), ptr<bf16>(up), ptr<bf16>(y), a);
  else
    clamped(of(device), ptr<float>(gate), ptr<float>(up), ptr<float>(y), a);
  return LN_OK;
}

int ln_clamped_glu_bwd(int64_t device, int64_t dy, int64_t gate, int64_t up, int64_t dgate,
                       int64_t dup, int64_t rows, int64_t columns, int64_t pitch, int64_t step,
                       float alpha, float limit, int32_t dtype) {
  const Glu a{rows, columns, pitch, step, alpha, limit};
  if (dtype == LN_BF16)
    clamped_backward(of(device), ptr<bf16>(dy), ptr<bf16>(gate), ptr<bf16>(up), ptr<bf16>(dgate),
                     ptr<bf16>(dup), a);
  else
    clamped_backward(of(device), ptr<float>(dy), ptr<float>(gate), ptr<float>(up),
                     ptr<float>(dgate), ptr<float>(dup), a);
  return LN_OK;
}

int look_at_sinks(Device* device, int64_t o, int64_t lse, int64_t sink, int64_t M, int64_t heads,
                  int64_t D, int32_t dtype) {
  if (dtype == LN_BF16)
    sinks(device, ptr<bf16>(o), ptr<float>(lse), ptr<float>(sink), M, heads, D);
  else
    sinks(device, ptr<float>(o), ptr<float>(lse), ptr<float>(sink), M, heads, D);
  return LN_OK;
}

}  // namespace LN_ISA
}  // namespace ln
