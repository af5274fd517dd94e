// Mixtures of experts (Fedus et al. 2021): which experts a token goes to, its rows in their order
// and back, and all products of rows with their experts' matrices in one launch.
//
//   route_fwd            p = softmax(logits); the k largest, of equal ones the lower expert first
//   route_bwd            w (dw - sum w dw), and -p (sum w dw) of those not chosen where p is not
//                        divided by the sum of the chosen
//   route_order          slots m k + j in the order of their experts: a block for an expert, which
//                        counts the slots of lower experts and its own, then places its own
//   expert_rows          y[r] = w x[order[r] / k]
//   combine_rows         y[m] = sum over j of w x[place[m, j]], in the order of j
//   combine_rows_weight  dw[m, j] = dy[m] . x[place[m, j]]
//   expert_gemm          y[r] = W[e] x[r]: plain, any shape; expert_gemm_nt and _nn on the tensor
//                        cores by the main loop of tensor_gemm.cu (with W in blocks:
//                        expert_block_gemm.cu); all with a low-rank pair of each expert
//                        beside W
//   expert_gradient      d[e] += p^T q over e's rows, _tn on the tensor cores
//
// The grid of a product is what R rows could need however they fall: R / 64 tiles, and one more for
// each expert whose rows end within a tile. A block finds its expert by the offsets; those left
// over leave at once. No atomics: counts are added in the order of slots.
#include "blocks.cuh"
#include "eight.cuh"
#include "experts.cuh"

// What NaN counts as in the choice, so that it is always k experts; it stays in the weights.
LN_DEVICE float rank_of(float z) { return z == z ? z : negative_infinity(); }

// The sum of e^(z - most) over a token's experts, the same in each lane.
template <typename T>
LN_DEVICE float sum_of_powers(const T* z, float most, i64 E) {
  float sum = 0;
  for (i64 e = threadIdx.x % 32; e < E; e += 32) sum += expf(load(z[e]) - most);
  return warp_sum(sum);
}

template <typename T>
LN_DEVICE void route_fwd(const T* logits, float* weights, i32* chosen, const RouteArguments& r) {
  const i64 m = warp_row();
  if (m >= r.M) return;
  const i32 lane = i32(threadIdx.x % 32);
  const T* z = logits + m * r.E;
  float last = negative_infinity(), own = 0, most = 0;
  i32 last_expert = -1, own_expert = 0;
  for (i32 j = 0; j < r.k; j++) {
    // The first, in the order of falling rank and rising expert, behind the last one taken.
    float best = negative_infinity();
    i32 expert = i32(r.E);
    for (i32 e = lane; e < r.E; e += 32) {
      const float rank = rank_of(load(z[e]));
      const bool left = j == 0 || rank < last || (rank == last && e > last_expert);
      if (left && (expert == r.E || rank > best)) {
        best = rank;
        expert = e;
      }
    }
    for (int lanes = 16; lanes > 0; lanes >>= 1) {
      const float other = __shfl_xor_sync(0xffffffffu, best, lanes);
      const i32 other_expert = __shfl_xor_sync(0xffffffffu, expert, lanes);
      const bool better = other_expert < r.E && (expert == r.E || other > best ||
                                                 (other == best && other_expert < expert));
      best = better ? other : best;
      expert = better ? other_expert : expert;
    }
    last = best;
    last_expert = expert;
    if (j == 0) most = load(z[expert]);
    if (lane == j) {
      own_expert = expert;
      own = expf(load(z[expert]) - most);
    }
  }
  const float sum = r.normalize ? warp_sum(lane < r.k ? own : 0.0f) : sum_of_powers(z, most, r.E);
  if (lane >= r.k) return;
  chosen[m * r.k + lane] = own_expert;
  weights[m * r.k + lane] = own / sum;
}

