// Embedding lookup: y[m, c] = w[ids[m], c] * scale, and back. Bound by memory.
#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {
namespace {

template <typename W, typename T>
void rows(const Device* device, const int32_t* ids, const W* w, T* y, int64_t M, int64_t C,
          float scale) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t m = 0; m < M; m++) {
    const W* from = w + int64_t(ids[m]) * C;
    T* to = y + m * C;
    for (int64_t c = 0; c < C; c++) store(to + c, load(from[c]) * scale);
  }
}

template <typename T>
void rows_backward(const T* dy, const int32_t* ids, T* dw, int64_t M, int64_t C, int64_t V,
                   float scale) {
  for (int64_t v = 0; v < V; v++)
    for (int64_t c = 0; c < C; c++) {
      float sum = 0;
      for (int64_t m = 0; m < M; m++) sum += ids[m] == v ? load(dy[m * C + c]) : 0.0f;
      store(dw + v * C + c, sum * scale);
    }
}

// Threads share the columns, so that each adds in the order of rows.
template <typename T>
void add_rows(const Device* device, const T* dy, const int32_t* ids, float* dw, int64_t M,
              int64_t C, float scale) {
  constexpr int64_t kColumns = 64;
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t from = 0; from < C; from += kColumns) {
    int64_t to = from + kColumns < C ? from + kColumns : C;
    for (int64_t m = 0; m < M; m++) {
      const T* row = dy + m * C;
      float* sum = dw + int64_t(ids[m]) * C;
#pragma omp simd
      for (int64_t c = from; c < to; c++) sum[c] += scale * load(row[c]);
    }
  }
}

template <typename T>
void scale_all(T* y, int64_t n, float scale) {
  for (int64_t i = 0; i < n; i++) store(y + i, load(y[i]) * scale);
}

}  // namespace

int ln_embedding_bwd(int64_t, int64_t dy, int64_t ids, int64_t dw, int64_t M, int64_t C, int64_t V,
                     float scale, int32_t dtype) {
  if (dtype == LN_BF16)
    rows_backward(ptr<bf16>(dy), ptr<int32_t>(ids), ptr<bf16>(dw), M, C, V, scale);
  else
    rows_backward(ptr<float>(dy), ptr<int32_t>(ids), ptr<float>(dw), M, C, V, scale);
  return LN_OK;
}

int ln_embedding_weight_bwd(int64_t device, int64_t dy, int64_t ids, int64_t dw, int64_t M,
                            int64_t C, float scale, int32_t dtype) {
  if (dtype == LN_BF16)
    add_rows(of(device), ptr<bf16>(dy), ptr<int32_t>(ids), ptr<float>(dw), M, C, scale);
  else
    add_rows(of(device), ptr<float>(dy), ptr<int32_t>(ids), ptr<float>(dw), M, C, scale);
  return LN_OK;
}

int ln_embedding_fwd(int64_t device, int64_t ids, int64_t w, int64_t y, int64_t M, int64_t C,
                     int64_t V, float scale, int32_t w_dtype, int32_t dtype) {
  const int32_t* id = ptr<int32_t>(ids);
  for (int64_t m = 0; m < M; m++)
    if (id[m] < 0 || id[m] >= V)
      return fail(LN_INVALID, "token id %d at row %lld is outside the vocabulary of %lld", id[m],
                  (long long)m, (long long)V);
  if (is_blocks(w_dtype)) {
    // An id is a row of whole blocks: y gets the row's numbers, then the scale.
    for (int64_t m = 0; m < M; m++) {
      int64_t to = y + m * C * (dtype == LN_BF16 ? 2 : 4);
      LN_TRY(ln_dequantize_fwd(device, w, w_dtype, to, dtype, id[m] * C, 1, C, C));
    }
    if (scale == 1.0f) return LN_OK;
    if (dtype == LN_BF16)
      scale_all(ptr<bf16>(y), M * C, scale);
    else
      scale_all(ptr<float>(y), M * C, scale);
    return LN_OK;
  }
  if (dtype == LN_BF16 && w_dtype == LN_F32)
    rows(of(device), id, ptr<float>(w), ptr<bf16>(y), M, C, scale);
  else if (dtype == LN_BF16)
    rows(of(device), id, ptr<bf16>(w), ptr<bf16>(y), M, C, scale);
  else
    rows(of(device), id, ptr<float>(w), ptr<float>(y), M, C, scale);
  return LN_OK;
}

}  // namespace LN_ISA
}  // namespace ln
