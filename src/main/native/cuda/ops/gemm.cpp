// Launchers of the matrix product: the tensor cores where they apply, else the plain kernel.
#include "gemm.h"

#include "cuda/launch.h"
#include "tensor_gemm.h"

namespace ln {

namespace {

// Enough blocks of the large tile to fill a card (the 4090 has 128 multiprocessors).
constexpr int64_t kFullCard = 128;

bool aligned(int64_t address) { return address % 16 == 0; }

// What 16-byte copies of whole chunks ask for.
bool fits_tensor_cores(const Gemm& g) {
  return g.a.dtype == LN_BF16 && g.b.dtype == LN_BF16 && !g.a.transposed && g.K % 8 == 0 &&
         g.rank % 8 == 0 && (g.b.transposed || g.N % 8 == 0) && aligned(g.a.address) &&
         aligned(g.b.address) && aligned(g.low_a) && aligned(g.low_b);
}

template <typename Tile>
Grid tiles(const Gemm& g) {
  return {(g.N + Tile::kColumns - 1) / Tile::kColumns, (g.M + Tile::kRows - 1) / Tile::kRows};
}

int tensor_gemm(Device* device, const Gemm& g) {
  TensorGemmArguments a;
  a.a = ptr<gpu_bf16>(g.a.address);
  a.b = ptr<gpu_bf16>(g.b.address);
  a.low_a = ptr<gpu_bf16>(g.low_a);
  a.low_b = ptr<gpu_bf16>(g.low_b);
  a.c = ptr<void>(g.c.address);
  a.bias = ptr<float>(g.bias);
  a.rows_left = ptr<i32>(g.rows_left);
  a.M = g.M;
  a.N = g.N;
  a.K = g.K;
  a.R = g.rank;
  a.row_offset = g.row_offset;
  a.scale = g.scale;
  a.accumulate = g.accumulate;
  a.c_is_f32 = g.c.dtype == LN_F32;
  Grid large = tiles<LargeTile>(g), small = tiles<SmallTile>(g);
  bool fills = large.x * large.y >= kFullCard;
  if (g.b.transposed)
    return fills ? LN_LAUNCH(device, tensor_gemm_nt_large, large, LargeTile::kThreads,
                             LargeTile::kSharedBytes, a)
                 : LN_LAUNCH(device, tensor_gemm_nt_small, small, SmallTile::kThreads,
                             SmallTile::kSharedBytes, a);
  return fills ? LN_LAUNCH(device, tensor_gemm_nn_large, large, LargeTile::kThreads,
                           LargeTile::kSharedBytes, a)
               : LN_LAUNCH(device, tensor_gemm_nn_small, small, SmallTile::kThreads,
                           SmallTile::kSharedBytes, a);
}

}  // namespace

int cuda_gemm(Device* device, const Gemm& g) {
  if (fits_tensor_cores(g)) return tensor_gemm(device, g);
  if (g.rank) {
    LN_TRY(cuda_gemm(device, g.without_low_rank()));
    return cuda_gemm(device, g.low_rank_alone());
  }
  GemmArguments a;
  a.a_row = g.a.transposed ? 1 : g.K;
  a.a_column = g.a.transposed ? g.M : 1;
  a.b_row = g.b.transposed ? 1 : g.N;
  a.b_column = g.b.transposed ? g.K : 1;
  a.M = g.M;
  a.N = g.N;
  a.K = g.K;
  a.row_offset = g.row_offset;
  a.scale = g.scale;
  a.accumulate = g.accumulate;
  Grid grid{(g.N + GemmTile::kColumns - 1) / GemmTile::kColumns,
            (g.M + GemmTile::kRows - 1) / GemmTile::kRows};
  unsigned threads = GemmTile::kThreads, shared = GemmTile::kSharedBytes;
  if (g.a.dtype != g.b.dtype)
    return fail(LN_UNSUPPORTED, "a product of dtypes %d and %d", g.a.dtype, g.b.dtype);
  if (g.a.dtype == LN_F32)
    return LN_LAUNCH(device, gemm_f32, grid, threads, shared, g.a.address, g.b.address, g.c.address,
                     g.bias, g.rows_left, a);
  if (g.c.dtype == LN_F32)
    return LN_LAUNCH(device, gemm_bf16_f32, grid, threads, shared, g.a.address, g.b.address,
                     g.c.address, g.bias, g.rows_left, a);
  return LN_LAUNCH(device, gemm_bf16, grid, threads, shared, g.a.address, g.b.address, g.c.address,
                   g.bias, g.rows_left, a);
}

}  // namespace ln
