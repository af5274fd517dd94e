// Products with a gated linear unit in the epilogue: signatures.
#pragma once
#include "hopper.h"

// The unit behind a product's C, all matrices [M, N], rows as far apart as C's. Forward: y =
// act(gate) C. Backward: C, what comes back to the unit, is not written; c takes the gradient of
// up, y that of gate, and may be gate.
struct GatedArguments {
  const void *gate, *up;  // up: backward alone
  void* y;
  i64 act;
};
LN_SIGNATURES_16_BIT(gated_gemm_fwd, (TensorGemmArguments g, GatedArguments u))
LN_SIGNATURES_16_BIT(gated_gemm_bwd, (TensorGemmArguments g, GatedArguments u))
LN_SIGNATURES_16_BIT(hopper_gated_fwd_broad,
                     (const LN_CONSTANT MappedGemmArguments g, GatedArguments u))
LN_SIGNATURES_16_BIT(hopper_gated_fwd_square,
                     (const LN_CONSTANT MappedGemmArguments g, GatedArguments u))
LN_SIGNATURES_16_BIT(hopper_gated_bwd_broad,
                     (const LN_CONSTANT MappedGemmArguments g, GatedArguments u))
LN_SIGNATURES_16_BIT(hopper_gated_bwd_square,
                     (const LN_CONSTANT MappedGemmArguments g, GatedArguments u))