template <typename T>
LN_DEVICE void route_bwd(const float* dweights, const T* logits, const float* weights,
                         const i32* chosen, T* dlogits, const RouteArguments& r) {
  const i64 m = warp_row();
  if (m >= r.M) return;
  const i32 lane = i32(threadIdx.x % 32);
  const bool has = lane < r.k;
  const T* z = logits + m * r.E;
  const float w = has ? weights[m * r.k + lane] : 0.0f;
  const float dw = has ? dweights[m * r.k + lane] : 0.0f;
  const float mean = warp_sum(w * dw), most = load(z[chosen[m * r.k]]);
  const float sum = r.normalize ? 1.0f : sum_of_powers(z, most, r.E);
  for (i64 e = lane; e < r.E; e += 32) {
    float d = r.normalize ? 0.0f : -mean * expf(load(z[e]) - most) / sum;
    for (i64 j = m * r.k; j < (m + 1) * r.k; j++)
      if (chosen[j] == e) d = weights[j] * (dweights[j] - mean);
    store(dlogits + m * r.E + e, d);
  }
}

extern "C" __global__ void __launch_bounds__(RouteTile::kThreads)
    route_order(const i32* chosen, i32* order, i32* place, i32* offsets, i64 slots, i64 E) {
  LN_DYNAMIC_SHARED(i32, counts);
  i32* lower = counts + RouteTile::kThreads;
  const i32 expert = i32(blockIdx.x), thread = i32(threadIdx.x);
  // Each thread has slots that lie side by side, so that the threads' order is theirs.
  const i64 each = (slots + RouteTile::kThreads - 1) / RouteTile::kThreads;
  const i64 from = thread * each, to = from + each < slots ? from + each : slots;
  i32 own = 0, below = 0;
  for (i64 s = from; s < to; s++) {
    own += chosen[s] == expert;
    below += chosen[s] < expert;
  }
  counts[thread] = own;
  lower[thread] = below;
  __syncthreads();
  i32 first = 0, row = 0, all = 0;
  for (int t = 0; t < RouteTile::kThreads; t++) {
    first += lower[t];
    all += counts[t];
    if (t < thread) row += counts[t];
  }
  row += first;
  for (i64 s = from; s < to; s++)
    if (chosen[s] == expert) {
      order[row] = i32(s);
      place[s] = row++;
    }
  if (thread == 0) offsets[expert] = first;
  if (thread == 0 && expert == E - 1) offsets[E] = first + all;
}

template <bool WHOLE, typename T>
LN_DEVICE void expert_rows(const T* x, const i32* order, const float* weights, T* y, i64 R, i64 k,
                           i64 C) {
  const RowSpan<WHOLE> s(u32(global_thread()), C);
  if (s.row >= R) return;
  const i32 slot = order[s.row];
  Eight e = s.load(x + slot / k * C);
  const float w = weights ? weights[slot] : 1.0f;
  LN_EACH_OF_8 e[i] *= w;
  s.store(y + s.row * C, e);
}

template <bool WHOLE, typename T>
LN_DEVICE void combine_rows(const T* x, const i32* place, const float* weights, T* y, i64 M, i64 k,
                            i64 C) {
  const RowSpan<WHOLE> s(u32(global_thread()), C);
  if (s.row >= M) return;
  Eight sum{};
  for (i64 j = 0; j < k; j++) {
    const i64 slot = s.row * k + j;
    const Eight e = s.load(x + place[slot] * C);
    const float w = weights ? weights[slot] : 1.0f;
    LN_EACH_OF_8 sum[i] += w * e[i];
  }
  s.store(y + s.row * C, sum);
}

template <bool WHOLE, typename T>
LN_DEVICE void combine_rows_weight(const T* dy, const T* x, const i32* place, float* dweights,
                                   i64 M, i64 k, i64 C) {
  const i64 slot = warp_row();
  if (slot >= M * k) return;
  float sum = 0;
  for (i64 c = threadIdx.x % 32 * 8; c < C; c += 256) {
    const Span<WHOLE> s(c, C);
    const Eight a = s.load(dy + slot / k * C), b = s.load(x + place[slot] * C);
    LN_EACH_OF_8 sum += a[i] * b[i];
  }
  sum = warp_sum(sum);
  if (threadIdx.x % 32 == 0) dweights[slot] = sum;
}

