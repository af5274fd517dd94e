// Activations, alone and as gated linear units: y = act(x), y = act(gate) up.     Shazeer 2020
// SwiGLU (silu), GeGLU (gelu, exact or its tanh form). Bound by memory.
#include "cpu/ops/activations.h"

namespace ln {
namespace LN_ISA {
namespace {

constexpr int64_t kPiece = 4096;

// Rows in pieces, so that one long row is shared as well as many short ones.
template <typename Work>
void pieces(const Device* device, int64_t rows, int64_t columns, Work work) {
  int64_t each = (columns + kPiece - 1) / kPiece;
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t p = 0; p < rows * each; p++) {
    int64_t from = p % each * kPiece;
    work(p / each, from, from + kPiece < columns ? from + kPiece : columns);
  }
}

template <typename Act, typename T>
void gated(const Device* device, const T* gate, const T* up, T* y, int64_t rows, int64_t columns,
           int64_t pitch) {
  pieces(device, rows, columns, [=](int64_t row, int64_t from, int64_t to) {
    const T *g = gate + row * pitch, *u = up + row * pitch;
    T* out = y + row * columns;
#pragma omp simd
    for (int64_t i = from; i < to; i++) store(out + i, Act::value(load(g[i])) * load(u[i]));
  });
}

template <typename Act, typename T>
void gated_backward(const Device* device, const T* dy, const T* gate, const T* up, T* dgate, T* dup,
                    int64_t rows, int64_t columns, int64_t pitch) {
  pieces(device, rows, columns, [=](int64_t row, int64_t from, int64_t to) {
    const T *d = dy + row * columns, *g = gate + row * pitch, *u = up + row * pitch;
    T *dg = dgate + row * pitch, *du = dup + row * pitch;
#pragma omp simd
    for (int64_t i = from; i < to; i++) {
      float z = load(g[i]), e = load(d[i]);
      store(dg + i, e * load(u[i]) * Act::slope(z));
      store(du + i, e * Act::value(z));
    }
  });
}

template <typename Act, typename T>
void alone(const Device* device, const T* x, T* y, int64_t n) {
#pragma omp parallel for simd num_threads(device->threads) schedule(static)
  for (int64_t i = 0; i < n; i++) store(y + i, Act::value(load(x[i])));
}

template <typename Act, typename T>
void alone_backward(const Device* device, const T* dy, const T* x, T* dx, int64_t n) {
#pragma omp parallel for simd num_threads(device->threads) schedule(static)
  for (int64_t i = 0; i < n; i++) store(dx + i, load(dy[i]) * Act::slope(load(x[i])));
}

template <typename Run>
int typed(int32_t act, int32_t dtype, Run run) {
  with_activation(act,
                  [&](auto a) { dtype == LN_BF16 ? run(a, ptr<bf16>(0)) : run(a, ptr<float>(0)); });
  return LN_OK;
}

}  // namespace

int ln_glu_fwd(int64_t device, int64_t gate, int64_t up, int64_t y, int64_t rows, int64_t columns,
               int64_t pitch, int32_t act, int32_t dtype) {
  return typed(act, dtype, [&](auto a, auto* type) {
    using T = __typeof__(*type);
    gated<decltype(a)>(of(device), ptr<T>(gate), ptr<T>(up), ptr<T>(y), rows, columns, pitch);
  });
}

int ln_glu_bwd(int64_t device, int64_t dy, int64_t gate, int64_t up, int64_t dgate, int64_t dup,
               int64_t rows, int64_t columns, int64_t pitch, int32_t act, int32_t dtype) {
  return typed(act, dtype, [&](auto a, auto* type) {
    using T = __typeof__(*type);
    gated_backward<decltype(a)>(of(device), ptr<T>(dy), ptr<T>(gate), ptr<T>(up), ptr<T>(dgate),
                                ptr<T>(dup), rows, columns, pitch);
  });
}

int ln_activation_fwd(int64_t device, int64_t x, int64_t y, int64_t n, int32_t act, int32_t dtype) {
  return typed(act, dtype, [&](auto a, auto* type) {
    using T = __typeof__(*type);
    alone<decltype(a)>(of(device), ptr<T>(x), ptr<T>(y), n);
  });
}

int ln_activation_bwd(int64_t device, int64_t dy, int64_t x, int64_t dx, int64_t n, int32_t act,
                      int32_t dtype) {
  return typed(act, dtype, [&](auto a, auto* type) {
    using T = __typeof__(*type);
    alone_backward<decltype(a)>(of(device), ptr<T>(dy), ptr<T>(x), ptr<T>(dx), n);
  });
}

}  // namespace LN_ISA
}  // namespace ln
