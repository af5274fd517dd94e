// Row kernels. Bound by memory, each byte read and written once.
//
//   rms_norm    sum = x + residual; y = sum rstd w; rstd = 1/sqrt(mean(sum^2) + eps)
//               dx = rstd (dy w - sum rstd^2 mean(dy w sum)) + dsum   Zhang & Sennrich 2019, eq. 4
//   rope        rotates heads by the table's angles, half form                    Su et al. 2021
//   rope_pairs  the same where the two of a pair are neighbours
//   rope_table  cosines and sines, once a step; grid_rope_table: of tokens on a grid
//
// rms_norm: a warp for a row, a block of 4 or 8 warps for one of more than 1024 numbers; all reads
// of a row are in flight at once and it stays in registers (row_walk.cuh). Sums in f32: by thread,
// across the warp, then across the warps in order. [4096, 4096] in bf16 with residual: 134 MB,
// 45 us on an H100. Heads that are normed and turned take one pass: a lane's partner is that whose
// number differs in one bit, and numbers are rounded between the two as in memory. rope: a thread
// for 8 channels and their partners; rope_pairs: for 8 channels, which are 4 pairs.
#include "row_walk.cuh"

// A head's row of the table.
LN_DEVICE const float* angles_of(const float* table, i64 row, i32 heads, i64 C) {
  return table + u32(row) / u32(heads) * C;
}

// A lane's eight channels of a head that a warp holds, turned by the row's angles (sign -1: back).
LN_DEVICE Eight turned(const Eight& own, const float* angles, i32 lane, i32 C, float sign) {
  const i32 half = C / 2, at = lane * 8;
  Eight other, y = own;
  LN_EACH_OF_8 other[i] = __shfl_xor_sync(0xffffffffu, own[i], half / 8);
  if (at >= C) return y;
  const Eight c = load_eight(angles + at % half), s = load_eight(angles + half + at % half);
  const float to = at < half ? -sign : sign;
  LN_EACH_OF_8 y[i] = own[i] * c[i] + other[i] * (to * s[i]);
  return y;
}

template <bool WHOLE, typename T>
LN_DEVICE void rms_norm_fwd(const T* x, const T* residual, const float* w, T* y, T* sum,
                            float* rstd, const float* table, i32 heads, i64 M, i64 C, float eps,
                            i32 warps) {
  typedef Span<WHOLE> Part;
  const RowWalk<WHOLE> walk(C, warps);
  if (walk.m >= M) return;  // the whole row
  const i64 at = walk.m * C;
  Eight held[walk.kHeld], other[walk.kHeld] = {};
  float squares = 0;
  auto add_squares = [&](const Eight& e) { LN_EACH_OF_8 squares += e[i] * e[i]; };
#pragma unroll
  for (int k = 0; k < walk.kHeld; k++) {
    held[k] = walk.span(k).load(x + at);
    if (residual) other[k] = walk.span(k).load(residual + at);
  }
  walk.each(
      [&](int k, const Part& s) {
        if (residual) {
          held[k] += other[k];
          held[k] = rounded(held[k], T());
          s.store(sum + at, held[k]);
        }
        add_squares(held[k]);
      },
      [&](const Part& s) {
        Eight e = s.load(x + at);
        if (residual) {
          e += s.load(residual + at);
          e = rounded(e, T());
          s.store(sum + at, e);
        }
        add_squares(e);
      });
  const T* row = (residual ? sum : x) + at;  // sum may lie where x or residual did
  const float r = 1.0f / sqrtf(walk.sum(squares) / float(C) + eps);
  if (walk.thread == 0) rstd[walk.m] = r;
  auto scaled = [&](const Part& s, Eight e) {
    const Eight by = s.load(w);
    LN_EACH_OF_8 e[i] *= r * by[i];
    return e;
  };
  walk.each(
      [&](int k, const Part& s) {
        Eight e = scaled(s, held[k]);
        if (WHOLE && k == 0 && table)
          e = turned(rounded(e, T()), angles_of(table, walk.m, heads, C), walk.thread, i32(C), 1);
        s.store(y + at, e);
      },
      [&](const Part& s) { s.store(y + at, scaled(s, s.load(row))); });
}

