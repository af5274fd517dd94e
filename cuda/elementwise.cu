// Elementwise kernels, a thread for eight numbers. All are bound by memory: each byte is read and
// written once, 16 at a time.
//
//   add           y = a + b
//   affine        y = factor x + shift
//   glu           y = act(gate) up;  dgate = dy up act'(gate), dup = dy act(gate)    Shazeer 2020
//   activation    y = act(x);  dx = dy act'(x)
//   embedding     y[m, c] = w[ids[m], c] scale;  dw[v, c] = scale sum dy[m, c], ids[m] = v
//                 from blocks too (blocks.cuh)
//   dropout       y = keep ? x / (1 - p) : 0, or y += that; the mask is Philox's, drawn by element
//   columns       copies columns [from, from + columns) of a matrix out (cut) or back in
//   cast          y = x in another dtype
//   round_padded  y [padded_rows, padded_columns] = x [rows, columns], zeros around it
//   round_parts   the same for all matrices of a buffer, a row of blocks for each
#include "activations.cuh"
#include "blocks.cuh"
#include "elementwise.h"

// What few ask for, apart: in the choice of all, glu_fwd would take 48 or 50 registers for 40.
LN_DEVICE float activation_value(float x, i32 act) {
  return act == 4 ? tanhf(x) : act == 5 ? sigmoid(x) : act_value(x, act);
}
LN_DEVICE float activation_slope(float x, i32 act) {
  return act == 4 ? tanh_slope(x) : act == 5 ? Logistic(x).slope() : act_slope(x, act);
}

template <bool WHOLE, typename T>
LN_DEVICE void add(const T* a, const T* b, T* y, i64 n) {
  const Span<WHOLE> s = own_eight<WHOLE>(n);
  Eight x = s.load(a);
  x += s.load(b);
  s.store(y, x);
}

template <bool WHOLE, typename T>
LN_DEVICE void affine(const T* x, T* y, i64 n, float factor, float shift) {
  const Span<WHOLE> s = own_eight<WHOLE>(n);
  Eight e = s.load(x);
  LN_EACH_OF_8 e[i] = factor * e[i] + shift;
  s.store(y, e);
}

// gate and up have pitch elements from row to row.
template <bool WHOLE, typename T>
LN_DEVICE void glu_fwd(const T* gate, const T* up, T* y, i64 rows, i64 columns, i64 pitch,
                       i32 act) {
  const RowSpan<WHOLE> s(u32(global_thread()), columns);
  if (s.row >= rows) return;
  Eight x = s.load(gate + s.row * pitch);
  const Eight by = s.load(up + s.row * pitch);
  gated(x, by, act);
  s.store(y + s.row * columns, x);
}

template <bool WHOLE, typename T>
LN_DEVICE void glu_bwd(const T* dy, const T* gate, const T* up, T* dgate, T* dup, i64 rows,
                       i64 columns, i64 pitch, i32 act) {
  const RowSpan<WHOLE> s(u32(global_thread()), columns);
  if (s.row >= rows) return;
  Eight x = s.load(gate + s.row * pitch), by = s.load(up + s.row * pitch);
  const Eight d = s.load(dy + s.row * columns);
  gated_backward(x, by, d, act);
  s.store(dgate + s.row * pitch, by);
  s.store(dup + s.row * pitch, x);
}

template <bool WHOLE, typename T>
LN_DEVICE void activation_fwd(const T* x, T* y, i64 n, i32 act) {
  const Span<WHOLE> s = own_eight<WHOLE>(n);
  Eight e = s.load(x);
  LN_EACH_OF_8 e[i] = activation_value(e[i], act);
  s.store(y, e);
}

template <bool WHOLE, typename T>
LN_DEVICE void activation_bwd(const T* dy, const T* x, T* dx, i64 n, i32 act) {
  const Span<WHOLE> s = own_eight<WHOLE>(n);
  Eight d = s.load(dy);
  const Eight e = s.load(x);
  LN_EACH_OF_8 d[i] *= activation_slope(e[i], act);
  s.store(dx, d);
}

template <typename T>
LN_DEVICE void embedding_bwd(const T* dy, const i32* ids, T* dw, i64 M, i64 C, i64 n, float scale) {
  i64 i = global_thread();
  if (i >= n) return;
  const i64 id = i / C, c = i % C;
  float sum = 0;
  for (i64 m = 0; m < M; m++)
    if (ids[m] == id) sum += load(dy[m * C + c]);
  store(dw + i, sum * scale);
}

