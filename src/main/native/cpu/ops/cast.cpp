// Casts and rounded copies. Bound by memory.
#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {
namespace {

template <typename From, typename To>
void cast(const Device* device, const From* x, To* y, int64_t n) {
#pragma omp parallel for simd num_threads(device->threads) schedule(static)
  for (int64_t i = 0; i < n; i++) store(y + i, load(x[i]));
}

// One row of a padded matrix. The CPU computes in bf16 or f32; f16 is for cards.
void round_row(const float* x, bf16* y, bool given, int64_t columns, int64_t padded_columns) {
  const int64_t numbers = given ? columns : 0;
  for (int64_t c = 0; c < numbers; c++) store(y + c, x[c]);
  for (int64_t c = numbers; c < padded_columns; c++) store(y + c, 0.0f);
}

// As ln_round_parts_fwd has it.
struct RoundedPart {
  int32_t from, to, rows, columns, padded_rows, padded_columns;
};

}  // namespace

int ln_cast_fwd(int64_t device, int64_t x, int32_t x_dtype, int64_t y, int32_t y_dtype, int64_t n) {
  Device* d = of(device);
  if (x_dtype == LN_F32 && y_dtype == LN_BF16)
    cast(d, ptr<float>(x), ptr<bf16>(y), n);
  else if (x_dtype == LN_F32 && y_dtype == LN_F16)
    cast(d, ptr<float>(x), ptr<f16>(y), n);
  else if (x_dtype == LN_F32)
    cast(d, ptr<float>(x), ptr<float>(y), n);
  else if (x_dtype == LN_BF16)
    cast(d, ptr<bf16>(x), ptr<float>(y), n);
  else
    cast(d, ptr<f16>(x), ptr<float>(y), n);
  return LN_OK;
}

int ln_round_padded_fwd(int64_t device, int64_t x, int64_t y, int64_t rows, int64_t columns,
                        int64_t padded_rows, int64_t padded_columns, int32_t) {
#pragma omp parallel for num_threads(of(device)->threads) schedule(static)
  for (int64_t r = 0; r < padded_rows; r++)
    round_row(ptr<float>(x) + r * columns, ptr<bf16>(y) + r * padded_columns, r < rows, columns,
              padded_columns);
  return LN_OK;
}

int ln_round_parts_fwd(int64_t device, int64_t x, int64_t parts, int64_t y, int64_t count,
                       int32_t) {
#pragma omp parallel for num_threads(of(device)->threads) schedule(dynamic)
  for (int64_t i = 0; i < count; i++) {
    const RoundedPart p = ptr<RoundedPart>(parts)[i];
    const float* from = ptr<float>(x) + p.from * int64_t(16);
    bf16* to = ptr<bf16>(y) + p.to * int64_t(32);
    for (int64_t r = 0; r < p.padded_rows; r++)
      round_row(from + r * p.columns, to + r * p.padded_columns, r < p.rows, p.columns,
                p.padded_columns);
  }
  return LN_OK;
}

}  // namespace LN_ISA
}  // namespace ln
