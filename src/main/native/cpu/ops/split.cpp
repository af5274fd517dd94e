// Cuts a fused projection's columns apart (Phi-3's qkv_proj and gate_up_proj), and the reverse.
#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {
namespace {

// Copies between the whole [M, c0 + c1 + c2] and its parts, row by row.
void copy(const Device* device, char* whole, char* const parts[3], const int64_t columns[3],
          int64_t M, int64_t size, bool cut) {
  int64_t stride = (columns[0] + columns[1] + columns[2]) * size;
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t m = 0; m < M; m++) {
    char* row = whole + m * stride;
    for (int i = 0; i < 3; i++) {
      int64_t bytes = columns[i] * size;
      char* part = parts[i] + m * bytes;
      if (bytes) memcpy(cut ? part : row, cut ? row : part, size_t(bytes));
      row += bytes;
    }
  }
}

}  // namespace

int ln_split_fwd(int64_t device, int64_t x, int64_t y0, int64_t y1, int64_t y2, int64_t M,
                 int64_t c0, int64_t c1, int64_t c2, int32_t dtype) {
  char* const parts[3] = {ptr<char>(y0), ptr<char>(y1), ptr<char>(y2)};
  const int64_t columns[3] = {c0, c1, c2};
  copy(of(device), ptr<char>(x), parts, columns, M, dtype == LN_BF16 ? 2 : 4, true);
  return LN_OK;
}

int ln_concat_fwd(int64_t device, int64_t y0, int64_t y1, int64_t y2, int64_t x, int64_t M,
                  int64_t c0, int64_t c1, int64_t c2, int32_t dtype) {
  char* const parts[3] = {ptr<char>(y0), ptr<char>(y1), ptr<char>(y2)};
  const int64_t columns[3] = {c0, c1, c2};
  copy(of(device), ptr<char>(x), parts, columns, M, dtype == LN_BF16 ? 2 : 4, false);
  return LN_OK;
}

}  // namespace LN_ISA
}  // namespace ln
