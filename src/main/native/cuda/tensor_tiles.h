// How a product on the tensor cores is spread over a card: its grid, and the split of K.
#pragma once
#include "cuda/launch.h"
#include "cuda/tensor_maps.h"
#include "hopper.h"
#include "tensor_gemm.h"

namespace ln {

// Blocks that fill a card (the 4090 has 128 multiprocessors). A constant, so that the choice of
// tile and the split of K, and with them every bit of a result, depend on the shape alone.
constexpr int64_t kFullCard = 128;
constexpr int64_t kLeastStepsOfSplit = 4, kMostSplits = 16;

inline int64_t tiles_over(int64_t n, int64_t tile) { return (n + tile - 1) / tile; }

template <typename Tile>
Grid grid_of(const TensorGemmArguments& a) {
  return {tiles_over(a.N, Tile::kColumns), tiles_over(a.M, Tile::kRows)};
}

template <typename Tile>
bool fills_card(const TensorGemmArguments& a) {
  return grid_of<Tile>(a).x * grid_of<Tile>(a).y >= kFullCard;
}

// Whether the broad tile is the faster: it fills the card, and what it computes past N's end costs
// less than the square tile's lower rate (on an H100 536 TFLOP/s to 677, M = N = K = 4096).
inline bool prefers_broad(const TensorGemmArguments& a) {
  int64_t broad = tiles_over(a.N, BroadTile::kColumns) * BroadTile::kColumns;
  int64_t square = tiles_over(a.N, SquareTile::kColumns) * SquareTile::kColumns;
  return fills_card<BroadTile>(a) && broad * 100 <= square * 126;
}

// How often K is split so that `blocks` tiles fill a card; 1 where they do or K is short.
inline int64_t splits_of(const TensorGemmArguments& a, int64_t blocks, int64_t depth,
                         int64_t blocks_of_full_card) {
  int64_t steps = tiles_over(a.K, depth) + tiles_over(a.R, depth);
  int64_t wanted = tiles_over(blocks_of_full_card, blocks), most = steps / kLeastStepsOfSplit;
  int64_t room = kCudaWorkspaceBytes / (a.M * a.N * 4);
  int64_t splits = wanted < most ? wanted : most;
  if (splits > kMostSplits) splits = kMostSplits;
  if (splits > room) splits = room;
  return splits < 1 ? 1 : splits;
}

// A tile's grid with its splits.
template <typename Tile>
Grid split_grid_of(const TensorGemmArguments& a) {
  Grid grid = grid_of<Tile>(a);
  // A thin tile waits for memory: a multiprocessor wants several.
  constexpr bool thin = Tile::kRows <= 32 || Tile::kColumns <= 32;
  grid.z = splits_of(a, grid.x * grid.y, Tile::kSplitDepth, thin ? kFullCard * 4 : kFullCard);
  return grid;
}

// Launches run(grid, threads, shared bytes), a kernel of `a` in this tile; `dtype` is C's unless
// that is f32. If there are parts, K must be split: they are where add_splits writes.
template <typename Tile, typename Run>
int in_tiles(Device* device, TensorGemmArguments& a, int32_t dtype, Run run,
             const RowParts* parts = nullptr) {
  Grid grid = split_grid_of<Tile>(a);
  a.partial = grid.z > 1 ? ptr<float>(cuda_workspace(device)) : nullptr;
  LN_TRY(run(grid, unsigned(Tile::kThreads), unsigned(Tile::kSharedBytes)));
  if (grid.z == 1) return LN_OK;
  if (parts)
    return LN_LAUNCH(device, add_splits_apart, cover(a.M * a.N, 256), 256, 0, a, grid.z, *parts);
  return LN_LAUNCH_16_BIT(device, dtype, add_splits, cover(a.M * a.N, 256), 256, 0, a, grid.z);
}

}  // namespace ln
