// Linear layer, frozen or of a made weight. Each direction is one matrix product of the device.
#include "composed/backend.h"

namespace ln {
namespace LN_ISA {

int gate(Device* device, const Gemm& g) {
  const GatedUnit& u = g.unit;
  const int64_t handle = int64_t(device), n = g.M * g.N;
  if (!u.up) return ln_glu_fwd(handle, u.gate, g.c.address, u.y, 1, n, n, u.act, g.c.dtype);
  return ln_glu_bwd(handle, g.c.address, u.gate, u.up, u.y, g.c.address, 1, n, n, u.act, g.c.dtype);
}

int product(Device* device, const Gemm& g) {
  if (!g.unit.gate || device->cuda) return device->gemm(device, g);
  Gemm alone = g;
  alone.unit = {};
  LN_TRY(device->gemm(device, alone));
  return gate(device, g);
}

int64_t ln_linear_scratch(int64_t device, int64_t M, int64_t in, int64_t out, int32_t w_dtype,
                          int32_t dtype) {
  int64_t forward = of(device)->gemm_scratch(of(device), M, out, in, w_dtype, dtype);
  int64_t backward = of(device)->gemm_scratch(of(device), M, in, out, w_dtype, dtype);
  return forward > backward ? forward : backward;
}

int ln_linear_fwd(int64_t device, int64_t x, int64_t w0, int64_t bias, int64_t y, int64_t scratch,
                  int64_t gate, int64_t gated, int32_t act, int64_t M, int64_t in, int64_t out,
                  int32_t w_dtype, int32_t dtype, int32_t y_dtype) {
  Gemm g{M, out, in, {x, dtype, false}, {w0, w_dtype, true}, {y, y_dtype, false}};
  g.bias = bias;
  g.scratch = scratch;
  g.unit = {gate, 0, gated, act};
  return product(of(device), g);
}

int ln_linear_bwd(int64_t device, int64_t dy, int64_t w0, int64_t dx, int64_t scratch, int64_t gate,
                  int64_t up, int64_t dgate, int32_t act, int64_t M, int64_t in, int64_t out,
                  int32_t accumulate, int32_t w_dtype, int32_t dtype) {
  Gemm g{M, in, out, {dy, dtype, false}, {w0, w_dtype, false}, {dx, dtype, false}};
  g.accumulate = accumulate;
  g.scratch = scratch;
  g.unit = {gate, up, dgate, act};
  return product(of(device), g);
}

int ln_linear_weight_bwd(int64_t device, int64_t dy, int64_t x, int64_t dw, int64_t M, int64_t in,
                         int64_t out, int32_t dtype) {
  Gemm g{out, in, M, {dy, dtype, true}, {x, dtype, false}, {dw, LN_F32, false}};
  return of(device)->gemm(of(device), g);
}

}  // namespace LN_ISA
}  // namespace ln
