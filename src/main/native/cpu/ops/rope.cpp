// Rotary position embedding, in Hugging Face's half form or in neighbours.      Su et al. 2021
//
// The table of cos and sin is made once a step and read by every layer: sines are dear, rows are
// shared. Rotating is bound by memory.
#include <math.h>

#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {
namespace {

template <typename T>
void rotate(const Device* device, const T* x, const float* table, T* y, int64_t M, int64_t heads,
            int64_t D, int64_t half, float sign) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t m = 0; m < M; m++) {
    const float *cosine = table + m * 2 * half, *sine = cosine + half;
    for (int64_t h = 0; h < heads; h++) {
      const T* from = x + (m * heads + h) * D;
      T* to = y + (m * heads + h) * D;
#pragma omp simd
      for (int64_t j = 0; j < half; j++) {
        float first = load(from[j]), second = load(from[j + half]), s = sign * sine[j];
        store(to + j, first * cosine[j] - second * s);
        store(to + j + half, second * cosine[j] + first * s);
      }
      for (int64_t j = 2 * half; j < D; j++) to[j] = from[j];
    }
  }
}

template <typename T>
void rotate_pairs(const Device* device, const T* x, const float* table, T* y, int64_t M,
                  int64_t heads, int64_t D, int64_t half, float sign) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t m = 0; m < M; m++) {
    const float *cosine = table + m * 2 * half, *sine = cosine + half;
    for (int64_t h = 0; h < heads; h++) {
      const T* from = x + (m * heads + h) * D;
      T* to = y + (m * heads + h) * D;
      for (int64_t j = 0; j < half; j++) {
        float first = load(from[2 * j]), second = load(from[2 * j + 1]), s = sign * sine[j];
        store(to + 2 * j, first * cosine[j] - second * s);
        store(to + 2 * j + 1, second * cosine[j] + first * s);
      }
      for (int64_t j = 2 * half; j < D; j++) to[j] = from[j];
    }
  }
}

}  // namespace

int ln_rope_table_fwd(int64_t device, int64_t positions, int64_t inv_freq, int64_t table, int64_t M,
                      int64_t half, float scale, float beta, int64_t length) {
  const int32_t* p = ptr<int32_t>(positions);
  const float* f = ptr<float>(inv_freq);
  float* t = ptr<float>(table);
#pragma omp parallel for num_threads(of(device)->threads) schedule(static)
  for (int64_t m = 0; m < M; m++) {
    const float s = scale * (1 + beta * logf(1 + float(p[m] / length)));
    for (int64_t j = 0; j < half; j++) {
      // Frequencies are f32 and their product with the position is rounded to f32, as in
      // transformers; the sine of that is then exact to f32.
      double angle = double(float(p[m]) * f[j]);
      t[m * 2 * half + j] = s * float(cos(angle));
      t[m * 2 * half + half + j] = s * float(sin(angle));
    }
  }
  return LN_OK;
}

int ln_grid_rope_table_fwd(int64_t device, int64_t moved, int64_t table, int64_t B, int64_t H,
                           int64_t W, int64_t P, int64_t T, int64_t image_at, int64_t text_at,
                           int64_t text_step, int64_t half0, int64_t half1, int64_t half2,
                           float theta) {
  const int64_t halves[3] = {half0, half1, half2}, half = half0 + half1 + half2;
  const int64_t tokens = H * W + P + T;
  const int32_t* by = ptr<int32_t>(moved);
  float* t = ptr<float>(table);
#pragma omp parallel for num_threads(of(device)->threads) schedule(static)
  for (int64_t m = 0; m < B * tokens; m++) {
    int64_t token = m % tokens, word = token - H * W - P;
    bool image = token < H * W;
    int64_t place[3] = {image       ? image_at + (by ? by[m / tokens] : 0)
                        : word >= 0 ? text_at + word * text_step
                                    : 0,
                        image ? token / W : 0, image ? token % W : 0};
    float *cosine = t + m * 2 * half, *sine = cosine + half;
    for (int axis = 0, at = 0; axis < 3; axis++)
      for (int64_t j = 0; j < halves[axis]; j++, at++) {
        double angle = double(place[axis]) / pow(double(theta), double(j) / double(halves[axis]));
        cosine[at] = float(cos(angle));
        sine[at] = float(sin(angle));
      }
  }
  return LN_OK;
}

int ln_rope_fwd(int64_t device, int64_t x, int64_t table, int64_t y, int64_t M, int64_t heads,
                int64_t head_dim, int64_t half, int32_t interleaved, int32_t inverse,
                int32_t dtype) {
  float sign = inverse ? -1.0f : 1.0f;
  const Device* d = of(device);
  const float* angles = ptr<float>(table);
  if (dtype == LN_BF16)
    (interleaved ? rotate_pairs<bf16> : rotate<bf16>)(d, ptr<bf16>(x), angles, ptr<bf16>(y), M,
                                                      heads, head_dim, half, sign);
  else
    (interleaved ? rotate_pairs<float> : rotate<float>)(d, ptr<float>(x), angles, ptr<float>(y), M,
                                                        heads, head_dim, half, sign);
  return LN_OK;
}

}  // namespace LN_ISA
}  // namespace ln
