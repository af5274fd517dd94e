// Elementwise kernels. All are bound by memory: each byte is read and written once.
//
//   add           y = a + b
//   glu           y = act(gate) up;  dgate = dy up act'(gate), dup = dy act(gate)    Shazeer 2020
//   embedding     y[m, c] = w[ids[m], c] scale
//   dropout       y = keep ? x / (1 - p) : 0, or y += that; the mask is Philox, drawn by element
//   columns       copies columns [from, from + columns) of a matrix out (cut) or back in
//   to_bf16       y = rounded x
#include "elementwise.h"
#include "gpu.cuh"

LN_DEVICE float silu_sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

constexpr float kGeluScale = 0.7978845608f, kGeluCubic = 0.044715f;

LN_DEVICE float act_value(float x, i32 act) {
  if (act == 0) return x * silu_sigmoid(x);
  return 0.5f * x * (1.0f + tanhf(kGeluScale * (x + kGeluCubic * x * x * x)));
}

LN_DEVICE float act_slope(float x, i32 act) {
  if (act == 0) {
    float s = silu_sigmoid(x);
    return s * (1.0f + x * (1.0f - s));
  }
  float t = tanhf(kGeluScale * (x + kGeluCubic * x * x * x));
  return 0.5f * (1.0f + t) +
         0.5f * x * (1.0f - t * t) * kGeluScale * (1.0f + 3.0f * kGeluCubic * x * x);
}

template <typename T>
LN_DEVICE void add(const T* a, const T* b, T* y, i64 n) {
  i64 i = global_thread();
  if (i < n) store(y + i, load(a[i]) + load(b[i]));
}

template <typename T>
LN_DEVICE void glu_fwd(const T* gate, const T* up, T* y, i64 n, i32 act) {
  i64 i = global_thread();
  if (i < n) store(y + i, act_value(load(gate[i]), act) * load(up[i]));
}

template <typename T>
LN_DEVICE void glu_bwd(const T* dy, const T* gate, const T* up, T* dgate, T* dup, i64 n, i32 act) {
  i64 i = global_thread();
  if (i >= n) return;
  float g = load(gate[i]), d = load(dy[i]);
  store(dgate + i, d * load(up[i]) * act_slope(g, act));
  store(dup + i, d * act_value(g, act));
}

template <typename T>
LN_DEVICE void embedding(const i32* ids, const T* w, T* y, i64 n, i64 C, float scale) {
  i64 i = global_thread();
  if (i < n) store(y + i, load(w[i64(ids[i / C]) * C + i % C]) * scale);
}

