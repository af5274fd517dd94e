// Matrix products through oneDNN; cpu/gemm.cpp is its only user.
#pragma once
#include <stdint.h>

#include "common/device.h"

namespace ln {

// One operand: a row-major matrix, or the transpose of one.
struct Matrix {
  int64_t address;
  int32_t dtype;
  bool transposed;
};

// C [M, N] = scale A [M, K] B [K, N] (+ bias [N] f32) (+ C if accumulate). a.transposed says that
// memory holds [K, M]; likewise b. Returns a status. C is not transposed.
struct Gemm {
  int64_t M, N, K;
  Matrix a, b, c;
  int64_t bias = 0;
  float scale = 1.0f;
  bool accumulate = false;
};
int gemm(Device* device, const Gemm& g);

Gemms* gemms_open(int threads);
void gemms_close(Gemms* gemms);
int64_t gemms_scratch_bytes(const Gemms* gemms);

}  // namespace ln
