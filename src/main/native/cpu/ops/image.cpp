// What a diffusion model needs beside products and norms: nearest upsampling, the sum of an image
// and a row for each of its pixels, embeddings of timesteps, and the loss. Bound by memory.
#include <math.h>

#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {
namespace {

struct Upsampling {
  int64_t B, H, W, OH, OW, C;
};

template <typename T>
void upsample(const Device* device, const Upsampling& u, const T* x, T* y) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t row = 0; row < u.B * u.OH; row++)
    for (int64_t column = 0; column < u.OW; column++)
      memcpy(y + (row * u.OW + column) * u.C,
             x + ((row / u.OH * u.H + row % u.OH / 2) * u.W + column / 2) * u.C,
             size_t(u.C) * sizeof(T));
}

template <typename T>
void upsample_backward(const Device* device, const Upsampling& u, const T* dy, T* dx) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t row = 0; row < u.B * u.H; row++)
    for (int64_t column = 0; column < u.W; column++) {
      int64_t oy = row % u.H * 2, ox = column * 2;
      const T* from = dy + ((row / u.H * u.OH + oy) * u.OW + ox) * u.C;
      int64_t right = ox + 1 < u.OW ? u.C : 0, down = oy + 1 < u.OH ? u.OW * u.C : 0;
      T* to = dx + (row * u.W + column) * u.C;
      for (int64_t c = 0; c < u.C; c++) {
        float sum = load(from[c]);
        if (right) sum += load(from[right + c]);
        if (down) sum += load(from[down + c]);
        if (right && down) sum += load(from[right + down + c]);
        store(to + c, sum);
      }
    }
}

template <typename T>
void add_rows(const Device* device, const T* x, const T* t, T* y, int64_t B, int64_t N, int64_t C) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t i = 0; i < B * N; i++)
    for (int64_t c = 0; c < C; c++)
      store(y + i * C + c, load(x[i * C + c]) + load(t[i / N * C + c]));
}

template <typename T>
void sum_rows(const Device* device, const T* dy, T* dt, int64_t B, int64_t N, int64_t C) {
#pragma omp parallel for collapse(2) num_threads(device->threads) schedule(static)
  for (int64_t b = 0; b < B; b++)
    for (int64_t c = 0; c < C; c++) {
      float sum = 0;
      for (int64_t n = 0; n < N; n++) sum += load(dy[(b * N + n) * C + c]);
      store(dt + b * C + c, sum);
    }
}

template <typename T>
void embed(const float* t, T* y, int64_t B, int64_t dim, bool cosine_first, float shift) {
  int64_t half = dim / 2;
  for (int64_t b = 0; b < B; b++) {
    for (int64_t j = 0; j < half; j++) {
      float frequency = expf(-9.210340372f * float(j) / (float(half) - shift));
      float angle = t[b] * frequency, s = sinf(angle), c = cosf(angle);
      store(y + b * dim + j, cosine_first ? c : s);
      store(y + b * dim + half + j, cosine_first ? s : c);
    }
    if (dim % 2) store(y + b * dim + dim - 1, 0.0f);
  }
}

template <typename T>
float loss(const Device* device, const T* y, const float* target, const float* weights,
           const float* mask, const Step* step, float* losses, T* dy, int64_t B, int64_t n,
           int64_t C, float huber) {
  double total = 0;
  for (int64_t b = 0; b < B; b++) {
    constexpr int64_t kBlock = 1 << 14;  // sums in index order of fixed blocks
    float weight = weights[b] * step->inv_labelled / float(n);
    int64_t blocks = (n + kBlock - 1) / kBlock;
    double sum = 0;
#pragma omp parallel for ordered num_threads(device->threads) schedule(static, 1)
    for (int64_t block = 0; block < blocks; block++) {
      double part = 0;
      for (int64_t i = b * n + block * kBlock; i < b * n + lo((block + 1) * kBlock, n); i++) {
        float d = load(y[i]) - target[i];
        float root = huber > 0 ? sqrtf(d * d + huber * huber) : 0;
        float counts = mask ? mask[i / C] : 1;
        part += double(counts * (huber > 0 ? 2 * huber * (root - huber) : d * d));
        float slope = counts * (huber > 0 ? 2 * huber * d / root : 2 * d);
        if (dy) store(dy + i, slope * weight * step->loss_scale);
      }
#pragma omp ordered
      sum += part;
    }
    losses[b] = float(sum / double(n));
    total += sum * double(weight);
  }
  return float(total);
}

}  // namespace

