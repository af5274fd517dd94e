// The gradient of a convolution's weight: for each tap of the kernel a product of dy and the image
// that the tap reads, copied into scratch one tap at a time, so that no tensor of kernel^2 channels
// exists.
#include "composed/backend.h"

namespace ln {
namespace LN_ISA {

int correlate(Device* device, const Matrix& dy, int64_t x, int64_t dw, int64_t tap,
              const ConvShape& s, int64_t O, bool accumulate, int32_t dtype) {
  int64_t rows = s.B * s.OH * s.OW, taps = s.kernel * s.kernel;
  for (int64_t t = 0; t < taps; t++) {
    LN_TRY(take_tap(device, x, tap, s, t / s.kernel, t % s.kernel, dtype));
    Matrix part{dw + t * s.I * 4, LN_F32, false, taps * s.I};
    Gemm g{O, s.I, rows, dy, {tap, dtype, false}, part};
    g.accumulate = accumulate;
    LN_TRY(device->gemm(device, g));
  }
  return LN_OK;
}

int64_t ln_conv2d_weight_scratch(int64_t, int64_t B, int64_t I, int64_t OH, int64_t OW,
                                 int32_t dtype) {
  return B * OH * OW * I * (dtype == LN_F32 ? 4 : 2);
}

int ln_conv2d_weight_bwd(int64_t device, int64_t dy, int64_t x, int64_t dw, int64_t scratch,
                         int64_t B, int64_t H, int64_t W, int64_t I, int64_t OH, int64_t OW,
                         int64_t O, int64_t kernel, int64_t stride, int64_t pad, int32_t dtype) {
  ConvShape s{B, H, W, I, OH, OW, kernel, stride, pad};
  return correlate(of(device), {dy, dtype, true}, x, dw, scratch, s, O, false, dtype);
}

}  // namespace LN_ISA
}  // namespace ln
