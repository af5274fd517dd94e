// Elementwise kernels. All are bound by memory: each byte is read and written once.
//
//   add           y = a + b
//   glu           y = act(gate) up;  dgate = dy up act'(gate), dup = dy act(gate)    Shazeer 2020
//   activation    y = act(x);  dx = dy act'(x)
//   embedding     y[m, c] = w[ids[m], c] scale;  dw[v, c] = scale sum dy[m, c], ids[m] = v
//                 from blocks too (blocks.cuh)
//   dropout       y = keep ? x / (1 - p) : 0, or y += that; the mask is Philox, drawn by element
//   columns       copies columns [from, from + columns) of a matrix out (cut) or back in
//   cast          y = x in another dtype
//   round_padded  y [n / padded_columns, padded_columns] = x [rows, columns], zeros around it
#include "blocks.cuh"
#include "elementwise.h"

LN_DEVICE float silu_sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

constexpr float kGeluScale = 0.7978845608f, kGeluCubic = 0.044715f;

// Codes of lora_ops.h: silu, gelu in its tanh form, gelu, quick gelu.
LN_DEVICE float act_value(float x, i32 act) {
  if (act == 0) return x * silu_sigmoid(x);
  if (act == 1) return 0.5f * x * (1.0f + tanhf(kGeluScale * (x + kGeluCubic * x * x * x)));
  if (act == 2) return 0.5f * x * (1.0f + erff(x * 0.70710678f));
  return x * silu_sigmoid(1.702f * x);
}

LN_DEVICE float act_slope(float x, i32 act) {
  if (act == 0) {
    float s = silu_sigmoid(x);
    return s * (1.0f + x * (1.0f - s));
  }
  if (act == 1) {
    float t = tanhf(kGeluScale * (x + kGeluCubic * x * x * x));
    return 0.5f * (1.0f + t) +
           0.5f * x * (1.0f - t * t) * kGeluScale * (1.0f + 3.0f * kGeluCubic * x * x);
  }
  if (act == 2)
    return 0.5f * (1.0f + erff(x * 0.70710678f)) + x * 0.3989422804f * expf(-0.5f * x * x);
  float s = silu_sigmoid(1.702f * x);
  return s * (1.0f + 1.702f * x * (1.0f - s));
}

template <typename T>
LN_DEVICE void add(const T* a, const T* b, T* y, i64 n) {
  i64 i = global_thread();
  if (i < n) store(y + i, load(a[i]) + load(b[i]));
}

// tiles blocks lie side by side over a row of gate and up, which have pitch elements from row to
// row.
template <typename T>
LN_DEVICE void glu_fwd(const T* gate, const T* up, T* y, i64 columns, i64 pitch, i32 tiles,
                       i32 act) {
  i64 row = blockIdx.x / tiles, column = i64(blockIdx.x % tiles) * blockDim.x + threadIdx.x;
  if (column >= columns) return;
  i64 i = row * pitch + column;
  store(y + row * columns + column, act_value(load(gate[i]), act) * load(up[i]));
}

template <typename T>
LN_DEVICE void glu_bwd(const T* dy, const T* gate, const T* up, T* dgate, T* dup, i64 columns,
                       i64 pitch, i32 tiles, i32 act) {
  i64 row = blockIdx.x / tiles, column = i64(blockIdx.x % tiles) * blockDim.x + threadIdx.x;
  if (column >= columns) return;
  i64 i = row * pitch + column;
  float g = load(gate[i]), d = load(dy[row * columns + column]);
  store(dgate + i, d * load(up[i]) * act_slope(g, act));
  store(dup + i, d * act_value(g, act));
}

template <typename T>
LN_DEVICE void activation_fwd(const T* x, T* y, i64 n, i32 act) {
  i64 i = global_thread();
  if (i < n) store(y + i, act_value(load(x[i]), act));
}

template <typename T>
LN_DEVICE void activation_bwd(const T* dy, const T* x, T* dx, i64 n, i32 act) {
  i64 i = global_thread();
  if (i < n) store(dx + i, load(dy[i]) * act_slope(load(x[i]), act));
}