int ln_upsample_fwd(int64_t device, int64_t x, int64_t y, int64_t B, int64_t H, int64_t W,
                    int64_t OH, int64_t OW, int64_t C, int32_t dtype) {
  Upsampling u{B, H, W, OH, OW, C};
  if (dtype == LN_BF16)
    upsample(of(device), u, ptr<bf16>(x), ptr<bf16>(y));
  else
    upsample(of(device), u, ptr<float>(x), ptr<float>(y));
  return LN_OK;
}

int ln_upsample_bwd(int64_t device, int64_t dy, int64_t dx, int64_t B, int64_t H, int64_t W,
                    int64_t OH, int64_t OW, int64_t C, int32_t dtype) {
  Upsampling u{B, H, W, OH, OW, C};
  if (dtype == LN_BF16)
    upsample_backward(of(device), u, ptr<bf16>(dy), ptr<bf16>(dx));
  else
    upsample_backward(of(device), u, ptr<float>(dy), ptr<float>(dx));
  return LN_OK;
}

int ln_add_rows_fwd(int64_t device, int64_t x, int64_t t, int64_t y, int64_t B, int64_t N,
                    int64_t C, int32_t dtype) {
  if (dtype == LN_BF16)
    add_rows(of(device), ptr<bf16>(x), ptr<bf16>(t), ptr<bf16>(y), B, N, C);
  else
    add_rows(of(device), ptr<float>(x), ptr<float>(t), ptr<float>(y), B, N, C);
  return LN_OK;
}

int ln_add_rows_bwd(int64_t device, int64_t dy, int64_t dt, int64_t B, int64_t N, int64_t C,
                    int32_t dtype) {
  if (dtype == LN_BF16)
    sum_rows(of(device), ptr<bf16>(dy), ptr<bf16>(dt), B, N, C);
  else
    sum_rows(of(device), ptr<float>(dy), ptr<float>(dt), B, N, C);
  return LN_OK;
}

int ln_timestep_embedding_fwd(int64_t, int64_t t, int64_t y, int64_t B, int64_t dim,
                              int32_t cosine_first, float shift, int32_t dtype) {
  if (dtype == LN_BF16)
    embed(ptr<float>(t), ptr<bf16>(y), B, dim, cosine_first, shift);
  else
    embed(ptr<float>(t), ptr<float>(y), B, dim, cosine_first, shift);
  return LN_OK;
}

int64_t ln_mse_scratch(int64_t, int64_t, int64_t) { return 0; }

int ln_mse_fwd(int64_t device, int64_t y, int64_t target, int64_t weights, int64_t mask,
               int64_t step, int64_t loss_at, int64_t losses, int64_t dy, int64_t, int64_t B,
               int64_t n, int64_t C, float huber, int32_t dtype) {
  auto run = [&](auto* type) {
    using T = __typeof__(*type);
    return loss(of(device), ptr<T>(y), ptr<float>(target), ptr<float>(weights), ptr<float>(mask),
                ptr<Step>(step), ptr<float>(losses), ptr<T>(dy), B, n, C, huber);
  };
  *ptr<float>(loss_at) = dtype == LN_BF16 ? run(ptr<bf16>(0)) : run(ptr<float>(0));
  return LN_OK;
}

}  // namespace LN_ISA
}  // namespace ln
