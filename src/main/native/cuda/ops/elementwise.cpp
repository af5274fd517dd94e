// Launchers of the elementwise kernels.
#include "elementwise.h"

#include "common/types.h"
#include "cuda/launch.h"
#include "trained_embedding.h"

namespace ln {
namespace cuda {

static constexpr unsigned kThreads = 256;

// A thread for eight numbers of each row.
static Grid eights(int64_t columns, int64_t rows = 1) {
  return cover((columns + 7) / 8 * rows, kThreads);
}

int ln_add_fwd(int64_t device, int64_t a, int64_t b, int64_t y, int64_t n, int32_t dtype) {
  return LN_LAUNCH_TYPED(of(device), dtype, add, eights(n), kThreads, 0, a, b, y, n);
}

int ln_affine_fwd(int64_t device, int64_t x, int64_t y, int64_t n, float factor, float shift,
                  int32_t dtype) {
  return LN_LAUNCH_TYPED(of(device), dtype, affine, eights(n), kThreads, 0, x, y, n, factor, shift);
}

int ln_glu_fwd(int64_t device, int64_t gate, int64_t up, int64_t y, int64_t rows, int64_t columns,
               int64_t pitch, int32_t act, int32_t dtype) {
  return LN_LAUNCH_TYPED(of(device), dtype, glu_fwd, eights(columns, rows), kThreads, 0, gate, up,
                         y, rows, columns, pitch, act);
}

int ln_glu_bwd(int64_t device, int64_t dy, int64_t gate, int64_t up, int64_t dgate, int64_t dup,
               int64_t rows, int64_t columns, int64_t pitch, int32_t act, int32_t dtype) {
  return LN_LAUNCH_TYPED(of(device), dtype, glu_bwd, eights(columns, rows), kThreads, 0, dy, gate,
                         up, dgate, dup, rows, columns, pitch, act);
}

int ln_activation_fwd(int64_t device, int64_t x, int64_t y, int64_t n, int32_t act, int32_t dtype) {
  return LN_LAUNCH_TYPED(of(device), dtype, activation_fwd, eights(n), kThreads, 0, x, y, n, act);
}

int ln_activation_bwd(int64_t device, int64_t dy, int64_t x, int64_t dx, int64_t n, int32_t act,
                      int32_t dtype) {
  return LN_LAUNCH_TYPED(of(device), dtype, activation_bwd, eights(n), kThreads, 0, dy, x, dx, n,
                         act);
}

int ln_cast_fwd(int64_t device, int64_t x, int32_t x_dtype, int64_t y, int32_t y_dtype, int64_t n) {
  if (x_dtype == LN_F32)
    return LN_LAUNCH_TYPED(of(device), y_dtype, cast_from_f32, eights(n), kThreads, 0, x, y, n);
  return LN_LAUNCH_16_BIT(of(device), x_dtype, cast_to_f32, eights(n), kThreads, 0, x, y, n);
}

// Ids are checked on the host before they are uploaded.
int ln_embedding_fwd(int64_t device, int64_t ids, int64_t w, int64_t y, int64_t M, int64_t C,
                     int64_t V, float scale, int32_t w_dtype, int32_t dtype) {
  if (is_blocks(w_dtype))
    return LN_LAUNCH_TYPED(of(device), dtype, block_embedding, cover(M * C / 16, kThreads),
                           kThreads, 0, ids, w, y, M, C, V, w_dtype, scale);
  if (w_dtype == LN_F32 && dtype != LN_F32)
    return LN_LAUNCH_16_BIT(of(device), dtype, trained_embedding, eights(C, M), kThreads, 0, ids, w,
                            y, M, C, scale);
  return LN_LAUNCH_TYPED(of(device), dtype, embedding, eights(C, M), kThreads, 0, ids, w, y, M, C,
                         scale);
}

int ln_embedding_bwd(int64_t device, int64_t dy, int64_t ids, int64_t dw, int64_t M, int64_t C,
                     int64_t V, float scale, int32_t dtype) {
  return LN_LAUNCH_TYPED(of(device), dtype, embedding_bwd, cover(V * C, kThreads), kThreads, 0, dy,
                         ids, dw, M, C, V * C, scale);
}

int ln_embedding_weight_bwd(int64_t device, int64_t dy, int64_t ids, int64_t dw, int64_t M,
                            int64_t C, float scale, int32_t dtype) {
  constexpr int64_t kColumns = TrainedRows::kThreads * 8;
  Grid grid{M, (C + kColumns - 1) / kColumns};
  return LN_LAUNCH_TYPED(of(device), dtype, embedding_weight_bwd, grid, TrainedRows::kThreads,
                         TrainedRows::kSharedBytes, dy, ids, dw, M, C, scale);
}

static int copy_columns(int64_t device, int64_t whole, const int64_t (&parts)[3],
                        const int64_t (&counts)[3], int64_t M, int32_t dtype, int32_t cut) {
  int64_t width = counts[0] + counts[1] + counts[2], from = 0;
  for (int i = 0; i < 3; i++) {
    LN_TRY(LN_LAUNCH_TYPED(of(device), dtype, columns, eights(counts[i], M), kThreads, 0, whole,
                           parts[i], M, width, from, counts[i], cut));
    from += counts[i];
  }
  return LN_OK;
}

int ln_split_fwd(int64_t device, int64_t x, int64_t y0, int64_t y1, int64_t y2, int64_t M,
                 int64_t c0, int64_t c1, int64_t c2, int32_t dtype) {
  return copy_columns(device, x, {y0, y1, y2}, {c0, c1, c2}, M, dtype, 1);
}

int ln_concat_fwd(int64_t device, int64_t y0, int64_t y1, int64_t y2, int64_t x, int64_t M,
                  int64_t c0, int64_t c1, int64_t c2, int32_t dtype) {
  return copy_columns(device, x, {y0, y1, y2}, {c0, c1, c2}, M, dtype, 0);
}

int ln_round_padded_fwd(int64_t device, int64_t x, int64_t y, int64_t rows, int64_t columns,
                        int64_t padded_rows, int64_t padded_columns, int32_t dtype) {
  return LN_LAUNCH_16_BIT(of(device), dtype, round_padded, eights(padded_columns, padded_rows),
                          kThreads, 0, x, y, rows, columns, padded_rows, padded_columns);
}

int ln_round_parts_fwd(int64_t device, int64_t x, int64_t parts, int64_t y, int64_t count,
                       int32_t dtype) {
  return LN_LAUNCH_16_BIT(of(device), dtype, round_parts, (Grid{RoundedPart::kBlocks, count}),
                          kThreads, 0, x, parts, y);
}

int drop(Device* device, int64_t x, int64_t y, int64_t n, float p, int32_t stream, int64_t step,
         bool add, int32_t dtype) {
  return LN_LAUNCH_TYPED(device, dtype, dropout, eights(n), kThreads, 0, x, y, n, p, stream, step,
                         add);
}

}  // namespace cuda
}  // namespace ln