// What a thread of a plain product sums: 4 x 4 of a tile of C, K in order.
struct PlainSums {
  float* tile_a;
  float* tile_b;
  float sum[4][4] = {};

  LN_DEVICE void add() {
    const int tx = int(threadIdx.x) % 16, ty = int(threadIdx.x) / 16;
    __syncthreads();
    for (int k = 0; k < GemmTile::kDepth; k++)
      for (int a = 0; a < 4; a++)
        for (int b = 0; b < 4; b++)
          sum[a][b] += tile_a[k * GemmTile::kStride + ty * 4 + a] *
                       tile_b[k * GemmTile::kStride + tx * 4 + b];
    __syncthreads();
  }
};

// Rows of an expert times a matrix of plain numbers; `K` numbers deep.
template <typename T>
LN_DEVICE void plain_tiles(PlainSums& to, const T* x, const T* w, i64 row0, i64 rows, i64 column0,
                           i64 N, i64 K, bool transposed) {
  for (i64 k0 = 0; k0 < K; k0 += GemmTile::kDepth) {
    for (int i = int(threadIdx.x); i < GemmTile::kRows * GemmTile::kDepth;
         i += GemmTile::kThreads) {
      const int ra = i / GemmTile::kDepth, ka = i % GemmTile::kDepth;
      const bool in_a = row0 + ra < rows && k0 + ka < K;
      to.tile_a[ka * GemmTile::kStride + ra] = in_a ? load(x[(row0 + ra) * K + k0 + ka]) : 0.0f;
      const int cb = transposed ? i / GemmTile::kDepth : i % GemmTile::kColumns;
      const int kb = transposed ? i % GemmTile::kDepth : i / GemmTile::kColumns;
      const i64 k = k0 + kb, n = column0 + cb;
      to.tile_b[kb * GemmTile::kStride + cb] =
          k < K && n < N ? load(w[transposed ? n * K + k : k * N + n]) : 0.0f;
    }
    to.add();
  }
}

// Likewise by a matrix in blocks, of which a thread takes 16 neighbours apart.
template <typename T>
LN_DEVICE void block_tiles(PlainSums& to, const ExpertArguments& g, i64 expert, const T* x,
                           i64 row0, i64 rows, i64 column0) {
  const i64 before = expert * g.N * g.K, along = g.b_transposed ? g.K : g.N;
  for (i64 k0 = 0; k0 < g.K; k0 += GemmTile::kDepth) {
    for (int i = int(threadIdx.x); i < GemmTile::kRows * GemmTile::kDepth;
         i += GemmTile::kThreads) {
      const int ra = i / GemmTile::kDepth, ka = i % GemmTile::kDepth;
      const bool in_a = row0 + ra < rows && k0 + ka < g.K;
      to.tile_a[ka * GemmTile::kStride + ra] = in_a ? load(x[(row0 + ra) * g.K + k0 + ka]) : 0.0f;
    }
    const int i = int(threadIdx.x);
    if (i < GemmTile::kDepth * GemmTile::kColumns / 16) {
      const int k = g.b_transposed ? 0 : i / 4, n = g.b_transposed ? i : i % 4 * 16;
      const i64 r = g.b_transposed ? column0 + n : k0 + k, c = g.b_transposed ? k0 : column0 + n;
      float numbers[16] = {};
      if (r < (g.b_transposed ? g.N : g.K) && c < along)
        read_sixteen(numbers, g.w, g.E * g.N * g.K, g.b_format, before + r * along + c);
      for (int j = 0; j < 16; j++)
        to.tile_b[(g.b_transposed ? j : k) * GemmTile::kStride + n + (g.b_transposed ? 0 : j)] =
            numbers[j];
    }
    to.add();
  }
}