template <bool WHOLE, typename T>
LN_DEVICE void rms_norm_bwd(const T* dy, const T* dsum, const T* sum, const float* w,
                            const float* rstd, T* dx, const float* table, i32 heads, i64 M, i64 C,
                            i32 warps) {
  typedef Span<WHOLE> Part;
  const RowWalk<WHOLE> walk(C, warps);
  if (walk.m >= M) return;
  const i64 at = walk.m * C;
  Eight g[walk.kHeld], x[walk.kHeld];
  float dot = 0;
  auto weigh = [&](const Part& s, Eight* e) {
    const Eight by = s.load(w);
    LN_EACH_OF_8 e->x[i] *= by[i];
  };
  auto add_dot = [&](const Eight& a, const Eight& b) { LN_EACH_OF_8 dot += a[i] * b[i]; };
#pragma unroll
  for (int k = 0; k < walk.kHeld; k++) {
    g[k] = walk.span(k).load(dy + at);
    x[k] = walk.span(k).load(sum + at);
  }
  if (WHOLE && table)
    g[0] = rounded(turned(g[0], angles_of(table, walk.m, heads, C), walk.thread, i32(C), -1), T());
  walk.each(
      [&](int k, const Part& s) {
        weigh(s, &g[k]);
        add_dot(g[k], x[k]);
      },
      [&](const Part& s) {
        Eight e = s.load(dy + at);
        weigh(s, &e);
        add_dot(e, s.load(sum + at));
      });
  const float r = rstd[walk.m], pull = walk.sum(dot) / float(C) * r * r;
  auto write = [&](const Part& s, Eight e, const Eight& row) {
    LN_EACH_OF_8 e[i] = r * (e[i] - row[i] * pull);
    if (dsum) e += s.load(dsum + at);
    s.store(dx + at, e);
  };
  walk.each([&](int k, const Part& s) { write(s, g[k], x[k]); },
            [&](const Part& s) {
              Eight e = s.load(dy + at);
              weigh(s, &e);
              write(s, e, s.load(sum + at));
            });
}

// A row is a token's head. Its eights: those of the first half, then what is not rotated.
template <bool WHOLE, typename T>
LN_DEVICE void rope(const T* x, const float* table, T* y, i64 rows, i64 heads, i64 D, i64 half,
                    float sign) {
  const u32 turned = RowSpan<WHOLE>::across(half), kept = RowSpan<WHOLE>::across(D - 2 * half);
  const u32 thread = u32(global_thread()), row = thread / (turned + kept);
  const u32 k = thread % (turned + kept);
  if (row >= rows) return;
  const T* from = x + row * D;
  T* to = y + row * D;
  if (k >= turned) {
    const Span<WHOLE> s(i64(k - turned) * 8, D - 2 * half);
    return s.store(to + 2 * half, s.load(from + 2 * half));
  }
  const float* cosine = table + row / u32(heads) * 2 * half;
  const Span<WHOLE> s(i64(k) * 8, half);
  const Eight a = s.load(from), b = s.load(from + half);
  const Eight c = s.load(cosine), angle_sine = s.load(cosine + half);
  Eight first, second;
  LN_EACH_OF_8 {
    const float t = sign * angle_sine[i];
    first[i] = a[i] * c[i] - b[i] * t;
    second[i] = b[i] * c[i] + a[i] * t;
  }
  s.store(to, first);
  s.store(to + half, second);
}

