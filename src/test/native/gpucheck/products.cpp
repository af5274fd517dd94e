// The CPU's products without oneDNN, whose library is larger than all else that gpu-check carries:
// loops that the compiler vectorizes, in the places of cpu/gemm.cpp, conv.cpp and tiles.cpp.
#include "cpu/products.h"

#include <string.h>

#include <list>
#include <vector>

#include "common/types.h"
#include "lora_ops.h"

namespace ln {

struct OneDnn {
  int threads;
  std::list<TileProduct> tiles;
};

struct TileProduct {
  Tile tile;
};

namespace {

float read(const void* x, int64_t i, int32_t dtype) {
  if (dtype != LN_BF16) return static_cast<const float*>(x)[i];
  unsigned bits = unsigned(static_cast<const unsigned short*>(x)[i]) << 16;
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

void write(void* x, int64_t i, int32_t dtype, float value) {
  if (dtype != LN_BF16) {
    static_cast<float*>(x)[i] = value;
    return;
  }
  unsigned bits;
  memcpy(&bits, &value, 4);
  bits += 0x7fff + (bits >> 16 & 1);
  static_cast<unsigned short*>(x)[i] = (unsigned short)(bits >> 16);
}

// A matrix as rows of f32.
std::vector<float> rows_of(const void* x, int64_t rows, int64_t columns, bool transposed,
                           int64_t pitch, int32_t dtype, bool parallel) {
  std::vector<float> y(size_t(rows * columns));
#pragma omp parallel for if (parallel)
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < columns; j++)
      y[size_t(i * columns + j)] = read(x, transposed ? j * pitch + i : i * pitch + j, dtype);
  return y;
}

constexpr int64_t kRows = 4, kColumns = 64, kDepth = 256;

// sums [M, N] += a [M, K] b [K, N], of which `lda`, `ldb` are the pitches: a few rows of a stay in
// registers against a strip of b.
void multiply(const float* a, int64_t lda, const float* b, int64_t ldb, float* sums, int64_t M,
              int64_t N, int64_t K) {
  for (int64_t k0 = 0; k0 < K; k0 += kDepth)
    for (int64_t n0 = 0; n0 < N; n0 += kColumns)
      for (int64_t m0 = 0; m0 < M; m0 += kRows) {
        int64_t kn = k0 + kDepth < K ? k0 + kDepth : K, m1 = m0 + kRows < M ? m0 + kRows : M;
        int64_t width = n0 + kColumns < N ? kColumns : N - n0;
        if (width == kColumns && m1 - m0 == kRows) {
          float c[kRows][kColumns];
          for (int64_t m = 0; m < kRows; m++) memcpy(c[m], sums + (m0 + m) * N + n0, sizeof c[m]);
          for (int64_t k = k0; k < kn; k++)
            for (int64_t m = 0; m < kRows; m++) {
              float x = a[(m0 + m) * lda + k];
#pragma omp simd
              for (int64_t n = 0; n < kColumns; n++) c[m][n] += x * b[k * ldb + n0 + n];
            }
          for (int64_t m = 0; m < kRows; m++) memcpy(sums + (m0 + m) * N + n0, c[m], sizeof c[m]);
        } else {
          for (int64_t m = m0; m < m1; m++)
            for (int64_t k = k0; k < kn; k++) {
              float x = a[m * lda + k];
              for (int64_t n = n0; n < n0 + width; n++) sums[m * N + n] += x * b[k * ldb + n];
            }
        }
      }
}

}  // namespace

OneDnn* onednn_open(int threads) { return new OneDnn{threads, {}}; }
void onednn_close(OneDnn* dnn) { delete dnn; }
int64_t onednn_scratch_bytes(const OneDnn*) { return 0; }

int onednn_gemm(Device* device, const Gemm& g) {
  if (g.M == 0 || g.N == 0) return LN_OK;
  if (g.rank) {
    LN_TRY(onednn_gemm(device, g.without_low_rank()));
    return onednn_gemm(device, g.low_rank_alone());
  }
  if (is_blocks(g.b.dtype)) return block_gemm(device, g);
  std::vector<float> a = rows_of(ptr<void>(g.a.address), g.M, g.K, g.a.transposed,
                                 g.a.pitch(g.M, g.K), g.a.dtype, true);
  std::vector<float> b = rows_of(ptr<void>(g.b.address), g.K, g.N, g.b.transposed,
                                 g.b.pitch(g.K, g.N), g.b.dtype, true);
  constexpr int64_t kPart = 32;
  int64_t pitch = g.c.pitch(g.M, g.N), wide = (g.N + 511) / 512;
#pragma omp parallel for collapse(2) schedule(dynamic)
  for (int64_t m0 = 0; m0 < g.M; m0 += kPart)
    for (int64_t part = 0; part < wide; part++) {
      int64_t rows = m0 + kPart < g.M ? kPart : g.M - m0;
      int64_t n0 = part * 512, columns = n0 + 512 < g.N ? 512 : g.N - n0;
      std::vector<float> sums(size_t(rows * columns));
      multiply(a.data() + m0 * g.K, g.K, b.data() + n0, g.N, sums.data(), rows, columns, g.K);
      for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
          float y = sums[size_t(i * columns + j)];
          y *= g.scale;
          if (g.bias) y += ptr<float>(g.bias)[n0 + j];
          int64_t at = (m0 + i) * pitch + n0 + j;
          if (g.accumulate) y += read(ptr<void>(g.c.address), at, g.c.dtype);
          write(ptr<void>(g.c.address), at, g.c.dtype, y);
        }
    }
  return LN_OK;
}

