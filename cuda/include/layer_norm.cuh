// A row of a layer norm and of its gradient, for kernels that differ in what they do with
// xhat = (x - mean) rstd.                                              Ba et al. 2016
// The row stays in registers (row_walk.cuh).
#pragma once
#include "row_walk.cuh"

// y = affine(xhat), which is given its span of the row. stats: mean and rstd of each row.
template <bool WHOLE, typename T, typename Affine>
LN_DEVICE void normalize_row(const RowWalk<WHOLE>& walk, const T* x, T* y, float* stats, i64 C,
                             float eps, Affine affine) {
  typedef Span<WHOLE> Part;
  const i64 at = walk.m * C;
  Eight held[RowWalk<WHOLE>::kHeld];
  float sum = 0, squares = 0;
#pragma unroll
  for (int k = 0; k < RowWalk<WHOLE>::kHeld; k++) held[k] = walk.span(k).load(x + at);
  auto add = [&](const Eight& e) { LN_EACH_OF_8 sum += e[i]; };
  walk.each([&](int k, const Part&) { add(held[k]); }, [&](const Part& s) { add(s.load(x + at)); });
  const float mean = walk.sum(sum) / float(C);
  auto add_squares = [&](const Part& s, const Eight& e) {
    LN_EACH_OF_8 squares += i < s.count ? (e[i] - mean) * (e[i] - mean) : 0.0f;
  };
  walk.each([&](int k, const Part& s) { add_squares(s, held[k]); },
            [&](const Part& s) { add_squares(s, s.load(x + at)); });
  const float rstd = 1.0f / sqrtf(walk.sum(squares) / float(C) + eps);
  if (walk.thread == 0) {
    stats[2 * walk.m] = mean;
    stats[2 * walk.m + 1] = rstd;
  }
  auto write = [&](const Part& s, Eight e) {
    LN_EACH_OF_8 e[i] = (e[i] - mean) * rstd;
    affine(s, &e);
    s.store(y + at, e);
  };
  walk.each([&](int k, const Part& s) { write(s, held[k]); },
            [&](const Part& s) { write(s, s.load(x + at)); });
}

// dx = rstd (g - mean(g) - xhat mean(g xhat)), where `scale` makes g of dy.
template <bool WHOLE, typename T, typename Scale>
LN_DEVICE void normalize_row_bwd(const RowWalk<WHOLE>& walk, const T* dy, const T* x,
                                 const float* stats, T* dx, i64 C, Scale scale) {
  typedef Span<WHOLE> Part;
  const i64 at = walk.m * C;
  const float mean = stats[2 * walk.m], rstd = stats[2 * walk.m + 1];
  Eight g[RowWalk<WHOLE>::kHeld], xhat[RowWalk<WHOLE>::kHeld];
  float sum = 0, dot = 0;
#pragma unroll
  for (int k = 0; k < RowWalk<WHOLE>::kHeld; k++) {
    g[k] = walk.span(k).load(dy + at);
    xhat[k] = walk.span(k).load(x + at);
  }
  // Past a row's end g is 0.
  auto prepare = [&](const Part& s, Eight* d, Eight* e) {
    scale(s, d);
    LN_EACH_OF_8 e->x[i] = (e->x[i] - mean) * rstd;
  };
  auto add = [&](const Eight& d, const Eight& e) {
    LN_EACH_OF_8 {
      sum += d[i];
      dot += d[i] * e[i];
    }
  };
  walk.each(
      [&](int k, const Part& s) {
        prepare(s, &g[k], &xhat[k]);
        add(g[k], xhat[k]);
      },
      [&](const Part& s) {
        Eight d = s.load(dy + at), e = s.load(x + at);
        prepare(s, &d, &e);
        add(d, e);
      });
  sum = walk.sum(sum) / float(C);
  dot = walk.sum(dot) / float(C);
  auto write = [&](const Part& s, Eight d, const Eight& e) {
    LN_EACH_OF_8 d[i] = rstd * (d[i] - sum - e[i] * dot);
    s.store(dx + at, d);
  };
  walk.each([&](int k, const Part& s) { write(s, g[k], xhat[k]); },
            [&](const Part& s) {
              Eight d = s.load(dy + at), e = s.load(x + at);
              prepare(s, &d, &e);
              write(s, d, e);
            });
}
