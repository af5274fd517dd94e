// Launchers of diffusion models' elementwise kernels and loss.
#include "image.h"

#include "cuda/launch.h"

namespace ln {
namespace cuda {

static constexpr unsigned kThreads = 256;

// A thread for eight channels of each pixel.
static Grid eights(int64_t pixels, int64_t C) { return cover(pixels * ((C + 7) / 8), kThreads); }

int take_tap(Device* device, int64_t x, int64_t y, const ConvShape& s, int64_t ky, int64_t kx,
             int32_t dtype) {
  TapArguments t{s.B, s.H, s.W, s.I, s.OH, s.OW, s.stride, ky - s.pad, kx - s.pad};
  return LN_LAUNCH_TYPED(device, dtype, take_tap, eights(s.B * s.OH * s.OW, s.I), kThreads, 0, x, y,
                         t);
}

int ln_upsample_fwd(int64_t device, int64_t x, int64_t y, int64_t B, int64_t H, int64_t W,
                    int64_t OH, int64_t OW, int64_t C, int32_t dtype) {
  Upsampling u{B, H, W, OH, OW, C};
  return LN_LAUNCH_TYPED(of(device), dtype, upsample_fwd, eights(B * OH * OW, C), kThreads, 0, x, y,
                         u);
}

int ln_upsample_bwd(int64_t device, int64_t dy, int64_t dx, int64_t B, int64_t H, int64_t W,
                    int64_t OH, int64_t OW, int64_t C, int32_t dtype) {
  Upsampling u{B, H, W, OH, OW, C};
  return LN_LAUNCH_TYPED(of(device), dtype, upsample_bwd, eights(B * H * W, C), kThreads, 0, dy, dx,
                         u);
}

int ln_add_rows_fwd(int64_t device, int64_t x, int64_t t, int64_t y, int64_t B, int64_t N,
                    int64_t C, int32_t dtype) {
  return LN_LAUNCH_TYPED(of(device), dtype, add_rows, eights(B * N, C), kThreads, 0, x, t, y, B, N,
                         C);
}

int ln_add_rows_bwd(int64_t device, int64_t dy, int64_t dt, int64_t B, int64_t N, int64_t C,
                    int32_t dtype) {
  Grid grid{cover(C, ColumnTile::kChannels).x, B};
  return LN_LAUNCH_TYPED(of(device), dtype, sum_rows, grid, ColumnTile::kThreads,
                         ColumnTile::kSharedBytes, dy, dt, N, C);
}

int ln_timestep_embedding_fwd(int64_t device, int64_t t, int64_t y, int64_t B, int64_t dim,
                              int32_t cosine_first, float shift, int32_t dtype) {
  return LN_LAUNCH_TYPED(of(device), dtype, timestep_embedding, cover(B * dim, kThreads), kThreads,
                         0, t, y, B, dim, cosine_first, shift);
}

static int64_t mse_blocks(int64_t n) { return (n + MseTile::kBlock - 1) / MseTile::kBlock; }

int64_t ln_mse_scratch(int64_t, int64_t B, int64_t n) { return B * mse_blocks(n) * 8; }

int ln_mse_fwd(int64_t device, int64_t y, int64_t target, int64_t weights, int64_t mask,
               int64_t step, int64_t loss, int64_t losses, int64_t dy, int64_t scratch, int64_t B,
               int64_t n, int64_t C, float huber, int32_t dtype) {
  Grid grid{mse_blocks(n), B};
  LN_TRY(LN_LAUNCH_TYPED(of(device), dtype, mse_blocks, grid, MseTile::kThreads,
                         MseTile::kSharedBytes, y, target, weights, mask, step, scratch, dy, n, C,
                         huber));
  return LN_LAUNCH(of(device), mse_finish, Grid{}, MseTile::kThreads, MseTile::kSharedBytes,
                   scratch, weights, step, loss, losses, B, grid.x, n);
}

}  // namespace cuda
}  // namespace ln
