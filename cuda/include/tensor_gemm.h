// Matrix product on the tensor cores with a low-rank term: tiles and signatures.
#pragma once
#include "types.h"

// BM x BN of C for a block, WM x WN for a warp, K 32 deep, STAGES tiles of A and B in flight.
template <int BM, int BN, int WM, int WN, int STAGES>
struct TensorTile {
  static constexpr int kRows = BM, kColumns = BN, kWarpRows = WM, kWarpColumns = WN;
  static constexpr int kStages = STAGES, kDepth = 32;
  static constexpr int kThreads = BM / WM * (BN / WN) * 32;
  static constexpr int kBytesA = BM * kDepth * 2, kBytesB = BN * kDepth * 2;
  static constexpr int kSharedBytes = STAGES * (kBytesA + kBytesB);
};
// The large one for long batches; the small one where few rows would leave most of a card idle.
typedef TensorTile<128, 128, 64, 32, 3> LargeTile;
typedef TensorTile<64, 64, 32, 32, 3> SmallTile;

// C [M, N] = A [M, K] op(B) + L [M, R] op(B2) (+ bias) (+ C), op(B) = B^T, B [N, K] ("nt") or
// B [K, N] ("nn"); R = 0 for no low-rank term. K and R, and N for "nn", are multiples of 8.
struct TensorGemmArguments {
  const gpu_bf16 *a, *b, *low_a, *low_b;
  void* c;
  const float* bias;
  const i32* rows_left;
  i64 M, N, K, R, row_offset;
  float scale;
  int accumulate, c_is_f32;
};
LN_SIGNATURE tensor_gemm_nt_large(TensorGemmArguments g);
LN_SIGNATURE tensor_gemm_nt_small(TensorGemmArguments g);
LN_SIGNATURE tensor_gemm_nn_large(TensorGemmArguments g);
LN_SIGNATURE tensor_gemm_nn_small(TensorGemmArguments g);
