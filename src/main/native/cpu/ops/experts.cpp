// Mixtures of experts: the choice of experts, rows in their experts' order and back, and the
// product of each row with its expert's matrix.
#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {
namespace {

// What NaN counts as in the choice, so that it is always k experts; it stays in the weights.
inline float rank_of(float z) { return z == z ? z : -kInfinity; }

template <typename T>
void choose(const Device* device, const T* logits, float* weights, int32_t* chosen, int64_t M,
            int64_t E, int64_t k, bool normalize) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t m = 0; m < M; m++) {
    const T* z = logits + m * E;
    int32_t* pick = chosen + m * k;
    float* w = weights + m * k;
    for (int64_t j = 0; j < k; j++) {
      int64_t best = -1;
      for (int64_t e = 0; e < E; e++) {
        bool taken = false;
        for (int64_t i = 0; i < j; i++) taken = taken || pick[i] == e;
        if (!taken && (best < 0 || rank_of(load(z[e])) > rank_of(load(z[best])))) best = e;
      }
      pick[j] = int32_t(best);
    }
    const float most = load(z[pick[0]]);
    float sum = 0, of_chosen = 0;
    for (int64_t e = 0; e < E; e++) sum += fast_exp(load(z[e]) - most);
    for (int64_t j = 0; j < k; j++) of_chosen += w[j] = fast_exp(load(z[pick[j]]) - most);
    for (int64_t j = 0; j < k; j++) w[j] /= normalize ? of_chosen : sum;
  }
}

template <typename T>
void choose_backward(const Device* device, const float* dweights, const T* logits,
                     const float* weights, const int32_t* chosen, T* dlogits, int64_t M, int64_t E,
                     int64_t k, bool normalize) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t m = 0; m < M; m++) {
    const T* z = logits + m * E;
    T* dz = dlogits + m * E;
    float mean = 0, sum = 0;
    for (int64_t j = 0; j < k; j++) mean += weights[m * k + j] * dweights[m * k + j];
    const float most = load(z[chosen[m * k]]);
    for (int64_t e = 0; e < E && !normalize; e++) sum += fast_exp(load(z[e]) - most);
    for (int64_t e = 0; e < E; e++)
      store(dz + e, normalize ? 0.0f : -mean * fast_exp(load(z[e]) - most) / sum);
    for (int64_t j = 0; j < k; j++)
      store(dz + chosen[m * k + j], weights[m * k + j] * (dweights[m * k + j] - mean));
  }
}

// A counting sort by expert, which keeps the slots of one in their order.
void put_in_order(const int32_t* chosen, int32_t* order, int32_t* place, int32_t* offsets,
                  int64_t slots, int64_t E) {
  for (int64_t e = 0; e <= E; e++) offsets[e] = 0;
  for (int64_t s = 0; s < slots; s++) offsets[chosen[s] + 1]++;
  for (int64_t e = 0; e < E; e++) offsets[e + 1] += offsets[e];
  for (int64_t s = 0; s < slots; s++) {
    int32_t row = offsets[chosen[s]]++;
    order[row] = int32_t(s);
    place[s] = row;
  }
  for (int64_t e = E; e > 0; e--) offsets[e] = offsets[e - 1];
  offsets[0] = 0;
}

template <typename T>
void gather(const Device* device, const T* x, const int32_t* order, const float* weights, T* y,
            int64_t R, int64_t k, int64_t C) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t r = 0; r < R; r++) {
    const T* from = x + order[r] / k * C;
    const float w = weights ? weights[order[r]] : 1.0f;
    for (int64_t c = 0; c < C; c++) store(y + r * C + c, w * load(from[c]));
  }
}

template <typename T>
void combine(const Device* device, const T* x, const int32_t* place, const float* weights, T* y,
             int64_t M, int64_t k, int64_t C) {
  constexpr int64_t kPart = 256;
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t m = 0; m < M; m++)
    for (int64_t c0 = 0; c0 < C; c0 += kPart) {
      const int64_t count = lo(kPart, C - c0);
      float sum[kPart] = {};
      for (int64_t j = 0; j < k; j++) {
        const T* row = x + place[m * k + j] * C + c0;
        const float w = weights ? weights[m * k + j] : 1.0f;
        for (int64_t c = 0; c < count; c++) sum[c] += w * load(row[c]);
      }
      for (int64_t c = 0; c < count; c++) store(y + m * C + c0 + c, sum[c]);
    }
}

template <typename T>
void combine_weights(const Device* device, const T* dy, const T* x, const int32_t* place,
                     float* dweights, int64_t M, int64_t k, int64_t C) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t s = 0; s < M * k; s++) {
    const T *g = dy + s / k * C, *row = x + place[s] * C;
    float sum = 0;
    for (int64_t c = 0; c < C; c++) sum += load(g[c]) * load(row[c]);
    dweights[s] = sum;
  }
}