// The whole matrix at once.
int block_gemm(Device* device, const Gemm& g) {
  int64_t rows = g.b.transposed ? g.N : g.K, columns = g.b.transposed ? g.K : g.N;
  std::vector<float> plain(size_t(rows * columns));
  LN_TRY(device->ops->ln_dequantize_fwd(reinterpret_cast<int64_t>(device), g.b.address, g.b.dtype,
                                        reinterpret_cast<int64_t>(plain.data()), LN_F32, 0, rows,
                                        columns, columns));
  Gemm part = g;
  part.b = {reinterpret_cast<int64_t>(plain.data()), LN_F32, g.b.transposed};
  return onednn_gemm(device, part);
}

bool Conv::operator==(const Conv&) const { return false; }

// A row of pixels at a time: patches [width, taps in] times weights [taps in, out].
int onednn_conv(Device*, const Conv& c, int64_t from, int64_t w, int64_t bias, int64_t to) {
  int64_t in = c.backward ? c.O : c.I, out = c.backward ? c.I : c.O;
  int64_t height = c.backward ? c.H : c.OH, width = c.backward ? c.W : c.OW;
  int64_t from_height = c.backward ? c.OH : c.H, from_width = c.backward ? c.OW : c.W;
  int64_t taps = c.kernel * c.kernel, depth = taps * in;
  std::vector<float> x =
      rows_of(ptr<void>(from), c.B * from_height * from_width, in, false, in, c.dtype, true);
  std::vector<float> weights(size_t(depth * out));
  for (int64_t o = 0; o < c.O; o++)
    for (int64_t t = 0; t < taps; t++)
      for (int64_t i = 0; i < c.I; i++)
        weights[size_t((t * in + (c.backward ? o : i)) * out + (c.backward ? i : o))] =
            read(ptr<void>(w), (o * taps + t) * c.I + i, c.dtype);
  // Where output pixel `at` reads through tap `t`, if anywhere.
  auto source = [&c](int64_t at, int64_t t, int64_t limit) -> int64_t {
    int64_t p = c.backward ? at + c.pad - t : at * c.stride + t - c.pad;
    if (c.backward && p % c.stride) return -1;
    if (c.backward) p /= c.stride;
    return p < limit ? p : -1;
  };
#pragma omp parallel for collapse(2) schedule(dynamic)
  for (int64_t image = 0; image < c.B; image++)
    for (int64_t row = 0; row < height; row++) {
      std::vector<float> patches(size_t(width * depth)), sums(size_t(width * out));
      for (int64_t t = 0; t < taps; t++) {
        int64_t y = source(row, t / c.kernel, from_height);
        for (int64_t column = 0; y >= 0 && column < width; column++) {
          int64_t z = source(column, t % c.kernel, from_width);
          if (z >= 0)
            memcpy(&patches[size_t(column * depth + t * in)],
                   &x[size_t(((image * from_height + y) * from_width + z) * in)], size_t(in) * 4);
        }
      }
      multiply(patches.data(), depth, weights.data(), out, sums.data(), width, out, depth);
      for (int64_t i = 0; i < width * out; i++)
        write(ptr<void>(to), (image * height + row) * width * out + i, c.dtype,
              sums[size_t(i)] + (c.bias ? ptr<float>(bias)[i % out] : 0));
    }
  return LN_OK;
}

bool Tile::operator==(const Tile& t) const {
  return M == t.M && N == t.N && K == t.K && a_transposed == t.a_transposed &&
         b_transposed == t.b_transposed && a_stride == t.a_stride && b_stride == t.b_stride &&
         c_stride == t.c_stride && dtype == t.dtype && packed == t.packed &&
         accumulate == t.accumulate;
}

const TileProduct* tile_product(Device* device, const Tile& tile) {
  std::list<TileProduct>& made = device->onednn->tiles;
  for (const TileProduct& p : made)
    if (p.tile == tile) return &p;
  made.push_back({tile});
  return &made.back();
}

int64_t tile_packed_bytes(const TileProduct* p) { return p->tile.K * p->tile.N * 4; }
int64_t tile_scratch_bytes(const TileProduct*) { return 16; }

int tile_pack(const TileProduct* p, const void* b, void* packed) {
  const Tile& t = p->tile;
  std::vector<float> rows = rows_of(b, t.K, t.N, t.b_transposed, t.b_stride, t.dtype, false);
  memcpy(packed, rows.data(), rows.size() * 4);
  return LN_OK;
}

int tile_run(const TileProduct* p, const void* a, const void* b, float* c, void*) {
  const Tile& t = p->tile;
  std::vector<float> x = rows_of(a, t.M, t.K, t.a_transposed, t.a_stride, t.dtype, false), w;
  if (!t.packed) w = rows_of(b, t.K, t.N, t.b_transposed, t.b_stride, t.dtype, false);
  std::vector<float> sums(size_t(t.M * t.N));
  multiply(x.data(), t.K, t.packed ? static_cast<const float*>(b) : w.data(), t.N, sums.data(), t.M,
           t.N, t.K);
  for (int64_t i = 0; i < t.M; i++)
    for (int64_t j = 0; j < t.N; j++) {
      float* y = c + i * t.c_stride + j;
      *y = sums[size_t(i * t.N + j)] + (t.accumulate ? *y : 0);
    }
  return LN_OK;
}

}  // namespace ln
