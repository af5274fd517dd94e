// What ln_global_norm_fwd leaves for optimizers: clip[0] is the gradients' norm, clip[1] the factor
// that clips them.
#pragma once
#include "gpu.cuh"

// Whether the norm is not finite: such a step changes nothing but the gradients, which are zeroed.
LN_DEVICE bool overflowed(const float* clip) { return !(clip[0] < -negative_infinity()); }
