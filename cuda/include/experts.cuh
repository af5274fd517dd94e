// Products of rows with their experts' matrices: which expert a tile belongs to, and what the main
// loops are told of it.
#pragma once
#include "experts.h"
#include "tensor_loop.cuh"

// The expert that a tile of `height` rows belongs to: its tiles before this one, its rows.
struct ExpertTile {
  i64 expert, within, first, rows;

  LN_DEVICE ExpertTile(const i32* offsets, i64 E, i64 tile, i64 height) : expert(-1) {
    for (i64 e = 0; e < E; e++) {
      const i64 count = offsets[e + 1] - offsets[e], tiles = (count + height - 1) / height;
      if (tile < tiles) {
        expert = e;
        within = tile;
        first = offsets[e];
        rows = count;
        return;
      }
      tile -= tiles;
    }
  }
};

// The arguments of tensor_loop.cuh for one expert. Its rows of x and y are numbered so that the
// first tile of the expert is the tile that this block would have in a product of all rows.
template <typename Tile, typename T>
struct ExpertProduct {
  TensorGemmArguments g{};
  i64 expert, rows = 0;

  LN_DEVICE explicit ExpertProduct(const ExpertArguments& all) {
    const i64 slot = TilePlace().row;
    const ExpertTile tile(all.offsets, all.E, slot, Tile::kRows);
    expert = tile.expert;
    if (expert < 0) return;
    const i64 ahead = (slot - tile.within) * Tile::kRows, shift = tile.first - ahead;
    rows = ahead + tile.rows;
    g.a = static_cast<const T*>(all.x) + shift * all.K;
    g.b = static_cast<const T*>(all.w) + expert * all.N * all.K;
    g.c = static_cast<T*>(all.y) + shift * all.N;
    g.a_stride = all.K;
    g.b_stride = all.b_transposed ? all.K : all.N;
    g.c_stride = all.N;
    if (all.R) {
      g.low_a = static_cast<const T*>(all.low_x) + shift * all.R;
      g.low_b = static_cast<const T*>(all.low_w) + expert * all.N * all.R;
      g.low_a_stride = all.R;
      g.low_b_stride = all.b_transposed ? all.R : all.N;
      g.R = all.R;
    }
    g.M = rows;
    g.N = all.N;
    g.K = all.K;
    g.scale = all.scale;
    g.accumulate = all.accumulate;
  }
};
