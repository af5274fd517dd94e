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

// A convolution by tensor maps: `width` by `height` places of its kernel, every stride-th from -pad
// on, on images of `from_width` by `from_height`.
struct Places {
  int64_t width, height, stride, pad, from_width, from_height;

  static Places of(const ConvShape& s, bool backward) {
    return backward ? Places{s.W, s.H, 1, s.kernel - 1 - s.pad, s.OW, s.OH}
                    : Places{s.OW, s.OH, s.stride, s.pad, s.W, s.H};
  }

  // Whether a map's corners, which have 8 bits, can say so.
  bool fit_corners() const {
    auto fits = [this](int64_t places, int64_t from) {
      const int64_t upper = (places - 1) * stride + 1 - pad - from;
      return upper >= -128 && upper < 128;
    };
    return pad >= 0 && pad <= 128 && stride <= 8 && fits(width, from_width) &&
           fits(height, from_height);
  }
};

// Whether tensor maps can copy a convolution's tiles: whole boxes of 64 channels on both sides of
// w.
bool fits_maps(const Device* device, const ConvShape& s, int64_t O, bool backward) {
  return has_warpgroups(device) && s.I % 64 == 0 && O % 64 == 0 && (!backward || s.stride == 1) &&
         Places::of(s, backward).fit_corners();
}

// Maps x, or dy in backward, and w.
template <typename Tile>
int map_operands(Device* device, MappedConvArguments* m, const ConvShape& s, int64_t O,
                 bool backward) {
  const Places p = Places::of(s, backward);
  m->width = i32(p.width);
  m->height = i32(p.height);
  m->kernel = i32(s.kernel);
  m->stride = i32(p.stride);
  m->pad = i32(p.pad);
  m->channels = i32(backward ? O : s.I);
  LN_TRY(map_patches(device, &m->patches, m->g.a, s.B, p.from_height, p.from_width, m->channels,
                     m->height, m->width, m->stride, m->pad, Tile::kRows));
  return map_heads(device, &m->w, int64_t(m->g.b), O, s.kernel * s.kernel, s.I,
                   backward ? Tile::kDepth : Tile::kColumns);
}

}  // namespace

#define LN_IN_MAPPED_TILES(Tile, kernel, backward)                                         \
  in_tiles<Tile>(of(device), g, dtype, [&](Grid grid, unsigned threads, unsigned shared) { \
    MappedConvArguments m{g, {}, {}, 0, 0, 0, 0, 0, 0};                                    \
    LN_TRY(map_operands<Tile>(of(device), &m, s, O, backward));                            \
    return LN_LAUNCH_16_BIT(of(device), dtype, kernel, grid, threads, shared, m);          \
  })
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
  if (fits_maps(of(device), s, O, false))
    return prefers_broad(g) ? LN_IN_MAPPED_TILES(BroadTile, hopper_mapped_conv_fwd_broad, false)
                            : LN_IN_MAPPED_TILES(SquareTile, hopper_mapped_conv_fwd_square, false);
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
  if (fits_maps(of(device), s, O, true))
    return prefers_broad(g) ? LN_IN_MAPPED_TILES(BroadTile, hopper_mapped_conv_bwd_broad, true)
                            : LN_IN_MAPPED_TILES(SquareTile, hopper_mapped_conv_bwd_square, true);
  if (has_warpgroups(of(device)))
    return prefers_broad(g) ? LN_IN_TILES(BroadTile, hopper_conv_bwd_broad)
                            : LN_IN_TILES(SquareTile, hopper_conv_bwd_square);
  return fills_card<LargeTile>(g) ? LN_IN_TILES(LargeTile, tensor_conv_bwd_large)
                                  : LN_IN_TILES(SmallTile, tensor_conv_bwd_small);
}

}  // namespace cuda
}  // namespace ln
