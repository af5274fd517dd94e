// Launchers of what puts numbers elsewhere.
#include "arrange.h"

#include "cuda/launch.h"

namespace ln {
namespace cuda {

static constexpr unsigned kThreads = 256;

// A thread for eight numbers of a row.
static Grid eights(int64_t rows, int64_t columns) {
  return cover(rows * ((columns + 7) / 8), kThreads);
}

int ln_crop_fwd(int64_t device, int64_t x, int64_t y, int64_t B, int64_t R, int64_t C, int64_t top,
                int64_t left, int64_t rows, int64_t columns, int32_t shared, int32_t dtype) {
  WindowArguments w{B, R, C, top, left, rows, columns};
  return LN_LAUNCH_TYPED(of(device), dtype, crop, eights(B * rows, columns), kThreads, 0, x, y, w,
                         shared);
}

int ln_pad_fwd(int64_t device, int64_t x, int64_t y, int64_t B, int64_t R, int64_t C, int64_t top,
               int64_t left, int64_t rows, int64_t columns, int32_t dtype) {
  WindowArguments w{B, R, C, top, left, rows, columns};
  return LN_LAUNCH_TYPED(of(device), dtype, pad, eights(B * R, C), kThreads, 0, x, y, w);
}

int ln_patchify_fwd(int64_t device, int64_t x, int64_t y, int64_t B, int64_t H, int64_t W,
                    int64_t C, int64_t p, int32_t channels_first, int32_t inverse, int32_t dtype) {
  PatchArguments s{B, H, W, C, p, channels_first, inverse};
  return LN_LAUNCH_TYPED(of(device), dtype, patchify, cover(B * H * W * C, kThreads), kThreads, 0,
                         x, y, s);
}

}  // namespace cuda
}  // namespace ln