// Plain: tiles as in gemm.cu.
template <typename T>
LN_DEVICE void expert_gemm(const ExpertArguments& g) {
  LN_DYNAMIC_SHARED(float, shared);
  const ExpertTile tile(g.offsets, g.E, blockIdx.y, GemmTile::kRows);
  if (tile.expert < 0) return;  // the whole block
  const i64 row0 = tile.within * GemmTile::kRows, column0 = i64(blockIdx.x) * GemmTile::kColumns;
  PlainSums to{shared, shared + GemmTile::kDepth * GemmTile::kStride};
  const T* x = static_cast<const T*>(g.x) + tile.first * g.K;
  if (g.b_format)
    block_tiles(to, g, tile.expert, x, row0, tile.rows, column0);
  else
    plain_tiles(to, x, static_cast<const T*>(g.w) + tile.expert * g.N * g.K, row0, tile.rows,
                column0, g.N, g.K, g.b_transposed);
  if (g.R)
    plain_tiles(to, static_cast<const T*>(g.low_x) + tile.first * g.R,
                static_cast<const T*>(g.low_w) + tile.expert * g.N * g.R, row0, tile.rows, column0,
                g.N, g.R, g.b_transposed);
  const int tx = int(threadIdx.x) % 16, ty = int(threadIdx.x) / 16;
  for (int a = 0; a < 4; a++)
    for (int b = 0; b < 4; b++) {
      const i64 m = row0 + ty * 4 + a, n = column0 + tx * 4 + b;
      if (m >= tile.rows || n >= g.N) continue;
      T* there = static_cast<T*>(g.y) + (tile.first + m) * g.N + n;
      const float value = g.scale * to.sum[a][b];
      store(there, g.accumulate ? value + load(*there) : value);
    }
}

// The tile of a gradient that a block makes, and the rows that it is a sum over.
struct GradientTile {
  i64 expert, within, first, rows;

  LN_DEVICE GradientTile(const ExpertGradientArguments& g, i64 slot, i64 height) {
    const i64 tiles = (g.P + height - 1) / height;
    expert = slot / tiles;
    within = slot % tiles;
    first = g.offsets[expert];
    rows = g.offsets[expert + 1] - first;
  }
};

// Plain, row after row.
template <typename T>
LN_DEVICE void expert_gradient(const ExpertGradientArguments& g) {
  LN_DYNAMIC_SHARED(float, shared);
  const GradientTile tile(g, blockIdx.y, GemmTile::kRows);
  if (tile.rows == 0) return;  // the whole block
  const i64 p0 = tile.within * GemmTile::kRows, q0 = i64(blockIdx.x) * GemmTile::kColumns;
  PlainSums to{shared, shared + GemmTile::kDepth * GemmTile::kStride};
  const T *p = static_cast<const T*>(g.p) + tile.first * g.p_pitch,
          *q = static_cast<const T*>(g.q) + tile.first * g.q_pitch;
  for (i64 r0 = 0; r0 < tile.rows; r0 += GemmTile::kDepth) {
    for (int i = int(threadIdx.x); i < GemmTile::kRows * GemmTile::kDepth;
         i += GemmTile::kThreads) {
      const int c = i % GemmTile::kColumns, k = i / GemmTile::kColumns;
      const i64 r = r0 + k;
      to.tile_a[k * GemmTile::kStride + c] =
          r < tile.rows && p0 + c < g.P ? load(p[r * g.p_pitch + p0 + c]) : 0.0f;
      to.tile_b[k * GemmTile::kStride + c] =
          r < tile.rows && q0 + c < g.Q ? load(q[r * g.q_pitch + q0 + c]) : 0.0f;
    }
    to.add();
  }
  const int tx = int(threadIdx.x) % 16, ty = int(threadIdx.x) / 16;
  for (int a = 0; a < 4; a++)
    for (int b = 0; b < 4; b++) {
      const i64 m = p0 + ty * 4 + a, n = q0 + tx * 4 + b;
      if (m < g.P && n < g.Q) g.d[(tile.expert * g.P + m) * g.Q + n] += to.sum[a][b];
    }
}

