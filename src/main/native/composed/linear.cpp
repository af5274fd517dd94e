// Linear layer, frozen or of a made weight. Each direction is one matrix product of the device.
#include "composed/backend.h"

namespace ln {
namespace LN_ISA {

int64_t ln_linear_scratch(int64_t device, int64_t M, int64_t in, int64_t out, int32_t w_dtype,
                          int32_t dtype) {
  int64_t forward = of(device)->gemm_scratch(of(device), M, out, in, w_dtype, dtype);
  int64_t backward = of(device)->gemm_scratch(of(device), M, in, out, w_dtype, dtype);
  return forward > backward ? forward : backward;
}

int ln_linear_fwd(int64_t device, int64_t x, int64_t w0, int64_t bias, int64_t y, int64_t scratch,
                  int64_t M, int64_t in, int64_t out, int32_t w_dtype, int32_t dtype,
                  int32_t y_dtype) {
  Gemm g{M, out, in, {x, dtype, false}, {w0, w_dtype, true}, {y, y_dtype, false}};
  g.bias = bias;
  g.scratch = scratch;
  return of(device)->gemm(of(device), g);
}

int ln_linear_bwd(int64_t device, int64_t dy, int64_t w0, int64_t dx, int64_t scratch, int64_t M,
                  int64_t in, int64_t out, int32_t accumulate, int32_t w_dtype, int32_t dtype) {
  Gemm g{M, in, out, {dy, dtype, false}, {w0, w_dtype, false}, {dx, dtype, false}};
  g.accumulate = accumulate;
  g.scratch = scratch;
  return of(device)->gemm(of(device), g);
}

int ln_linear_weight_bwd(int64_t device, int64_t dy, int64_t x, int64_t dw, int64_t M, int64_t in,
                         int64_t out, int32_t dtype) {
  Gemm g{out, in, M, {dy, dtype, true}, {x, dtype, false}, {dw, LN_F32, false}};
  return of(device)->gemm(of(device), g);
}

}  // namespace LN_ISA
}  // namespace ln
