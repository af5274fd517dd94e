// A language model's head whose product begins the softmax, in 16 bits.
//
//   z = cap(h W^T);  a group's (most, sum): most = max z, sum = sum exp(z - most), over its columns
//   C = exp(z - most) cap'(z)                                    Milakov and Gimelshein 2018
//
// A number of C is the gradient's softmax term but for a factor that head_loss (cross_entropy.cu)
// knows for each group, so it is off by no more than its own rounding, 2^-9 in bf16, whatever the
// logit's size. A logit of 20 kept in bf16 would be off by 0.06, and its probability by 6 %. In f16
// numbers below 6e-8 are lost, as their gradients would be. The slope comes from z itself, 1 -
// (z / cap)^2: its digits are there until a logit is five times the cap.
//
// Tiles and main loops are those of tensor_gemm.cu (large) and hopper.cu (broad), one of each
// whatever the shape: a vocabulary fills a card. A row's group is what a warp has of it, 64 columns
// (Hopper: 256), found by 4 lanes from the sums in registers; K is never split. Bytes: the
// operands, and 2.13 (2.03) written a logit where f32 would be 4; for evaluation, which has no use
// for C, 0.13 (0.03). FLOPs: 2 M V C, and an exponential a logit.
#include "head_gemm.h"
#include "warpgroup_loop.cuh"

template <typename T>
struct HeadEpilogue {
  const TensorGemmArguments& g;
  const HeadArguments& h;

  template <int MT, int NT>
  LN_DEVICE void write(const float (&sum)[MT][NT][4], i64 m0, i64 n0, i64 rows, i64) const {
    if (n0 >= g.N) return;  // the whole warp
    const i32 lane = i32(threadIdx.x % 32), n = lane % 4 * 2;
    const i32 columns = g.N - n0 < NT * 8 ? i32(g.N - n0) : NT * 8;
#pragma unroll
    for (int i = 0; i < MT; i++)
#pragma unroll
      for (int half = 0; half < 2; half++) {
        const i64 m = m0 + i * 16 + lane / 4 + half * 8;
        float z[NT * 2];
#pragma unroll
        for (int j = 0; j < NT * 2; j++) z[j] = sum[i][j / 2][half * 2 + j % 2];
        const bool wanted = m < rows;  // all lanes stay: they share rows
        if (h.softcap > 0)
          row<true>(z, m, n0, n, columns, wanted);
        else
          row<false>(z, m, n0, n, columns, wanted);
      }
  }

  // A lane's numbers of a row, those of columns n, n + 1, n + 8, n + 9 and so on from n0 on.
  template <bool CAPPED, int COUNT>
  LN_DEVICE void row(float (&z)[COUNT], i64 m, i64 n0, i32 n, i32 columns, bool wanted) const {
    constexpr float kLog2E = 1.4426950408889634f;
    const float of_cap = CAPPED ? 1.0f / h.softcap : 0.0f;
    if (CAPPED)
#pragma unroll
      for (int j = 0; j < COUNT; j++) z[j] = h.softcap * tanhf(z[j] * of_cap);
    if (columns < COUNT * 4)  // the vocabulary ends here
#pragma unroll
      for (int j = 0; j < COUNT; j++)
        if (n + j / 2 * 8 + j % 2 >= columns) z[j] = negative_infinity();
    float most = negative_infinity();
#pragma unroll
    for (int j = 0; j < COUNT; j++) most = fmaxf(most, z[j]);
    most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 1));
    most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 2));

    if (wanted) {
      const i64 label = i64(h.labels[h.rows[g.row_offset + m]]) - h.column0 - n0 - n;
      if (label >= 0 && label < columns)
#pragma unroll
        for (int j = 0; j < COUNT; j++)
          if (label == j / 2 * 8 + j % 2) h.at_label[m] = z[j];
    }

    float total = 0;
#pragma unroll
    for (int j = 0; j < COUNT; j++) {
      const float t = z[j] * of_cap, e = exp2_approximate((z[j] - most) * kLog2E);
      total += e;
      z[j] = CAPPED ? e * (1.0f - t) * (1.0f + t) : e;
    }
    total += __shfl_xor_sync(0xffffffffu, total, 1);
    total += __shfl_xor_sync(0xffffffffu, total, 2);
    if (!wanted) return;
    if (n == 0) h.groups[m * h.group_pitch + n0 / (COUNT * 4)] = {most, total};
    if (!g.c) return;
    u32* to = reinterpret_cast<u32*>(static_cast<T*>(g.c) + m * g.c_stride + n0 + n);
#pragma unroll
    for (int j = 0; j < COUNT; j += 2)
      if (n + j * 4 < columns) to[j * 2] = pack<T>(z[j], z[j + 1]);
  }
};

template <typename T>
LN_DEVICE void head_gemm(const TensorGemmArguments& g, const HeadArguments& h) {
  typedef TensorProduct<HeadTile, T, false, true> Product;
  const i64 rows = rows_of(g);
  Product::run(g, rows, Product::view(g.a, g.a_stride, rows, g.K, false),
               Product::view(g.b, g.b_stride, g.K, g.N, true), TilePlace(), HeadEpilogue<T>{g, h});
}

LN_INSTANCES_16_BIT((HeadTile::kThreads, HeadTile::kBlocks), head_gemm,
                    (TensorGemmArguments g, HeadArguments h), head_gemm<T>(g, h))

#ifdef LN_WARPGROUPS
LN_INSTANCES_16_BIT((HopperHeadTile::kThreads, HopperHeadTile::kBlocks), hopper_head_gemm,
                    (const LN_CONSTANT MappedGemmArguments g, HeadArguments h),
                    (WarpgroupProduct<HopperHeadTile, T, true>::template run_mapped<
                        MatrixOperands<HopperHeadTile, true>>(g, rows_of(g.g),
                                                              HeadEpilogue<T>{g.g, h})))
#endif