template <bool WHOLE, typename T>
LN_DEVICE void embedding(const i32* ids, const T* w, T* y, i64 M, i64 C, float scale) {
  const RowSpan<WHOLE> s(u32(global_thread()), C);
  if (s.row >= M) return;
  Eight x = s.load(w + i64(ids[s.row]) * C);
  LN_EACH_OF_8 x[i] *= scale;
  s.store(y + s.row * C, x);
}

// The same from a matrix in blocks, a thread for 16 neighbours.
template <typename T>
LN_DEVICE void block_embedding(const i32* ids, const void* w, T* y, i64 M, i64 C, i64 V, i32 format,
                               float scale) {
  i64 at = global_thread() * 16, m = at / C;
  if (m >= M) return;
  float x[16];
  read_sixteen(x, w, V * C, format, i64(ids[m]) * C + at % C);
#pragma unroll
  for (int half = 0; half < 16; half += 8) {
    Eight e;
    LN_EACH_OF_8 e[i] = x[half + i] * scale;
    store_eight(y + at + half, e);
  }
}

// Philox4x32-10: the twin of common/philox.h.
LN_DEVICE void philox(unsigned long long key, u32 (&c)[4]) {
  u32 k0 = u32(key), k1 = u32(key >> 32);
  for (int round = 0; round < 10; round++) {
    u32 n0 = __umulhi(0xCD9E8D57u, c[2]) ^ c[1] ^ k0, n2 = __umulhi(0xD2511F53u, c[0]) ^ c[3] ^ k1;
    c[1] = 0xCD9E8D57u * c[2];
    c[3] = 0xD2511F53u * c[0];
    c[0] = n0;
    c[2] = n2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
}

template <bool WHOLE, typename T>
LN_DEVICE void dropout(const T* x, T* y, i64 n, float p, i32 stream, const gpu_step* step,
                       i32 add_to) {
  const Span<WHOLE> s = own_eight<WHOLE>(n);
  if (s.empty()) return;
  Eight e = s.load(x);
  u32 words[2][4];  // four numbers' each
#pragma unroll
  for (int k = 0; k < 2; k++) {
    u32 counter[4] = {u32(s.at / 4) + k, u32(stream), step->step, step->micro_step};
    philox(step->seed, counter);
#pragma unroll
    for (int i = 0; i < 4; i++) words[k][i] = counter[i];
  }
  LN_EACH_OF_8 {
    const float uniform = float(words[i / 4][i % 4] >> 8) * (1.0f / 16777216.0f);
    e[i] = uniform < p ? 0.0f : e[i] * (1.0f / (1.0f - p));
  }
  if (add_to) e += s.load(y);
  s.store(y, e);
}

template <bool WHOLE, typename T>
LN_DEVICE void columns(T* whole, T* part, i64 M, i64 width, i64 from, i64 count, i32 cut) {
  const RowSpan<WHOLE> s(u32(global_thread()), count);
  if (s.row >= M) return;
  T *there = whole + s.row * width + from, *here = part + s.row * count;
  if (cut)
    s.store(here, s.load(there));
  else
    s.store(there, s.load(here));
}

template <bool WHOLE, typename From, typename To>
LN_DEVICE void cast(const From* x, To* y, i64 n) {
  const Span<WHOLE> s = own_eight<WHOLE>(n);
  s.store(y, s.load(x));
}

template <bool WHOLE, typename T>
LN_DEVICE void round_padded(const float* x, T* y, i64 rows, i64 columns, i64 padded_rows,
                            i64 padded_columns) {
  const RowSpan<WHOLE> to(u32(global_thread()), padded_columns);
  if (to.row >= padded_rows) return;
  const Span<WHOLE> from(to.at, to.row < rows ? columns : 0);
  to.store(y + to.row * padded_columns, from.load(x + to.row * columns));
}

template <bool WHOLE, typename T>
LN_DEVICE void round_part(const float* x, T* y, const RoundedPart& p) {
  const u32 eights = RowSpan<WHOLE>::across(p.padded_columns) * u32(p.padded_rows);
  for (u32 at = u32(global_thread()); at < eights; at += gridDim.x * blockDim.x) {
    const RowSpan<WHOLE> to(at, p.padded_columns);
    const Span<WHOLE> from(to.at, to.row < u32(p.rows) ? p.columns : 0);
    to.store(y + i64(to.row) * p.padded_columns, from.load(x + i64(to.row) * p.columns));
  }
}

template <typename T>
LN_DEVICE void round_parts(const float* x, const RoundedPart* parts, T* y) {
  const RoundedPart p = parts[blockIdx.y];
  x += p.from * RoundedPart::kFrom;
  y += p.to * RoundedPart::kTo;
  if ((p.columns | p.padded_columns) % 8 == 0)
    round_part<true>(x, y, p);
  else
    round_part<false>(x, y, p);
}

LN_INSTANCES((256), add, (const T* a, const T* b, T* y, i64 n),
             LN_EIGHTS(whole_eights(n, a, b, y), add, a, b, y, n))
LN_INSTANCES((256), affine, (const T* x, T* y, i64 n, float factor, float shift),
             LN_EIGHTS(whole_eights(n, x, y), affine, x, y, n, factor, shift))
LN_INSTANCES((256), glu_fwd,
             (const T* gate, const T* up, T* y, i64 rows, i64 columns, i64 pitch, i32 act),
             LN_EIGHTS(whole_eights(columns | pitch, gate, up, y), glu_fwd, gate, up, y, rows,
                       columns, pitch, act))
LN_INSTANCES((256), glu_bwd,
             (const T* dy, const T* gate, const T* up, T* dgate, T* dup, i64 rows, i64 columns,
              i64 pitch, i32 act),
             LN_EIGHTS(whole_eights(columns | pitch, dy, gate, up, dgate, dup), glu_bwd, dy, gate,
                       up, dgate, dup, rows, columns, pitch, act))
LN_INSTANCES((256), activation_fwd, (const T* x, T* y, i64 n, i32 act),
             LN_EIGHTS(whole_eights(n, x, y), activation_fwd, x, y, n, act))
LN_INSTANCES((256), activation_bwd, (const T* dy, const T* x, T* dx, i64 n, i32 act),
             LN_EIGHTS(whole_eights(n, dy, x, dx), activation_bwd, dy, x, dx, n, act))
LN_INSTANCES((256), embedding_bwd,
             (const T* dy, const i32* ids, T* dw, i64 M, i64 C, i64 n, float scale),
             embedding_bwd(dy, ids, dw, M, C, n, scale))
LN_INSTANCES((256), embedding, (const i32* ids, const T* w, T* y, i64 M, i64 C, float scale),
             LN_EIGHTS(whole_eights(C, w, y), embedding, ids, w, y, M, C, scale))
LN_INSTANCES((256), block_embedding,
             (const i32* ids, const void* w, T* y, i64 M, i64 C, i64 V, i32 format, float scale),
             block_embedding(ids, w, y, M, C, V, format, scale))
LN_INSTANCES((256), dropout,
             (const T* x, T* y, i64 n, float p, i32 stream, const gpu_step* step, i32 add),
             LN_EIGHTS(whole_eights(n, x, y), dropout, x, y, n, p, stream, step, add))
LN_INSTANCES((256), columns, (T * whole, T* part, i64 M, i64 width, i64 from, i64 count, i32 cut),
             LN_EIGHTS(whole_eights(width | from | count, whole, part), columns, whole, part, M,
                       width, from, count, cut))
LN_INSTANCES((256), cast_from_f32, (const float* x, T* y, i64 n),
             LN_EIGHTS(whole_eights(n, x, y), cast, x, y, n))
LN_INSTANCES_16_BIT((256), cast_to_f32, (const T* x, float* y, i64 n),
                    LN_EIGHTS(whole_eights(n, x, y), cast, x, y, n))
LN_INSTANCES_16_BIT((256), round_padded,
                    (const float* x, T* y, i64 rows, i64 columns, i64 padded_rows,
                     i64 padded_columns),
                    LN_EIGHTS(whole_eights(columns | padded_columns, x, y), round_padded, x, y,
                              rows, columns, padded_rows, padded_columns))
LN_INSTANCES_16_BIT((256), round_parts, (const float* x, const RoundedPart* parts, T* y),
                    round_parts(x, parts, y))
