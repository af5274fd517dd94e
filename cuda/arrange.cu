// Numbers put elsewhere. Bound by memory, each byte once.
//
//   crop, pad  a window cut out of each matrix of a batch, or set into zeros: eight neighbours of a
//              row a thread
//   patchify   pixels as tokens of p x p of them, and back: a number a thread, in the order of the
//              pixels, so that they are read and written along; tokens lie p C numbers apart at
//              most. It runs on latents alone: [16384, 16] in bf16 is 1 MB, launch time.
#include "arrange.h"
#include "eight.cuh"

template <bool WHOLE, typename T>
LN_DEVICE void crop(const T* x, T* y, const WindowArguments& w, i32 shared) {
  const RowSpan<WHOLE> s(u32(global_thread()), w.columns);
  if (s.row >= w.B * w.rows) return;
  const i64 b = shared ? 0 : s.row / u32(w.rows);
  const T* from = x + (b * w.R + w.top + s.row % u32(w.rows)) * w.C + w.left;
  s.store(y + i64(s.row) * w.columns, s.load(from));
}

template <typename T>
LN_DEVICE void pad(const T* x, T* y, const WindowArguments& w) {
  const RowSpan<false> s(u32(global_thread()), w.C);
  if (s.row >= w.B * w.R) return;
  const i64 b = s.row / u32(w.R), row = i64(s.row % u32(w.R)) - w.top;
  const T* from = x + (b * w.rows + row) * w.columns;
  Eight e{};
  if (row >= 0 && row < w.rows) {
    LN_EACH_OF_8 {
      const i64 column = s.at + i - w.left;
      if (column >= 0 && column < w.columns) e[i] = load(from[column]);
    }
  }
  s.store(y + i64(s.row) * w.C, e);
}

template <typename T>
LN_DEVICE void patchify(const T* x, T* y, const PatchArguments& s) {
  const i64 pixel = global_thread();
  if (pixel >= s.B * s.H * s.W * s.C) return;
  const i64 c = pixel % s.C, column = pixel / s.C % s.W, line = pixel / s.C / s.W;
  const i64 i = line % s.p, j = column % s.p;
  const i64 token = line / s.p * (s.W / s.p) + column / s.p;  // s.H is whole patches
  const i64 inside = s.channels_first ? (c * s.p + i) * s.p + j : (i * s.p + j) * s.C + c;
  const i64 at = token * s.p * s.p * s.C + inside;
  y[s.inverse ? pixel : at] = x[s.inverse ? at : pixel];
}

LN_INSTANCES((256), crop, (const T* x, T* y, WindowArguments w, i32 shared),
             LN_EIGHTS(whole_eights(w.columns | w.C | w.left, x, y), crop, x, y, w, shared))
LN_INSTANCES((256), pad, (const T* x, T* y, WindowArguments w), pad(x, y, w))
LN_INSTANCES((256), patchify, (const T* x, T* y, PatchArguments s), patchify(x, y, s))