// The product of each expert's rows with its matrix [out, in], which takes x to y (forward) or dy
// to dx. Rows go in powers of two, so that few primitives serve all counts.
int products(Device* device, int64_t from, int64_t w, const int32_t* offsets, int64_t to,
             int64_t scratch, int64_t E, int64_t in, int64_t out, bool forward, bool accumulate,
             int32_t w_dtype, int32_t dtype) {
  constexpr int64_t kMostRows = 1024;
  const int64_t size = dtype == LN_BF16 ? 2 : 4, K = forward ? in : out, N = forward ? out : in;
  for (int64_t e = 0; e < E; e++) {
    if (offsets[e] == offsets[e + 1]) continue;
    int64_t matrix = w + e * in * out * size;
    if (w_dtype != dtype) {
      matrix = scratch;
      LN_TRY(ln_dequantize_fwd(reinterpret_cast<int64_t>(device), w, w_dtype, scratch, dtype,
                               e * in * out, out, in, in));
    }
    for (int64_t r = offsets[e]; r < offsets[e + 1];) {
      int64_t rows = kMostRows;
      while (rows > offsets[e + 1] - r) rows /= 2;
      Gemm g{rows,
             N,
             K,
             {from + r * K * size, dtype, false},
             {matrix, dtype, forward},
             {to + r * N * size, dtype, false}};
      g.accumulate = accumulate;
      LN_TRY(device->gemm(device, g));
      r += rows;
    }
  }
  return LN_OK;
}

}  // namespace

int ln_route_fwd(int64_t device, int64_t logits, int64_t weights, int64_t chosen, int64_t order,
                 int64_t place, int64_t offsets, int64_t M, int64_t E, int64_t k, int32_t normalize,
                 int32_t dtype) {
  if (dtype == LN_BF16)
    choose(of(device), ptr<bf16>(logits), ptr<float>(weights), ptr<int32_t>(chosen), M, E, k,
           normalize);
  else
    choose(of(device), ptr<float>(logits), ptr<float>(weights), ptr<int32_t>(chosen), M, E, k,
           normalize);
  put_in_order(ptr<int32_t>(chosen), ptr<int32_t>(order), ptr<int32_t>(place),
               ptr<int32_t>(offsets), M * k, E);
  return LN_OK;
}

int ln_route_bwd(int64_t device, int64_t dweights, int64_t logits, int64_t weights, int64_t chosen,
                 int64_t dlogits, int64_t M, int64_t E, int64_t k, int32_t normalize,
                 int32_t dtype) {
  if (dtype == LN_BF16)
    choose_backward(of(device), ptr<float>(dweights), ptr<bf16>(logits), ptr<float>(weights),
                    ptr<int32_t>(chosen), ptr<bf16>(dlogits), M, E, k, normalize);
  else
    choose_backward(of(device), ptr<float>(dweights), ptr<float>(logits), ptr<float>(weights),
                    ptr<int32_t>(chosen), ptr<float>(dlogits), M, E, k, normalize);
  return LN_OK;
}

int ln_gather_rows_fwd(int64_t device, int64_t x, int64_t order, int64_t weights, int64_t y,
                       int64_t R, int64_t k, int64_t C, int32_t dtype) {
  if (dtype == LN_BF16)
    gather(of(device), ptr<bf16>(x), ptr<int32_t>(order), ptr<float>(weights), ptr<bf16>(y), R, k,
           C);
  else
    gather(of(device), ptr<float>(x), ptr<int32_t>(order), ptr<float>(weights), ptr<float>(y), R, k,
           C);
  return LN_OK;
}

int ln_combine_rows_fwd(int64_t device, int64_t x, int64_t place, int64_t weights, int64_t y,
                        int64_t M, int64_t k, int64_t C, int32_t dtype) {
  if (dtype == LN_BF16)
    combine(of(device), ptr<bf16>(x), ptr<int32_t>(place), ptr<float>(weights), ptr<bf16>(y), M, k,
            C);
  else
    combine(of(device), ptr<float>(x), ptr<int32_t>(place), ptr<float>(weights), ptr<float>(y), M,
            k, C);
  return LN_OK;
}

int ln_combine_rows_weight_bwd(int64_t device, int64_t dy, int64_t x, int64_t place,
                               int64_t dweights, int64_t M, int64_t k, int64_t C, int32_t dtype) {
  if (dtype == LN_BF16)
    combine_weights(of(device), ptr<bf16>(dy), ptr<bf16>(x), ptr<int32_t>(place),
                    ptr<float>(dweights), M, k, C);
  else
    combine_weights(of(device), ptr<float>(dy), ptr<float>(x), ptr<int32_t>(place),
                    ptr<float>(dweights), M, k, C);
  return LN_OK;
}

int ln_expert_linear_fwd(int64_t device, int64_t x, int64_t w, int64_t offsets, int64_t y,
                         int64_t scratch, int64_t, int64_t E, int64_t in, int64_t out,
                         int32_t w_dtype, int32_t dtype) {
  return products(of(device), x, w, ptr<int32_t>(offsets), y, scratch, E, in, out, true, false,
                  w_dtype, dtype);
}

int ln_expert_linear_bwd(int64_t device, int64_t dy, int64_t w, int64_t offsets, int64_t dx,
                         int64_t scratch, int64_t, int64_t E, int64_t in, int64_t out,
                         int32_t accumulate, int32_t w_dtype, int32_t dtype) {
  return products(of(device), dy, w, ptr<int32_t>(offsets), dx, scratch, E, in, out, false,
                  accumulate, w_dtype, dtype);
}

int64_t ln_expert_linear_scratch(int64_t, int64_t in, int64_t out, int32_t w_dtype, int32_t dtype) {
  return w_dtype == dtype ? 0 : in * out * (dtype == LN_BF16 ? 2 : 4);
}

}  // namespace LN_ISA
}  // namespace ln