// The same where the two of a pair are neighbours: four pairs a thread.
template <bool WHOLE, typename T>
LN_DEVICE void rope_pairs(const T* x, const float* table, T* y, i64 rows, i64 heads, i64 D,
                          i64 half, float sign) {
  const RowSpan<WHOLE> s(u32(global_thread()), D);
  if (s.row >= rows) return;
  const float* cosine = table + s.row / u32(heads) * 2 * half;
  Eight e = s.load(x + i64(s.row) * D);
#pragma unroll
  for (int i = 0; i < 4; i++) {
    const i64 j = s.at / 2 + i;
    if (j < half) {
      const float c = cosine[j], t = sign * cosine[half + j], first = e[2 * i];
      e[2 * i] = first * c - e[2 * i + 1] * t;
      e[2 * i + 1] = e[2 * i + 1] * c + first * t;
    }
  }
  s.store(y + i64(s.row) * D, e);
}

extern "C" __global__ void __launch_bounds__(128)
    grid_rope_table(const i32* moved, float* table, GridRopeArguments g, i64 M) {
  const u32 half = u32(g.half[0] + g.half[1] + g.half[2]), i = u32(global_thread());
  if (i >= M * half) return;
  const i64 m = i / half, tokens = g.H * g.W + g.P + g.T, token = m % tokens,
            word = token - g.H * g.W - g.P;
  u32 j = i % half;
  int axis = 0;
  while (j >= u32(g.half[axis])) j -= u32(g.half[axis++]);
  const bool image = token < g.H * g.W;
  i64 place = 0;  // of what fills an image up
  if (image)
    place = axis == 0   ? g.image_at + (moved ? moved[m / tokens] : 0)
            : axis == 1 ? token / g.W
                        : token % g.W;
  else if (axis == 0 && word >= 0)
    place = g.text_at + word * g.text_step;
  const double angle = double(place) / pow(double(g.theta), double(j) / double(g.half[axis]));
  table[m * 2 * half + i % half] = float(cos(angle));
  table[m * 2 * half + half + i % half] = float(sin(angle));
}

extern "C" __global__ void __launch_bounds__(128)
    rope_table(const i32* positions, const float* inv_freq, float* table, i64 M, i64 half,
               float scale, float beta, i64 length) {
  u32 i = u32(global_thread());
  if (i >= M * half) return;
  const i32 position = positions[i / u32(half)];
  const float s = scale * (1.0f + beta * logf(1.0f + float(position / i32(length))));
  double angle = double(float(position) * inv_freq[i % u32(half)]);
  table[i64(i / u32(half)) * 2 * half + i % u32(half)] = s * float(cos(angle));
  table[i64(i / u32(half)) * 2 * half + half + i % u32(half)] = s * float(sin(angle));
}

LN_INSTANCES((RowTile::kMostThreads), rms_norm_fwd,
             (const T* x, const T* residual, const float* w, T* y, T* sum, float* rstd,
              const float* table, i32 heads, i64 M, i64 C, float eps, i32 warps),
             LN_EIGHTS(whole_eights(C, x, residual, w, y, sum), rms_norm_fwd, x, residual, w, y,
                       sum, rstd, table, heads, M, C, eps, warps))
LN_INSTANCES((RowTile::kMostThreads), rms_norm_bwd,
             (const T* dy, const T* dsum, const T* sum, const float* w, const float* rstd, T* dx,
              const float* table, i32 heads, i64 M, i64 C, i32 warps),
             LN_EIGHTS(whole_eights(C, dy, dsum, sum, w, dx), rms_norm_bwd, dy, dsum, sum, w, rstd,
                       dx, table, heads, M, C, warps))
LN_INSTANCES((256), rope,
             (const T* x, const float* table, T* y, i64 rows, i64 heads, i64 D, i64 half,
              float sign),
             LN_EIGHTS(whole_eights(D | half, x, table, y), rope, x, table, y, rows, heads, D, half,
                       sign))
LN_INSTANCES((256), rope_pairs,
             (const T* x, const float* table, T* y, i64 rows, i64 heads, i64 D, i64 half,
              float sign),
             LN_EIGHTS(whole_eights(D, x, y), rope_pairs, x, table, y, rows, heads, D, half, sign))
LN_KERNEL(grid_rope_table)
LN_KERNEL(rope_table)
