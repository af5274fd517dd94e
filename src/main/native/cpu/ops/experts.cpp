// Mixtures of experts: the choice of experts, rows in their experts' order and back, and the
// product of each row with its expert's matrix.
#include "composed/experts.h"

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

// Rows of a product go in powers of two, so that few primitives serve all counts.
inline int64_t at_once(int64_t left) {
  int64_t rows = 1024;
  while (rows > left) rows /= 2;
  return rows;
}

}  // namespace

// A counting sort by expert, which keeps the slots of one in their order.
int put_in_order(Device*, int64_t chosen_at, int64_t order_at, int64_t place_at, int64_t offsets_at,
                 int64_t slots, int64_t E) {
  const int32_t* chosen = ptr<int32_t>(chosen_at);
  int32_t *order = ptr<int32_t>(order_at), *place = ptr<int32_t>(place_at),
          *offsets = ptr<int32_t>(offsets_at);
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
  return LN_OK;
}

int expert_gemm(Device* device, const ExpertGemm& g) {
  const int32_t* offsets = ptr<int32_t>(g.offsets);
  const int64_t size = g.dtype == LN_BF16 ? 2 : 4;
  for (int64_t e = 0; e < g.E; e++) {
    if (offsets[e] == offsets[e + 1]) continue;
    const int64_t before = e * g.N * g.K, columns = g.transposed ? g.K : g.N;
    int64_t matrix = g.w + before * size;
    if (g.w_dtype != g.dtype) {
      matrix = g.scratch;
      LN_TRY(ln_dequantize_fwd(reinterpret_cast<int64_t>(device), g.w, g.w_dtype, matrix, g.dtype,
                               before, g.N * g.K / columns, columns, columns));
    }
    for (int64_t r = offsets[e]; r < offsets[e + 1];) {
      const int64_t rows = at_once(offsets[e + 1] - r);
      Gemm part{rows,
                g.N,
                g.K,
                {g.x + r * g.K * size, g.dtype, false},
                {matrix, g.dtype, g.transposed},
                {g.y + r * g.N * size, g.dtype, false}};
      part.scale = g.scale;
      part.accumulate = g.accumulate;
      part.rank = g.rank;
      part.low_a = {g.low_x + r * g.rank * size, g.dtype, false};
      part.low_b = {g.low_w + e * g.N * g.rank * size, g.dtype, g.transposed};
      LN_TRY(device->gemm(device, part));
      r += rows;
    }
  }
  return LN_OK;
}

int expert_gradient(Device* device, const ExpertGradient& g) {
  const int32_t* offsets = ptr<int32_t>(g.offsets);
  const int64_t size = g.dtype == LN_BF16 ? 2 : 4;
  for (int64_t e = 0; e < g.E; e++)
    for (int64_t r = offsets[e]; r < offsets[e + 1];) {
      const int64_t rows = at_once(offsets[e + 1] - r);
      Gemm part{g.P,
                g.Q,
                rows,
                {g.p + r * g.p_pitch * size, g.dtype, true, g.p_pitch},
                {g.q + r * g.q_pitch * size, g.dtype, false, g.q_pitch},
                {g.d + e * g.P * g.Q * 4, LN_F32, false}};
      part.accumulate = true;
      LN_TRY(device->gemm(device, part));
      r += rows;
    }
  return LN_OK;
}

int ln_route_fwd(int64_t device, int64_t logits, int64_t weights, int64_t chosen, int64_t order,
                 int64_t place, int64_t offsets, int64_t M, int64_t E, int64_t k, int32_t normalize,
                 int32_t dtype) {
  if (dtype == LN_BF16)
    choose(of(device), ptr<bf16>(logits), ptr<float>(weights), ptr<int32_t>(chosen), M, E, k,
           normalize);
  else
    choose(of(device), ptr<float>(logits), ptr<float>(weights), ptr<int32_t>(chosen), M, E, k,
           normalize);
  return put_in_order(of(device), chosen, order, place, offsets, M * k, E);
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

int64_t ln_expert_linear_scratch(int64_t, int64_t in, int64_t out, int32_t w_dtype, int32_t dtype) {
  return w_dtype == dtype ? 0 : in * out * (dtype == LN_BF16 ? 2 : 4);
}

}  // namespace LN_ISA
}  // namespace ln
