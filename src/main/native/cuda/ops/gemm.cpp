// Launchers of the matrix product: the tensor cores where they apply, else the plain kernel.
#include "gemm.h"

#include "block_gemm.h"
#include "common/types.h"
#include "cuda/block_kernels.h"
#include "cuda/head_product.h"
#include "cuda/tensor_maps.h"
#include "cuda/tensor_tiles.h"
#include "gated_gemm.h"

namespace ln {

namespace {

static_assert(int(kQ8_0) == LN_Q8_0 && int(kQ4_0) == LN_Q4_0 && int(kQ4_1) == LN_Q4_1 &&
                  int(kQ5_0) == LN_Q5_0 && int(kQ5_1) == LN_Q5_1 && int(kQ4_K) == LN_Q4_K &&
                  int(kQ5_K) == LN_Q5_K && int(kQ6_K) == LN_Q6_K && int(kNf4) == LN_NF4 &&
                  int(kMxfp4) == LN_MXFP4 && int(kFp8) == LN_FP8,
              "kernels read blocks by the codes of lora_ops.h");

// What 16-byte copies ask for: rows in memory begin at multiples of 8 elements, and where they run
// along K, K ends at one or zeros lie up to there.
bool whole_chunks(const Matrix& m, int64_t rows, int64_t columns, bool along_k, int64_t K) {
  return m.address % 16 == 0 && m.pitch(rows, columns) % 8 == 0 &&
         (!along_k || K % 8 == 0 || m.filled);
}

bool fits_tensor_cores(const Gemm& g) {
  bool blocks = is_blocks(g.b.dtype);
  if (g.a.dtype == LN_F32 || (g.a.dtype != g.b.dtype && !blocks)) return false;
  if (blocks && g.a.transposed) return false;
  if (g.a.transposed && (g.b.transposed || g.rank)) return false;  // nobody asks for it
  bool low = !g.rank || (whole_chunks(g.low_a, g.M, g.rank, true, g.rank) &&
                         whole_chunks(g.low_b, g.rank, g.N, g.low_b.transposed, g.rank));
  return low && whole_chunks(g.a, g.M, g.K, !g.a.transposed, g.K) &&
         (blocks || whole_chunks(g.b, g.K, g.N, g.b.transposed, g.K));
}

TensorGemmArguments arguments(const Gemm& g) {
  TensorGemmArguments a{};
  a.a = ptr<void>(g.a.address);
  a.b = ptr<void>(g.b.address);
  a.c = ptr<void>(g.c.address);
  a.a_stride = g.a.pitch(g.M, g.K);
  a.b_stride = g.b.pitch(g.K, g.N);
  a.c_stride = g.c.pitch(g.M, g.N);
  if (g.rank) {
    a.low_a = ptr<void>(g.low_a.address);
    a.low_b = ptr<void>(g.low_b.address);
    a.low_a_stride = g.low_a.pitch(g.M, g.rank);
    a.low_b_stride = g.low_b.pitch(g.rank, g.N);
  }
  a.bias = ptr<float>(g.bias);
  a.rows_left = ptr<i32>(g.rows_left);
  a.depth_left = ptr<i32>(g.depth_left);
  a.M = g.M;
  a.N = g.N;
  a.K = g.K;
  a.R = g.rank;
  a.row_offset = g.row_offset;
  a.scale = g.scale;
  a.accumulate = g.accumulate;
  a.c_is_f32 = g.c.dtype == LN_F32;
  return a;
}

// One line for each tile: its kernel as a function of grid and arguments, and of what comes behind
// those.
#define LN_IN_TILES(Tile, kernel, ...)                                                           \
  in_tiles<Tile>(device, a, g.a.dtype, [&](Grid grid, unsigned threads, unsigned shared) {       \
    return LN_LAUNCH_16_BIT(device, g.a.dtype, kernel, grid, threads, shared, a, ##__VA_ARGS__); \
  })

template <typename Tile>
int map_operands(Device* device, MappedGemmArguments* m, bool b_transposed) {
  const TensorGemmArguments& g = m->g;
  LN_TRY(map_matrix(device, &m->a, g.a, g.M, g.K, g.a_stride, Tile::kRows));
  auto map_b = [&](TensorMap* map, const void* b, int64_t depth, int64_t stride) {
    return b_transposed ? map_matrix(device, map, b, g.N, depth, stride, Tile::kColumns)
                        : map_matrix(device, map, b, depth, g.N, stride, Tile::kDepth);
  };
  LN_TRY(map_b(&m->b, g.b, g.K, g.b_stride));
  if (!g.R) return LN_OK;
  LN_TRY(map_matrix(device, &m->low_a, g.low_a, g.M, g.R, g.low_a_stride, Tile::kRows));
  return map_b(&m->low_b, g.low_b, g.R, g.low_b_stride);
}

// As LN_IN_TILES, for kernels that read their operands by tensor maps.
#define LN_IN_MAPPED_TILES(Tile, kernel, ...)                                              \
  in_tiles<Tile>(device, a, g.a.dtype, [&](Grid grid, unsigned threads, unsigned shared) { \
    MappedGemmArguments mapped{a, {}, {}, {}, {}};                                         \
    LN_TRY(map_operands<Tile>(device, &mapped, g.b.transposed));                           \
    return LN_LAUNCH_16_BIT(device, g.a.dtype, kernel, grid, threads, shared,              \
                            mapped, ##__VA_ARGS__);                                        \
  })

int hopper_gemm(Device* device, TensorGemmArguments& a, const Gemm& g) {
  bool broad = prefers_broad(a);
  if (g.b.transposed)
    return broad ? LN_IN_MAPPED_TILES(BroadTile, hopper_gemm_nt_broad)
                 : LN_IN_MAPPED_TILES(SquareTile, hopper_gemm_nt_square);
  return broad ? LN_IN_MAPPED_TILES(BroadTile, hopper_gemm_nn_broad)
               : LN_IN_MAPPED_TILES(SquareTile, hopper_gemm_nn_square);
}

// As LN_IN_TILES, the kernel for B's format.
#define LN_IN_BLOCK_TILES(Tile, kernel)                                                      \
  in_tiles<Tile>(device, a, g.a.dtype, [&](Grid grid, unsigned threads, unsigned shared) {   \
    return LN_LAUNCH_BLOCKS(device, g.b.dtype, g.a.dtype, kernel, grid, threads, shared, a); \
  })

int block_gemm(Device* device, const Gemm& g) {
  TensorGemmArguments a = arguments(g);
  bool fills = fills_card<LargeBlockTile>(a);
  if (g.b.transposed)
    return fills ? LN_IN_BLOCK_TILES(LargeBlockTile, block_gemm_nt_large)
                 : LN_IN_BLOCK_TILES(SmallBlockTile, block_gemm_nt_small);
  return fills ? LN_IN_BLOCK_TILES(LargeBlockTile, block_gemm_nn_large)
               : LN_IN_BLOCK_TILES(SmallBlockTile, block_gemm_nn_small);
}

// A product that takes_unit(): forward nt, backward nn.
int gated_gemm(Device* device, TensorGemmArguments& a, const Gemm& g) {
  const GatedArguments u{ptr<void>(g.unit.gate), ptr<void>(g.unit.up), ptr<void>(g.unit.y),
                         g.unit.act};
  if (!has_warpgroups(device))
    return u.up ? LN_IN_TILES(LargeTile, gated_gemm_bwd, u)
                : LN_IN_TILES(LargeTile, gated_gemm_fwd, u);
  const bool broad = prefers_broad(a);
  if (u.up)
    return broad ? LN_IN_MAPPED_TILES(BroadTile, hopper_gated_bwd_broad, u)
                 : LN_IN_MAPPED_TILES(SquareTile, hopper_gated_bwd_square, u);
  return broad ? LN_IN_MAPPED_TILES(BroadTile, hopper_gated_fwd_broad, u)
               : LN_IN_MAPPED_TILES(SquareTile, hopper_gated_fwd_square, u);
}

int tensor_gemm(Device* device, const Gemm& g) {
  if (is_blocks(g.b.dtype)) return block_gemm(device, g);
  TensorGemmArguments a = arguments(g);
  if (g.unit.gate) return gated_gemm(device, a, g);
  bool tall = g.N <= TallTile::kColumns;
  if (g.a.transposed) {
    if (tall) return LN_IN_TILES(TallTile, tensor_gemm_tn_tall);
    if (g.M <= WideTile::kRows) return LN_IN_TILES(WideTile, tensor_gemm_tn_wide);
    return LN_IN_TILES(SmallTile, tensor_gemm_tn_small);
  }
  bool fills = fills_card<LargeTile>(a);
  if (tall)
    return g.b.transposed ? LN_IN_TILES(TallTile, tensor_gemm_nt_tall)
                          : LN_IN_TILES(TallTile, tensor_gemm_nn_tall);
  if (has_warpgroups(device)) return hopper_gemm(device, a, g);
  if (g.b.transposed)
    return fills ? LN_IN_TILES(LargeTile, tensor_gemm_nt_large)
                 : LN_IN_TILES(SmallTile, tensor_gemm_nt_small);
  return fills ? LN_IN_TILES(LargeTile, tensor_gemm_nn_large)
               : LN_IN_TILES(SmallTile, tensor_gemm_nn_small);
}

// Two products in one launch, and their splits' sums in another. Each is split as alone, so that
// every bit is the same.
int gemm_pair(Device* device, const Gemm& g) {
  Gemm one = g;
  one.beside = nullptr;
  const Gemm& other = *g.beside;
  TensorGemmPair p{arguments(one), arguments(other), 0, 0, 0, 0};
  const bool thin = one.N <= TallTile::kColumns && other.N <= TallTile::kColumns;
  const bool alike = one.a.dtype == one.b.dtype && other.a.dtype == one.a.dtype && !one.rank &&
                     !one.a.transposed && !one.b.transposed && other.a.transposed;
  const Grid grid = split_grid_of<TallTile>(p.first), beside = split_grid_of<TallTile>(p.second);
  const int64_t first = grid.z > 1 ? one.M * one.N : 0,
                second = beside.z > 1 ? other.M * other.N : 0;
  const int64_t sums = (first * grid.z + second * beside.z) * 4;
  if (!thin || !alike || !fits_tensor_cores(one) || !fits_tensor_cores(other) ||
      sums > kCudaWorkspaceBytes) {
    LN_TRY(cuda_gemm(device, one));
    return cuda_gemm(device, other);
  }
  float* partial = ptr<float>(cuda_workspace(device));
  if (first) p.first.partial = partial;
  if (second) p.second.partial = partial + first * grid.z;
  p.first_tiles = u32(grid.y);
  p.first_splits = u32(grid.z);
  p.second_tiles = u32(beside.y);
  p.second_splits = u32(beside.z);
  LN_TRY(LN_LAUNCH_16_BIT(device, g.a.dtype, tensor_gemm_pair,
                          (Grid{grid.y * grid.z + beside.y * beside.z}), TallTile::kThreads,
                          TallTile::kSharedBytes, p));
  if (first + second == 0) return LN_OK;
  return LN_LAUNCH_16_BIT(device, g.a.dtype, add_split_pair, cover(first + second, 256), 256, 0, p);
}

// The products of dA of several layers in one, where K is split: the sums then go to where each
// layer's rows lie. Else one after the other.
int gemm_apart(Device* device, const Gemm& g) {
  TensorGemmArguments a = arguments(g);
  const bool wide = g.M <= WideTile::kRows;
  const int64_t splits = (wide ? split_grid_of<WideTile>(a) : split_grid_of<SmallTile>(a)).z;
  if (!fits_tensor_cores(g) || splits == 1)
    return g.each_part([device](const Gemm& one) { return cuda_gemm(device, one); });
  RowParts parts{};
  for (int i = 0; i < g.parts; i++) {
    parts.c[i] = ptr<float>(g.part[i].address);
    parts.rows[i] = g.part[i].rows;
    parts.room[i] = g.part[i].room;
  }
#define LN_IN_TILES_APART(Tile, kernel)                                               \
  in_tiles<Tile>(                                                                     \
      device, a, g.a.dtype,                                                           \
      [&](Grid grid, unsigned threads, unsigned shared) {                             \
        return LN_LAUNCH_16_BIT(device, g.a.dtype, kernel, grid, threads, shared, a); \
      },                                                                              \
      &parts)
  return wide ? LN_IN_TILES_APART(WideTile, tensor_gemm_tn_wide)
              : LN_IN_TILES_APART(SmallTile, tensor_gemm_tn_small);
}

// Columns of C whose weights are dequantized at once: few enough to stay in L2, enough to fill a
// card, and whole blocks of every format. 0 where the fused kernel is faster: writing and reading a
// number takes as long as multiplying it with about 150 rows on an H100 (0.45 ps by the count of
// instructions and bytes, not timed), 500 on a 4090.
int64_t panel_columns(const Device* device, int64_t M, int64_t N, int64_t K, int32_t w_dtype,
                      int32_t dtype) {
  constexpr int64_t kMostBytes = int64_t(64) << 20, kColumns = 256;
  if (!is_blocks(w_dtype) || dtype == LN_F32 || M < (has_warpgroups(device) ? 256 : 1024)) return 0;
  int64_t most = kMostBytes / 2 / K / kColumns * kColumns;
  return N < most ? N : most;
}

int dequantize(Device* device, const PanelArguments& p, int32_t format, int32_t dtype, int64_t to) {
  return LN_LAUNCH_BLOCKS(
      device, format, dtype, dequantize_panel,
      cover(int64_t(p.rows * p.columns) / PanelTile::kNumbers, PanelTile::kThreads),
      PanelTile::kThreads, PanelTile::kSharedBytes, p, to);
}

// Whether the product of M rows dequantizes panels, of which the card's cache holds less than half,
// and gives the same bits from the whole matrix: no panel's K is split. Bytes of memory for a
// number of W, with h of a panel in the cache: a panel twice takes 2 (b + 2 (1 - h)), b bytes of
// its block and what is written; the matrix once b + 2, and each product reads it behind what it
// computes.
bool shares(const Device* device, int64_t M, int64_t N, int64_t K, int32_t w_dtype, int32_t dtype) {
  int64_t columns = panel_columns(device, M, N, K, w_dtype, dtype);
  if (!columns || N % 8 || K % 8 || device->cuda->cache_bytes >= K * columns) return false;
  if (columns == N) return true;
  TensorGemmArguments last{};
  last.M = M;
  last.N = N % columns ? N % columns : columns;
  last.K = K;
  return last.N > TallTile::kColumns && split_grid_of<SmallTile>(last).z == 1 &&
         (!device->cuda->warpgroups || split_grid_of<SquareTile>(last).z == 1);
}

// The product, as many columns of C at a time as a panel holds: product(those columns, the first).
template <typename Product>
int gemm_by_panels(Device* device, const Gemm& g, int64_t most, Product product) {
  int64_t c_bytes = g.c.dtype == LN_F32 ? 4 : 2;
  for (int64_t n0 = 0; n0 < g.N; n0 += most) {
    Gemm part = g;
    part.N = g.N - n0 < most ? g.N - n0 : most;
    const u64 N = u64(g.N), K = u64(g.K), first = u64(n0), columns = u64(part.N);
    PanelArguments p{ptr<void>(g.b.address), N * K, N, 0, first, K, columns};
    if (g.b.transposed) p = {ptr<void>(g.b.address), N * K, K, first, 0, columns, K};
    LN_TRY(dequantize(device, p, g.b.dtype, g.a.dtype, g.scratch));
    part.b = {g.scratch, g.a.dtype, g.b.transposed};
    part.c.stride = g.c.pitch(g.M, g.N);
    if (g.c.address) part.c.address += n0 * c_bytes;
    for (int64_t* matrix : {&part.unit.gate, &part.unit.up, &part.unit.y})
      if (*matrix) *matrix += n0 * c_bytes;
    if (g.bias) part.bias += n0 * 4;
    if (g.rank) {
      part.low_b.stride = g.low_b.pitch(g.rank, g.N);
      part.low_b.address += n0 * 2 * (g.low_b.transposed ? part.low_b.stride : 1);
    }
    LN_TRY(product(part, n0));
  }
  return LN_OK;
}

// The columns of the head that g has, which begin at column n0.
int head_gemm(Device* device, const Gemm& g, HeadArguments h, int64_t n0) {
  TensorGemmArguments a = arguments(g);
  h.column0 = n0;
  h.groups += n0 / head_group_columns(device);
  if (!has_warpgroups(device))
    return LN_LAUNCH_16_BIT(device, g.a.dtype, head_gemm, grid_of<HeadTile>(a), HeadTile::kThreads,
                            HeadTile::kSharedBytes, a, h);
  MappedGemmArguments mapped{a, {}, {}, {}, {}};
  LN_TRY(map_operands<HopperHeadTile>(device, &mapped, true));
  return LN_LAUNCH_16_BIT(device, g.a.dtype, hopper_head_gemm, grid_of<HopperHeadTile>(a),
                          HopperHeadTile::kThreads, HopperHeadTile::kSharedBytes, mapped, h);
}

// Whether the product takes C through its gated linear unit in the epilogue: whole eights, of
// numbers that are multiplied in 16 bits, in large tiles that fill the card, so that K is not
// split.
bool takes_unit(const Device* device, const Gemm& g) {
  if (!fits_tensor_cores(g) || g.c.dtype == LN_F32 || g.accumulate || g.N % 8) return false;
  if ((g.c.address | g.unit.gate | g.unit.up | g.unit.y) % 16 || g.c.stride) return false;
  int64_t columns = g.N;
  if (is_blocks(g.b.dtype)) {
    const int64_t panel = panel_columns(device, g.M, g.N, g.K, g.b.dtype, g.a.dtype);
    if (!panel || !g.scratch) return false;
    columns = g.N % panel ? g.N % panel : panel;  // of the narrowest
  }
  return tiles_over(g.M, LargeTile::kRows) * tiles_over(columns, LargeTile::kColumns) >= kFullCard;
}

}  // namespace

int64_t head_group_columns(const Device* device) {
  return has_warpgroups(device) ? HopperHeadTile::kColumns : HeadTile::kWarpColumns;
}

bool fits_head_product(const Device* device, int64_t M, int64_t N, int64_t K, int32_t w_dtype,
                       int32_t dtype) {
  return dtype != LN_F32 && K % 8 == 0 &&
         (w_dtype == dtype || panel_columns(device, M, N, K, w_dtype, dtype));
}

int head_product(Device* device, const Gemm& g, const HeadArguments& h) {
  if (!is_blocks(g.b.dtype)) return head_gemm(device, g, h, 0);
  int64_t columns = panel_columns(device, g.M, g.N, g.K, g.b.dtype, g.a.dtype);
  return gemm_by_panels(device, g, columns, [&](const Gemm& part, int64_t n0) {
    return head_gemm(device, part, h, n0);
  });
}

int64_t cuda_gemm_scratch(const Device* device, int64_t M, int64_t N, int64_t K, int32_t w_dtype,
                          int32_t dtype) {
  return 2 * K * panel_columns(device, M, N, K, w_dtype, dtype);
}

int cuda_gemm(Device* device, const Gemm& g) {
  if (g.beside) return gemm_pair(device, g);
  if (g.unit.gate && !takes_unit(device, g)) {
    Gemm alone = g;
    alone.unit = {};
    LN_TRY(cuda_gemm(device, alone));
    return cuda::gate(device, g);
  }
  if (g.M == 0 || g.N == 0) return LN_OK;
  if (g.parts) return gemm_apart(device, g);
  int64_t columns = panel_columns(device, g.M, g.N, g.K, g.b.dtype, g.a.dtype);
  if (columns && g.scratch && fits_tensor_cores(g))
    return gemm_by_panels(device, g, columns, [device](const Gemm& part, int64_t) {
      return tensor_gemm(device, part);
    });
  if (fits_tensor_cores(g)) return tensor_gemm(device, g);
  if (g.rank) {
    LN_TRY(cuda_gemm(device, g.without_low_rank()));
    return cuda_gemm(device, g.low_rank_alone());
  }
  bool blocks = is_blocks(g.b.dtype);
  if (g.a.dtype != g.b.dtype && !blocks)
    return fail(LN_UNSUPPORTED, "a product of dtypes %d and %d", g.a.dtype, g.b.dtype);
  GemmArguments a;
  int64_t a_pitch = g.a.pitch(g.M, g.K), b_pitch = g.b.pitch(g.K, g.N);
  a.a_row = g.a.transposed ? 1 : a_pitch;
  a.a_column = g.a.transposed ? a_pitch : 1;
  a.b_row = g.b.transposed ? 1 : b_pitch;
  a.b_column = g.b.transposed ? b_pitch : 1;
  a.c_row = g.c.pitch(g.M, g.N);
  a.M = g.M;
  a.N = g.N;
  a.K = g.K;
  a.depth_left = ptr<i32>(g.depth_left);
  a.row_offset = g.row_offset;
  a.scale = g.scale;
  a.accumulate = g.accumulate;
  a.c_is_f32 = g.c.dtype == LN_F32;
  a.b_format = blocks ? g.b.dtype : 0;
  Grid grid{tiles_over(g.N, GemmTile::kColumns), tiles_over(g.M, GemmTile::kRows)};
  return LN_LAUNCH_TYPED(device, g.a.dtype, gemm, grid, GemmTile::kThreads, GemmTile::kSharedBytes,
                         g.a.address, g.b.address, g.c.address, g.bias, g.rows_left, a);
}

namespace cuda {

int ln_dequantize_matrix_fwd(int64_t device, int64_t w, int64_t y, int64_t rows, int64_t columns,
                             int32_t w_dtype, int32_t dtype) {
  if (!is_blocks(w_dtype) || dtype == LN_F32)
    return fail(LN_UNSUPPORTED, "a matrix of dtype %d as dtype %d", w_dtype, dtype);
  const PanelArguments all{ptr<void>(w), u64(rows * columns), u64(columns), 0, 0,
                           u64(rows),    u64(columns)};
  return dequantize(of(device), all, w_dtype, dtype, y);
}

int ln_linear_shares(int64_t device, int64_t M, int64_t in, int64_t out, int32_t w_dtype,
                     int32_t dtype) {
  return shares(of(device), M, out, in, w_dtype, dtype) &&
         shares(of(device), M, in, out, w_dtype, dtype);
}

}  // namespace cuda
}  // namespace ln
