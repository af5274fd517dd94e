// Launchers of convolution: the tensor cores where they apply, else the plain kernel.
#include "conv.h"
#include "cuda/tensor_tiles.h"

namespace ln {
namespace cuda {
namespace {

ConvArguments arguments(const ConvShape& s, int64_t O) {
  ConvArguments c{i32(s.B),
                  i32(s.H),
                  i32(s.W),
                  i32(s.I),
                  i32(s.OH),
                  i32(s.OW),
                  i32(O),
                  i32(s.kernel),
                  i32(s.stride),
                  i32(s.pad),
                  {},
                  {},
                  {},
                  {},
                  {},
                  {},
                  {},
                  {}};
  c.by_H.set(u32(s.H));
  c.by_W.set(u32(s.W));
  c.by_I.set(u32(s.I));
  c.by_OH.set(u32(s.OH));
  c.by_OW.set(u32(s.OW));
  c.by_O.set(u32(O));
  c.by_kernel.set(u32(s.kernel));
  c.by_stride.set(u32(s.stride));
  return c;
}

// Rows and depth are counted in 32 bits: index arithmetic is what the kernels would drown in.
int check_size(const ConvShape& s, int64_t O) {
  int64_t taps = s.kernel * s.kernel, deepest = (s.I > O ? s.I : O) * taps;
  return s.B * (s.H * s.W + s.OH * s.OW) <= 0x7fffffff && deepest <= 0x7fffffff
             ? int(LN_OK)
             : fail(LN_UNSUPPORTED, "an image of 2^31 pixels");
}

TensorGemmArguments product(int64_t a, int64_t b, int64_t c, int64_t M, int64_t N, int64_t K) {
  TensorGemmArguments g{};
  g.a = ptr<void>(a);
  g.b = ptr<void>(b);
  g.c = ptr<void>(c);
  g.c_stride = N;
  g.M = M;
  g.N = N;
  g.K = K;
  g.scale = 1;
  return g;
}

// What 16-byte copies ask for: a chunk of 8 channels lies under one tap.
bool fits_tensor_cores(int64_t channels, int64_t x, int64_t w, int32_t dtype) {
  return dtype != LN_F32 && channels % 8 == 0 && (x | w) % 16 == 0;
}

Grid plain_grid(int64_t rows, int64_t columns) {
  return {tiles_over(rows, ConvTile::kRows), tiles_over(columns, ConvTile::kColumns)};
}

}  // namespace

#define LN_IN_TILES(Tile, kernel)                                                          \
  in_tiles<Tile>(of(device), g, dtype, [&](Grid grid, unsigned threads, unsigned shared) { \
    return LN_LAUNCH_16_BIT(of(device), dtype, kernel, grid, threads, shared, g, c);       \
  })

int ln_conv2d_fwd(int64_t device, int64_t x, int64_t w, int64_t bias, int64_t y, int64_t B,
                  int64_t H, int64_t W, int64_t I, int64_t OH, int64_t OW, int64_t O,
                  int64_t kernel, int64_t stride, int64_t pad, int32_t dtype) {
  ConvShape s{B, H, W, I, OH, OW, kernel, stride, pad};
  LN_TRY(check_size(s, O));
  ConvArguments c = arguments(s, O);
  if (!fits_tensor_cores(I, x, w, dtype))
    return LN_LAUNCH_TYPED(of(device), dtype, conv2d_fwd, plain_grid(B * OH * OW, O),
                           ConvTile::kThreads, ConvTile::kSharedBytes, x, w, bias, y, c);
  TensorGemmArguments g = product(x, w, y, B * OH * OW, O, kernel * kernel * I);
  g.bias = ptr<float>(bias);
  if (O <= TallTile::kColumns) return LN_IN_TILES(TallTile, tensor_conv_fwd_tall);
  if (has_warpgroups(of(device)))
    return prefers_broad(g) ? LN_IN_TILES(BroadTile, hopper_conv_fwd_broad)
                            : LN_IN_TILES(SquareTile, hopper_conv_fwd_square);
  return fills_card<LargeTile>(g) ? LN_IN_TILES(LargeTile, tensor_conv_fwd_large)
                                  : LN_IN_TILES(SmallTile, tensor_conv_fwd_small);
}

int ln_conv2d_bwd(int64_t device, int64_t dy, int64_t w, int64_t dx, int64_t B, int64_t H,
                  int64_t W, int64_t I, int64_t OH, int64_t OW, int64_t O, int64_t kernel,
                  int64_t stride, int64_t pad, int32_t dtype) {
  ConvShape s{B, H, W, I, OH, OW, kernel, stride, pad};
  LN_TRY(check_size(s, O));
  ConvArguments c = arguments(s, O);
  if (!fits_tensor_cores(I, dy, w, dtype) || O % 8 != 0)
    return LN_LAUNCH_TYPED(of(device), dtype, conv2d_bwd, plain_grid(B * H * W, I),
                           ConvTile::kThreads, ConvTile::kSharedBytes, dy, w, dx, c);
  TensorGemmArguments g = product(dy, w, dx, B * H * W, I, kernel * kernel * O);
  if (has_warpgroups(of(device)))
    return prefers_broad(g) ? LN_IN_TILES(BroadTile, hopper_conv_bwd_broad)
                            : LN_IN_TILES(SquareTile, hopper_conv_bwd_square);
  return fills_card<LargeTile>(g) ? LN_IN_TILES(LargeTile, tensor_conv_bwd_large)
                                  : LN_IN_TILES(SmallTile, tensor_conv_bwd_small);
}

}  // namespace cuda
}  // namespace ln
