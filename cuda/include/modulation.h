// Layer norms whose scale and shift are made of a timestep, and gated adds: signatures. A row as in
// rows.h, sums over rows as in column_sums.h.
#pragma once
#include "column_sums.h"
#include "rows.h"

LN_SIGNATURES(modulated_norm_fwd, (const T* x, const T* scale, const T* shift, T* y, float* stats,
                                   i64 M, i64 N, i64 C, float eps, i32 warps))
LN_SIGNATURES(modulated_norm_bwd, (const T* dy, const T* x, const T* scale, const float* stats,
                                   T* dx, i64 M, i64 N, i64 C, i32 warps))
LN_SIGNATURES(modulation_bwd,
              (const T* dy, const T* x, const float* stats, T* dscale, T* dshift, i64 N, i64 C))
// x may be 0.
LN_SIGNATURES(gated_add, (const T* x, const T* z, const T* gate, T* y, i64 M, i64 N, i64 C))
LN_SIGNATURES(gate_bwd, (const T* dy, const T* z, T* dgate, i64 N, i64 C))
