// Launcher of head and loss: chunks of labelled rows through gather, product, loss, product,
// scatter. The gradient takes the logits' place.
#include "cross_entropy.h"
#include "cuda/launch.h"

namespace ln {
namespace cuda {
namespace {

constexpr unsigned kThreads = 256, kLossThreads = 512;

// Where things lie in scratch.
struct Layout {
  int64_t chunk, rows, count, hits, logits, gathered, bytes = 0;

  // In 16 bits twice the rows are done at a time: W is read half as often.
  Layout(int64_t M, int64_t C, int64_t V, int64_t least_chunk, int32_t dtype) {
    int64_t size = dtype == LN_F32 ? 4 : 2, rows_at_once = least_chunk * 4 / size;
    chunk = M < rows_at_once ? M : rows_at_once;
    auto take = [this](int64_t n) {
      int64_t at = bytes;
      bytes += (n + 255) / 256 * 256;
      return at;
    };
    rows = take(M * 4);
    count = take(4);
    hits = take(M * 4);
    logits = take(chunk * V * 4);
    gathered = take(chunk * C * size);
  }
};

}  // namespace

int64_t ln_linear_cross_entropy_scratch(int64_t, int64_t M, int64_t C, int64_t V, int64_t chunk,
                                        int32_t dtype) {
  return Layout(M, C, V, chunk, dtype).bytes;
}

int ln_linear_cross_entropy_fwd(int64_t handle, int64_t h, int64_t w, int64_t labels, int64_t step,
                                int64_t loss, int64_t losses, int64_t accuracy, int64_t dh,
                                int64_t dw, int64_t scratch, int64_t M, int64_t C, int64_t V,
                                float softcap, int64_t least_chunk, int32_t w_dtype,
                                int32_t dtype) {
  Device* device = of(handle);
  Layout at(M, C, V, least_chunk, dtype);
  int64_t chunk = at.chunk, pitch = dtype == LN_F32 ? V : 2 * V;  // of the gradient
  int64_t rows = scratch + at.rows, count = scratch + at.count, hits = scratch + at.hits;
  int64_t logits = scratch + at.logits, gathered = scratch + at.gathered;
  if (dh) LN_TRY(ln_memory_fill(handle, dh, 0, M * C * (dtype == LN_F32 ? 4 : 2)));
  LN_TRY(ln_memory_fill(handle, losses, 0, M * 4));
  LN_TRY(ln_memory_fill(handle, hits, 0, M * 4));
  LN_TRY(LN_LAUNCH(device, label_rows, Grid{}, kThreads, kThreads * 4, labels, rows, count, M));
  for (int64_t offset = 0; offset < M; offset += chunk) {
    LN_TRY(LN_LAUNCH_TYPED(device, dtype, gather_rows, cover(chunk * ((C + 7) / 8), kThreads),
                           kThreads, 0, h, rows, count, gathered, offset, chunk, C));
    Gemm head{chunk, V, C, {gathered, dtype, false}, {w, w_dtype, true}, {logits, LN_F32, false}};
    head.rows_left = count;
    head.row_offset = offset;
    LN_TRY(cuda_gemm(device, head));
    Grid each_row{chunk, 1};
    LN_TRY(LN_LAUNCH_TYPED(device, dtype, row_loss, each_row, kLossThreads, kLossThreads / 32 * 8,
                           logits, labels, rows, count, step, losses, hits, offset, V, softcap,
                           dh != 0));
    if (!dh) continue;
    if (dw) {
      Gemm weight{
          V, C, chunk, {logits, dtype, true, pitch}, {gathered, dtype, false}, {dw, LN_F32, false}};
      weight.accumulate = true;
      weight.depth_left = count;
      weight.row_offset = offset;
      LN_TRY(cuda_gemm(device, weight));
    }
    Gemm back{
        chunk, C, V, {logits, dtype, false, pitch}, {w, w_dtype, false}, {gathered, dtype, false}};
    back.rows_left = count;
    back.row_offset = offset;
    LN_TRY(cuda_gemm(device, back));
    LN_TRY(LN_LAUNCH_TYPED(device, dtype, scatter_rows, cover(chunk * ((C + 7) / 8), kThreads),
                           kThreads, 0, gathered, rows, count, dh, offset, chunk, C));
  }
  return LN_LAUNCH(device, sum_losses, Grid{}, kThreads, kThreads * 8, losses, hits, step, loss,
                   accuracy, M);
}

}  // namespace cuda
}  // namespace ln
