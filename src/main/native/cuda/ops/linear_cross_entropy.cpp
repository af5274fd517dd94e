// Launcher of head and loss: chunks of labelled rows through gather, product, loss, product,
// scatter. The gradient takes the place of the logits, or in 16 bits of what the product makes of
// them.
#include "cross_entropy.h"
#include "cuda/head_product.h"
#include "cuda/launch.h"

namespace ln {
namespace cuda {
namespace {

constexpr unsigned kThreads = 256, kLossThreads = 512;

// Where things lie in scratch, and how many rows are done at a time: W is read twice for each
// chunk, so as many as keep what a chunk makes within 256 MiB, but never few.
struct Layout {
  static constexpr int64_t kMostBytes = int64_t(256) << 20;
  static constexpr int64_t kLeastRows = 256, kLeastRowsOfHead = 1024, kWholeTiles = 128;

  bool head;                                    // by head_product, in 16 bits; else logits are f32
  int64_t chunk, pitch, group_columns, groups;  // pitch: of the gradient, in elements
  int64_t rows, count, hits, logits, of_groups, at_label, gathered, panel, bytes = 0;

  Layout(const Device* device, int64_t M, int64_t C, int64_t V, int64_t asked, int32_t w_dtype,
         int32_t dtype, bool backward) {
    auto rows_at_once = [&](int64_t row_bytes, int64_t least) {
      int64_t most = kMostBytes / row_bytes / kWholeTiles * kWholeTiles;
      int64_t n = asked ? asked : most < least ? least : most;
      return M < n ? M : n;
    };
    int64_t size = dtype == LN_F32 ? 4 : 2;
    group_columns = head_group_columns(device);
    groups = (V + group_columns - 1) / group_columns;
    pitch = (V + 7) / 8 * 8;
    int64_t logits_bytes = backward ? pitch * 2 : 0,
            group_bytes = groups * int64_t(sizeof(HeadGroup));
    chunk = rows_at_once(logits_bytes + group_bytes, kLeastRowsOfHead);
    head = fits_head_product(device, chunk, V, C, w_dtype, dtype);
    if (!head) {
      pitch = V * 4 / size;
      logits_bytes = V * 4;
      group_bytes = 0;
      chunk = rows_at_once(logits_bytes, kLeastRows);
    }
    auto take = [this](int64_t n) {
      int64_t at = bytes;
      bytes += (n + 255) / 256 * 256;
      return at;
    };
    rows = take(M * 4);
    count = take(4);
    hits = take(M * 4);
    logits = take(chunk * logits_bytes);
    of_groups = take(chunk * group_bytes);
    at_label = take(head ? chunk * 4 : 0);
    gathered = take(chunk * C * size);
    int64_t forward = cuda_gemm_scratch(device, chunk, V, C, w_dtype, dtype);
    int64_t back = backward ? cuda_gemm_scratch(device, chunk, C, V, w_dtype, dtype) : 0;
    panel = take(forward > back ? forward : back);
  }
};

}  // namespace

int64_t ln_linear_cross_entropy_scratch(int64_t handle, int64_t M, int64_t C, int64_t V,
                                        int64_t chunk, int32_t w_dtype, int32_t dtype,
                                        int32_t backward) {
  return Layout(of(handle), M, C, V, chunk, w_dtype, dtype, backward).bytes;
}

int ln_linear_cross_entropy_fwd(int64_t handle, int64_t h, int64_t w, int64_t labels, int64_t step,
                                int64_t loss, int64_t losses, int64_t accuracy, int64_t dh,
                                int64_t dw, int64_t scratch, int64_t M, int64_t C, int64_t V,
                                float softcap, int64_t asked, int32_t w_dtype, int32_t dtype) {
  Device* device = of(handle);
  Layout at(device, M, C, V, asked, w_dtype, dtype, dh != 0);
  int64_t chunk = at.chunk;
  int64_t rows = scratch + at.rows, count = scratch + at.count, hits = scratch + at.hits;
  int64_t logits = scratch + at.logits, gathered = scratch + at.gathered;
  int64_t groups = scratch + at.of_groups, at_label = scratch + at.at_label;
  Matrix w_rows{w, w_dtype, true}, w_columns{w, w_dtype, false};
  Matrix gradient{logits, dtype, false, at.pitch, at.head};
  if (dh) LN_TRY(ln_memory_fill(handle, dh, 0, M * C * (dtype == LN_F32 ? 4 : 2)));
  LN_TRY(ln_memory_fill(handle, losses, 0, M * 4));
  LN_TRY(ln_memory_fill(handle, hits, 0, M * 4));
  LN_TRY(LN_LAUNCH(device, label_rows, Grid{}, kThreads, kThreads * 4, labels, rows, count, M));
  for (int64_t offset = 0; offset < M; offset += chunk) {
    LN_TRY(LN_LAUNCH_TYPED(device, dtype, gather_rows, cover(chunk * ((C + 7) / 8), kThreads),
                           kThreads, 0, h, rows, count, gathered, offset, chunk, C));
    Gemm head{chunk, V, C, {gathered, dtype, false}, w_rows, {logits, LN_F32, false}};
    head.rows_left = count;
    head.row_offset = offset;
    head.scratch = scratch + at.panel;
    Grid each_row{chunk, 1};
    constexpr unsigned kShared = kLossThreads / 32 * 8;
    if (at.head) {
      head.c = {dh ? logits : 0, dtype, false, at.pitch};
      LN_TRY(head_product(device, head,
                          {ptr<HeadGroup>(groups), ptr<float>(at_label), ptr<i32>(labels),
                           ptr<i32>(rows), 0, at.groups, softcap, 0}));
      LN_TRY(LN_LAUNCH_16_BIT(device, dtype, head_loss, each_row, kLossThreads, kShared,
                              head.c.address, groups, at_label, labels, rows, count, step, losses,
                              hits, offset, V, at.pitch, at.group_columns, softcap));
    } else {
      LN_TRY(cuda_gemm(device, head));
      LN_TRY(LN_LAUNCH_TYPED(device, dtype, row_loss, each_row, kLossThreads, kShared, logits,
                             labels, rows, count, step, losses, hits, offset, V, softcap, dh != 0));
    }
    if (!dh) continue;
    if (dw) {
      Gemm weight{V,
                  C,
                  chunk,
                  {logits, dtype, true, at.pitch},
                  {gathered, dtype, false},
                  {dw, LN_F32, false}};
      weight.accumulate = true;
      weight.depth_left = count;
      weight.row_offset = offset;
      LN_TRY(cuda_gemm(device, weight));
    }
    Gemm back{chunk, C, V, gradient, w_columns, {gathered, dtype, false}};
    back.scratch = scratch + at.panel;
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
