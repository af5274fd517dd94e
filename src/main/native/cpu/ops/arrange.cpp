// Numbers put elsewhere: windows cut out and set into zeros, pixels as tokens. Bound by memory.
#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {
namespace {

// Where a window lies in each of B matrices [R, C].
struct Window {
  int64_t B, R, C, top, left, rows, columns, size;

  // Where row r of the window of matrix b begins, in bytes.
  int64_t at(int64_t b, int64_t r) const { return ((b * R + top + r) * C + left) * size; }
  int64_t bytes() const { return columns * size; }
};

struct Patches {
  int64_t B, H, W, C, p;
  bool channels_first, inverse;
};

template <typename T>
void patchify(const Device* device, const Patches& s, const T* x, T* y) {
  int64_t across = s.W / s.p, tokens = s.B * (s.H / s.p) * across, width = s.p * s.p * s.C;
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t token = 0; token < tokens; token++) {
    int64_t row = token / across * s.p, column = token % across * s.p;
    for (int64_t i = 0; i < s.p; i++)
      for (int64_t j = 0; j < s.p; j++)
        for (int64_t c = 0; c < s.C; c++) {
          int64_t pixel = ((row + i) * s.W + column + j) * s.C + c;
          int64_t inside = s.channels_first ? (c * s.p + i) * s.p + j : (i * s.p + j) * s.C + c;
          int64_t at = token * width + inside;
          y[s.inverse ? pixel : at] = x[s.inverse ? at : pixel];
        }
  }
}

}  // namespace

int ln_crop_fwd(int64_t device, int64_t x, int64_t y, int64_t B, int64_t R, int64_t C, int64_t top,
                int64_t left, int64_t rows, int64_t columns, int32_t shared, int32_t dtype) {
  Window w{B, R, C, top, left, rows, columns, dtype == LN_BF16 ? 2 : 4};
#pragma omp parallel for num_threads(of(device)->threads) schedule(static)
  for (int64_t row = 0; row < B * rows; row++)
    memcpy(ptr<char>(y) + row * w.bytes(), ptr<char>(x) + w.at(shared ? 0 : row / rows, row % rows),
           size_t(w.bytes()));
  return LN_OK;
}

int ln_pad_fwd(int64_t device, int64_t x, int64_t y, int64_t B, int64_t R, int64_t C, int64_t top,
               int64_t left, int64_t rows, int64_t columns, int32_t dtype) {
  Window w{B, R, C, top, left, rows, columns, dtype == LN_BF16 ? 2 : 4};
#pragma omp parallel for num_threads(of(device)->threads) schedule(static)
  for (int64_t row = 0; row < B * R; row++) {
    int64_t b = row / R, r = row % R - top;
    memset(ptr<char>(y) + row * C * w.size, 0, size_t(C * w.size));
    if (r >= 0 && r < rows)
      memcpy(ptr<char>(y) + w.at(b, r), ptr<char>(x) + (b * rows + r) * w.bytes(),
             size_t(w.bytes()));
  }
  return LN_OK;
}

int ln_patchify_fwd(int64_t device, int64_t x, int64_t y, int64_t B, int64_t H, int64_t W,
                    int64_t C, int64_t p, int32_t channels_first, int32_t inverse, int32_t dtype) {
  Patches s{B, H, W, C, p, channels_first != 0, inverse != 0};
  if (dtype == LN_BF16)
    patchify(of(device), s, ptr<bf16>(x), ptr<bf16>(y));
  else
    patchify(of(device), s, ptr<float>(x), ptr<float>(y));
  return LN_OK;
}

}  // namespace LN_ISA
}  // namespace ln
