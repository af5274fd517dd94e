// Convolutions: oneDNN's.
#include "cpu/ops/op.h"
#include "cpu/products.h"

namespace ln {
namespace LN_ISA {

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
