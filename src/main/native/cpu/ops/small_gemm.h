// A small f32 matrix product for tiles that lie in cache, where a oneDNN call would cost more than
// the work: C [M, N] (+)= A [M, K] B [K, N]. A's strides are free (so A may be a transpose); rows
// of B and C are contiguous. The kernel holds an 8 x 2-vector tile of C in registers.
#pragma once
#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif
typedef float Lanes __attribute__((vector_size(kLanes * 4), aligned(4)));
constexpr int kTileRows = kLanes == 16 ? 8 : 4;

struct SmallGemm {
  int64_t M, N, K;
  const float* a;
  int64_t a_row, a_column;  // strides in elements
  const float* b;
  int64_t b_row;
  float* c;
  int64_t c_row;
  bool accumulate;
};

template <int ROWS>
inline void tile(const SmallGemm& g, int64_t i, int64_t j) {
  Lanes sum[ROWS][2];
  const float* a = g.a + i * g.a_row;
  for (int r = 0; r < ROWS; r++)
    for (int v = 0; v < 2; v++)
      sum[r][v] =
          g.accumulate ? *(const Lanes*)(g.c + (i + r) * g.c_row + j + v * kLanes) : Lanes{};
  for (int64_t k = 0; k < g.K; k++) {
    const float* b = g.b + k * g.b_row + j;
    Lanes b0 = *(const Lanes*)b, b1 = *(const Lanes*)(b + kLanes);
    for (int r = 0; r < ROWS; r++) {
      float x = a[r * g.a_row + k * g.a_column];
      sum[r][0] += x * b0;
      sum[r][1] += x * b1;
    }
  }
  for (int r = 0; r < ROWS; r++)
    for (int v = 0; v < 2; v++) *(Lanes*)(g.c + (i + r) * g.c_row + j + v * kLanes) = sum[r][v];
}

inline void edge(const SmallGemm& g, int64_t i, int64_t j0, int64_t j1) {
  for (int64_t j = j0; j < j1; j++) {
    float sum = g.accumulate ? g.c[i * g.c_row + j] : 0.0f;
    for (int64_t k = 0; k < g.K; k++)
      sum += g.a[i * g.a_row + k * g.a_column] * g.b[k * g.b_row + j];
    g.c[i * g.c_row + j] = sum;
  }
}

inline void run(const SmallGemm& g) {
  constexpr int kWide = 2 * kLanes;
  int64_t whole = g.N / kWide * kWide;
  for (int64_t j = 0; j < whole; j += kWide) {
    int64_t i = 0;
    for (; i + kTileRows <= g.M; i += kTileRows) tile<kTileRows>(g, i, j);
    for (; i < g.M; i++) tile<1>(g, i, j);
  }
  if (whole < g.N)
    for (int64_t i = 0; i < g.M; i++) edge(g, i, whole, g.N);
}

}  // namespace
}  // namespace LN_ISA
}  // namespace ln
