// Adafactor and CAME: signatures.
#pragma once
#include "types.h"

// A matrix in the flat buffers, so many sixteens from their beginning, and where its rows' and
// columns' means lie.
struct FactoredMatrix {
  int sixteens, rows, columns, row, column, axes;
};
struct AdafactorArguments {
  float rate, weight_decay;
};
struct CameArguments {
  float rate, beta1, beta2, beta3, weight_decay;
};
struct FactoredTile {
  static constexpr int kThreads = 512, kSharedBytes = kThreads * 8;
};

LN_SIGNATURE adafactor(float* p, float* grad, float* row, float* column,
                       const FactoredMatrix* matrices, const float* clip, const gpu_step* step,
                       AdafactorArguments a);
LN_SIGNATURE came(float* p, float* grad, float* m, float* row, float* column, float* residual_row,
                  float* residual_column, const FactoredMatrix* matrices, const float* clip,
                  const gpu_step* step, CameArguments a);