template <typename T>
LN_DEVICE void embedding_bwd(const T* dy, const i32* ids, T* dw, i64 M, i64 C, i64 n, float scale) {
  i64 i = global_thread();
  if (i >= n) return;
  float sum = 0;
  for (i64 m = 0; m < M; m++)
    if (ids[m] == i / C) sum += load(dy[m * C + i % C]);
  store(dw + i, sum * scale);
}

template <typename T>
LN_DEVICE void embedding(const i32* ids, const T* w, T* y, i64 n, i64 C, float scale) {
  i64 i = global_thread();
  if (i < n) store(y + i, load(w[i64(ids[i / C]) * C + i % C]) * scale);
}

// The same from a matrix in blocks, a thread for 16 neighbours.
template <typename T>
LN_DEVICE void block_embedding(const i32* ids, const void* w, T* y, i64 M, i64 C, i64 V, i32 format,
                               float scale) {
  i64 at = global_thread() * 16, m = at / C;
  if (m >= M) return;
  const u8* data = static_cast<const u8*>(w);
  const CodedBlocks from{{data, V, C, format}, reinterpret_cast<const Nf4Header*>(data)->code, 1};
  i64 source = i64(ids[m]) * C + at % C;
  BlockGroup bits{};
  float x[16];
  bits.load(from.blocks, source);
  bits.numbers(x, from, source);
  for (int i = 0; i < 16; i++) store(y + at + i, x[i] * scale);
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

template <typename From, typename To>
LN_DEVICE void cast(const From* x, To* y, i64 n) {
  i64 i = global_thread();
  if (i < n) store(y + i, load(x[i]));
}

template <typename T>
LN_DEVICE void round_padded(const float* x, T* y, i64 rows, i64 columns, i64 padded_columns,
                            i64 n) {
  i64 i = global_thread();
  if (i >= n) return;
  i64 row = i / padded_columns, column = i % padded_columns;
  store(y + i, row < rows && column < columns ? x[row * columns + column] : 0.0f);
}

LN_INSTANCES((256), add, (const T* a, const T* b, T* y, i64 n), add(a, b, y, n))
LN_INSTANCES((256), glu_fwd,
             (const T* gate, const T* up, T* y, i64 columns, i64 pitch, i32 tiles, i32 act),
             glu_fwd(gate, up, y, columns, pitch, tiles, act))
LN_INSTANCES((256), glu_bwd,
             (const T* dy, const T* gate, const T* up, T* dgate, T* dup, i64 columns, i64 pitch,
              i32 tiles, i32 act),
             glu_bwd(dy, gate, up, dgate, dup, columns, pitch, tiles, act))
LN_INSTANCES((256), activation_fwd, (const T* x, T* y, i64 n, i32 act),
             activation_fwd(x, y, n, act))
LN_INSTANCES((256), activation_bwd, (const T* dy, const T* x, T* dx, i64 n, i32 act),
             activation_bwd(dy, x, dx, n, act))
LN_INSTANCES((256), embedding_bwd,
             (const T* dy, const i32* ids, T* dw, i64 M, i64 C, i64 n, float scale),
             embedding_bwd(dy, ids, dw, M, C, n, scale))
LN_INSTANCES((256), embedding, (const i32* ids, const T* w, T* y, i64 n, i64 C, float scale),
             embedding(ids, w, y, n, C, scale))
LN_INSTANCES((256), block_embedding,
             (const i32* ids, const void* w, T* y, i64 M, i64 C, i64 V, i32 format, float scale),
             block_embedding(ids, w, y, M, C, V, format, scale))
LN_INSTANCES((256), dropout,
             (const T* x, T* y, i64 n, float p, i32 stream, const gpu_step* step, i32 add),
             dropout(x, y, n, p, stream, step, add))
LN_INSTANCES((256), columns, (T * whole, T* part, i64 M, i64 width, i64 from, i64 count, i32 cut),
             columns(whole, part, M, width, from, count, cut))
LN_INSTANCES((256), cast_from_f32, (const float* x, T* y, i64 n), cast(x, y, n))
LN_INSTANCES_16_BIT((256), cast_to_f32, (const T* x, float* y, i64 n), cast(x, y, n))
LN_INSTANCES_16_BIT((256), round_padded,
                    (const float* x, T* y, i64 rows, i64 columns, i64 padded_columns, i64 n),
                    round_padded(x, y, rows, columns, padded_columns, n))