// Philox4x32-10: the twin of common/philox.h.
LN_DEVICE u32 philox_word(unsigned long long key, u32 c0, u32 c1, u32 c2, u32 c3, int lane) {
  u32 k0 = u32(key), k1 = u32(key >> 32);
  for (int round = 0; round < 10; round++) {
    u32 n0 = __umulhi(0xCD9E8D57u, c2) ^ c1 ^ k0, n2 = __umulhi(0xD2511F53u, c0) ^ c3 ^ k1;
    c1 = 0xCD9E8D57u * c2;
    c3 = 0xD2511F53u * c0;
    c0 = n0;
    c2 = n2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return lane == 0 ? c0 : lane == 1 ? c1 : lane == 2 ? c2 : c3;
}

template <typename T>
LN_DEVICE void dropout(const T* x, T* y, i64 n, float p, i32 stream, const gpu_step* step,
                       i32 add_to) {
  i64 i = global_thread();
  if (i >= n) return;
  u32 word =
      philox_word(step->seed, u32(i / 4), u32(stream), step->step, step->micro_step, int(i % 4));
  float uniform = float(word >> 8) * (1.0f / 16777216.0f);
  float value = uniform < p ? 0.0f : load(x[i]) * (1.0f / (1.0f - p));
  store(y + i, add_to ? load(y[i]) + value : value);
}

template <typename T>
LN_DEVICE void columns(T* whole, T* part, i64 M, i64 width, i64 from, i64 count, i32 cut) {
  i64 i = global_thread();
  if (i >= M * count) return;
  T* there = whole + i / count * width + from + i % count;
  if (cut)
    part[i] = *there;
  else
    *there = part[i];
}

extern "C" __global__ void __launch_bounds__(256) to_bf16(const float* x, gpu_bf16* y, i64 n) {
  i64 i = global_thread();
  if (i < n) store(y + i, x[i]);
}

extern "C" __global__ void __launch_bounds__(256)
    add_f32(const float* a, const float* b, float* y, i64 n) {
  add(a, b, y, n);
}
extern "C" __global__ void __launch_bounds__(256)
    add_bf16(const gpu_bf16* a, const gpu_bf16* b, gpu_bf16* y, i64 n) {
  add(a, b, y, n);
}
extern "C" __global__ void __launch_bounds__(256)
    glu_fwd_f32(const float* gate, const float* up, float* y, i64 n, i32 act) {
  glu_fwd(gate, up, y, n, act);
}
extern "C" __global__ void __launch_bounds__(256)
    glu_fwd_bf16(const gpu_bf16* gate, const gpu_bf16* up, gpu_bf16* y, i64 n, i32 act) {
  glu_fwd(gate, up, y, n, act);
}
extern "C" __global__ void __launch_bounds__(256)
    glu_bwd_f32(const float* dy, const float* gate, const float* up, float* dgate, float* dup,
                i64 n, i32 act) {
  glu_bwd(dy, gate, up, dgate, dup, n, act);
}
extern "C" __global__ void __launch_bounds__(256)
    glu_bwd_bf16(const gpu_bf16* dy, const gpu_bf16* gate, const gpu_bf16* up, gpu_bf16* dgate,
                 gpu_bf16* dup, i64 n, i32 act) {
  glu_bwd(dy, gate, up, dgate, dup, n, act);
}
extern "C" __global__ void __launch_bounds__(256)
    embedding_f32(const i32* ids, const float* w, float* y, i64 n, i64 C, float scale) {
  embedding(ids, w, y, n, C, scale);
}
extern "C" __global__ void __launch_bounds__(256)
    embedding_bf16(const i32* ids, const gpu_bf16* w, gpu_bf16* y, i64 n, i64 C, float scale) {
  embedding(ids, w, y, n, C, scale);
}
extern "C" __global__ void __launch_bounds__(256)
    dropout_f32(const float* x, float* y, i64 n, float p, i32 stream, const gpu_step* step,
                i32 add) {
  dropout(x, y, n, p, stream, step, add);
}
extern "C" __global__ void __launch_bounds__(256)
    dropout_bf16(const gpu_bf16* x, gpu_bf16* y, i64 n, float p, i32 stream, const gpu_step* step,
                 i32 add) {
  dropout(x, y, n, p, stream, step, add);
}
extern "C" __global__ void __launch_bounds__(256)
    columns_f32(float* whole, float* part, i64 M, i64 width, i64 from, i64 count, i32 cut) {
  columns(whole, part, M, width, from, count, cut);
}
extern "C" __global__ void __launch_bounds__(256)
    columns_bf16(gpu_bf16* whole, gpu_bf16* part, i64 M, i64 width, i64 from, i64 count, i32 cut) {
  columns(whole, part, M, width, from, count, cut);
}

LN_KERNEL(add_f32)
LN_KERNEL(add_bf16)
LN_KERNEL(glu_fwd_f32)
LN_KERNEL(glu_fwd_bf16)
LN_KERNEL(glu_bwd_f32)
LN_KERNEL(glu_bwd_bf16)
LN_KERNEL(embedding_f32)
LN_KERNEL(embedding_bf16)
LN_KERNEL(dropout_f32)
LN_KERNEL(dropout_bf16)
LN_KERNEL(columns_f32)
LN_KERNEL(columns_bf16)
LN_KERNEL(to_bf16)
