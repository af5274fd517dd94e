// Convolution as an implicit matrix product, plain: no matrix of patches exists in memory.
//
//   y [B OH OW, O] = P w^T,   P [., (ky, kx, i)] the pixels under the kernel, w [O, (ky, kx, i)]
//   dx [B H W, I] = Q v,      Q [., (ky, kx, o)] the outputs that a pixel went into, v [(ky, kx,
//   o), I]
//
// One block of 256 threads for a tile of 64 x 64; both operands pass through shared memory 16 deep,
// each thread holds 4 x 4. Shared memory: 8.5 KB. FLOPs: 2 B OH OW O I kernel^2. Bound by FMA issue
// and by the index arithmetic of the gather: the variant that faster ones are checked against.
#include "conv.h"
#include "gpu.cuh"

// Forward: the pixel under kernel element k of output row m, or 0 outside the image.
template <typename T>
struct Patches {
  const T *image, *w;
  const ConvArguments& c;

  LN_DEVICE i32 rows() const { return c.B * c.OH * c.OW; }
  LN_DEVICE i32 columns() const { return c.O; }
  LN_DEVICE i32 depth() const { return c.kernel * c.kernel * c.I; }
  LN_DEVICE float left(i32 m, i32 k) const {
    i32 i = k % c.I, kx = k / c.I % c.kernel, ky = k / c.I / c.kernel;
    i32 x = m % c.OW * c.stride + kx - c.pad, y = m / c.OW % c.OH * c.stride + ky - c.pad;
    if (x < 0 || x >= c.W || y < 0 || y >= c.H) return 0.0f;
    return load(image[i64((m / c.OW / c.OH * c.H + y) * c.W + x) * c.I + i]);
  }
  LN_DEVICE float right(i32 k, i32 n) const { return load(w[i64(n) * depth() + k]); }
};

// Backward: the output that input row m went into through kernel element k.
template <typename T>
struct Outputs {
  const T *gradient, *w;
  const ConvArguments& c;

  LN_DEVICE i32 rows() const { return c.B * c.H * c.W; }
  LN_DEVICE i32 columns() const { return c.I; }
  LN_DEVICE i32 depth() const { return c.kernel * c.kernel * c.O; }
  LN_DEVICE float left(i32 m, i32 k) const {
    i32 o = k % c.O, kx = k / c.O % c.kernel, ky = k / c.O / c.kernel;
    i32 x = m % c.W + c.pad - kx, y = m / c.W % c.H + c.pad - ky;
    if (x < 0 || y < 0 || x % c.stride || y % c.stride) return 0.0f;
    x /= c.stride;
    y /= c.stride;
    if (x >= c.OW || y >= c.OH) return 0.0f;
    return load(gradient[i64((m / c.W / c.H * c.OH + y) * c.OW + x) * c.O + o]);
  }
  LN_DEVICE float right(i32 k, i32 n) const {
    return load(w[i64(k % c.O * c.kernel * c.kernel + k / c.O) * c.I + n]);
  }
};

template <typename Operands, typename T>
LN_DEVICE void multiply(const Operands& from, const float* bias, T* y) {
  LN_DYNAMIC_SHARED(float, tiles);
  float *tile_a = tiles, *tile_b = tiles + ConvTile::kDepth * ConvTile::kStride;
  const i32 row0 = i32(blockIdx.x) * ConvTile::kRows,
            column0 = i32(blockIdx.y) * ConvTile::kColumns;
  const i32 rows = from.rows(), columns = from.columns(), depth = from.depth();
  const int tx = int(threadIdx.x) % 16, ty = int(threadIdx.x) / 16;
  float sum[4][4] = {};
  for (i32 k0 = 0; k0 < depth; k0 += ConvTile::kDepth) {
    for (int i = int(threadIdx.x); i < ConvTile::kRows * ConvTile::kDepth;
         i += ConvTile::kThreads) {
      int row = i / ConvTile::kDepth, k = i % ConvTile::kDepth;
      bool in_a = row0 + row < rows && k0 + k < depth;
      bool in_b = column0 + row < columns && k0 + k < depth;
      tile_a[k * ConvTile::kStride + row] = in_a ? from.left(row0 + row, k0 + k) : 0.0f;
      tile_b[k * ConvTile::kStride + row] = in_b ? from.right(k0 + k, column0 + row) : 0.0f;
    }
    __syncthreads();
    for (int k = 0; k < ConvTile::kDepth; k++) {
      float a[4], b[4];
      for (int i = 0; i < 4; i++) a[i] = tile_a[k * ConvTile::kStride + ty * 4 + i];
      for (int j = 0; j < 4; j++) b[j] = tile_b[k * ConvTile::kStride + tx * 4 + j];
      for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) sum[i][j] += a[i] * b[j];
    }
    __syncthreads();
  }
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) {
      i32 m = row0 + ty * 4 + i, n = column0 + tx * 4 + j;
      if (m < rows && n < columns)
        store(y + i64(m) * columns + n, bias ? sum[i][j] + bias[n] : sum[i][j]);
    }
}

template <typename T>
LN_DEVICE void conv2d_fwd(const T* x, const T* w, const float* bias, T* y, const ConvArguments& c) {
  multiply(Patches<T>{x, w, c}, bias, y);
}

template <typename T>
LN_DEVICE void conv2d_bwd(const T* dy, const T* w, T* dx, const ConvArguments& c) {
  multiply(Outputs<T>{dy, w, c}, nullptr, dx);
}

LN_INSTANCES((ConvTile::kThreads, 1), conv2d_fwd,
             (const T* x, const T* w, const float* bias, T* y, ConvArguments c),
             conv2d_fwd(x, w, bias, y, c))
LN_INSTANCES((ConvTile::kThreads, 1), conv2d_bwd, (const T* dy, const T* w, T* dx, ConvArguments c),
             conv2d_bwd(dy, w, dx, c))