// On the tensor cores: p is the left operand as it lies, transposed. Its columns are numbered so
// that this tile is the one that the block would have in a product of all experts.
template <typename Tile, typename T>
LN_DEVICE void expert_tensor_gradient(const ExpertGradientArguments& all) {
  typedef TensorProduct<Tile, T, true, false> Product;
  const i64 slot = TilePlace().row;
  const GradientTile tile(all, slot, Tile::kRows);
  if (tile.rows == 0) return;  // the whole block
  const i64 ahead = (slot - tile.within) * Tile::kRows;
  TensorGemmArguments g{};
  g.a = static_cast<const T*>(all.p) + tile.first * all.p_pitch - ahead;
  g.b = static_cast<const T*>(all.q) + tile.first * all.q_pitch;
  g.c = all.d + (tile.expert * all.P - ahead) * all.Q;
  g.a_stride = all.p_pitch;
  g.b_stride = all.q_pitch;
  g.c_stride = all.Q;
  g.M = ahead + all.P;
  g.N = all.Q;
  g.K = tile.rows;
  g.scale = 1;
  g.accumulate = 1;
  g.c_is_f32 = 1;
  Product::run(g, g.M, Product::view(g.a, g.a_stride, g.M, g.K, true),
               Product::view(g.b, g.b_stride, g.K, g.N, false));
}

template <typename Tile, typename T, bool B_TRANSPOSED>
LN_DEVICE void expert_tensor_gemm(const ExpertArguments& all) {
  typedef TensorProduct<Tile, T, false, B_TRANSPOSED> Product;
  const ExpertProduct<Tile, T> own(all);
  if (own.expert < 0) return;  // the whole block
  const TensorGemmArguments& g = own.g;
  Product::run(g, own.rows, Product::view(g.a, g.a_stride, own.rows, g.K, false),
               Product::view(g.b, g.b_stride, g.K, g.N, B_TRANSPOSED));
}

LN_INSTANCES((RouteTile::kThreads), route_fwd,
             (const T* logits, float* weights, i32* chosen, RouteArguments r),
             route_fwd(logits, weights, chosen, r))
LN_INSTANCES((RouteTile::kThreads), route_bwd,
             (const float* dweights, const T* logits, const float* weights, const i32* chosen,
              T* dlogits, RouteArguments r),
             route_bwd(dweights, logits, weights, chosen, dlogits, r))
LN_KERNEL(route_order)
LN_INSTANCES((256), expert_rows,
             (const T* x, const i32* order, const float* weights, T* y, i64 R, i64 k, i64 C),
             LN_EIGHTS(whole_eights(C, x, y), expert_rows, x, order, weights, y, R, k, C))
LN_INSTANCES((256), combine_rows,
             (const T* x, const i32* place, const float* weights, T* y, i64 M, i64 k, i64 C),
             LN_EIGHTS(whole_eights(C, x, y), combine_rows, x, place, weights, y, M, k, C))
LN_INSTANCES((256), combine_rows_weight,
             (const T* dy, const T* x, const i32* place, float* dweights, i64 M, i64 k, i64 C),
             LN_EIGHTS(whole_eights(C, dy, x), combine_rows_weight, dy, x, place, dweights, M, k,
                       C))
// At least one block at a time: left to itself ptxas aims at four on sm_100, and spills.
LN_INSTANCES((GemmTile::kThreads, 1), expert_gemm, (ExpertArguments g), expert_gemm<T>(g))
LN_INSTANCES_16_BIT((SmallTile::kThreads, SmallTile::kBlocks), expert_gemm_nt, (ExpertArguments g),
                    expert_tensor_gemm<SmallTile, T, true>(g))
LN_INSTANCES_16_BIT((SmallTile::kThreads, SmallTile::kBlocks), expert_gemm_nn, (ExpertArguments g),
                    expert_tensor_gemm<SmallTile, T, false>(g))
LN_INSTANCES((GemmTile::kThreads), expert_gradient, (ExpertGradientArguments g),
             expert_gradient<T>(g))
LN_INSTANCES_16_BIT((SmallTile::kThreads, SmallTile::kBlocks), expert_gradient_tn,
                    (ExpertGradientArguments g), expert_tensor_gradient<SmallTile, T>(g))
