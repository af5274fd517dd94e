// Convolutions: oneDNN's; and the image that a tap of a kernel reads.
#include "cpu/ops/op.h"
#include "cpu/products.h"

namespace ln {
namespace LN_ISA {

int take_tap(Device* device, int64_t x, int64_t y, const ConvShape& s, int64_t ky, int64_t kx,
             int32_t dtype) {
  int64_t bytes = s.I * (dtype == LN_BF16 ? 2 : 4);
  char *from = ptr<char>(x), *to = ptr<char>(y);
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t row = 0; row < s.B * s.OH; row++) {
    int64_t iy = row % s.OH * s.stride + ky - s.pad, image = row / s.OH;
    for (int64_t ox = 0; ox < s.OW; ox++) {
      int64_t ix = ox * s.stride + kx - s.pad;
      char* pixel = to + (row * s.OW + ox) * bytes;
      if (iy >= 0 && iy < s.H && ix >= 0 && ix < s.W)
        memcpy(pixel, from + ((image * s.H + iy) * s.W + ix) * bytes, size_t(bytes));
      else
        memset(pixel, 0, size_t(bytes));
    }
  }
  return LN_OK;
}

int ln_conv2d_fwd(int64_t device, int64_t x, int64_t w, int64_t bias, int64_t y, int64_t B,
                  int64_t H, int64_t W, int64_t I, int64_t OH, int64_t OW, int64_t O,
                  int64_t kernel, int64_t stride, int64_t pad, int32_t dtype) {
  Conv c{B, H, W, I, OH, OW, O, kernel, stride, pad, dtype, bias != 0, false};
  return onednn_conv(of(device), c, x, w, bias, y);
}

int ln_conv2d_bwd(int64_t device, int64_t dy, int64_t w, int64_t dx, int64_t B, int64_t H,
                  int64_t W, int64_t I, int64_t OH, int64_t OW, int64_t O, int64_t kernel,
                  int64_t stride, int64_t pad, int32_t dtype) {
  Conv c{B, H, W, I, OH, OW, O, kernel, stride, pad, dtype, false, true};
  return onednn_conv(of(device), c, dy, w, 0, dx);
}

}  // namespace LN_ISA
}  // namespace ln
