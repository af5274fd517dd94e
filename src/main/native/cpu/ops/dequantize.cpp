// Values of ggml's block formats, NF4, floats of 8 bits and plain floats, to f32, bf16 or f16.
// Formats: ggml's ggml-common.h (block_q4_0 ... block_q6_K), as GGUF files store them.
// A block is 32 elements with one f16 scale d (and f16 minimum m), or for the K types 256 elements
// in sub-blocks with 6-bit (8-bit in Q6_K) scales of their own. Bound by memory.
#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {
namespace {

inline float half_at(const uint8_t* p) {
  f16 h;
  memcpy(&h, p, 2);
  return load(h);
}

template <int ELEMENTS, int BYTES>
struct Block {
  static constexpr int kElements = ELEMENTS, kBytes = BYTES;
};

struct F32 : Block<1, 4> {
  static void decode(const uint8_t* b, float* y) { memcpy(y, b, 4); }
};
struct F16 : Block<1, 2> {
  static void decode(const uint8_t* b, float* y) { *y = half_at(b); }
};
struct BF16 : Block<1, 2> {
  static void decode(const uint8_t* b, float* y) {
    bf16 x;
    memcpy(&x, b, 2);
    *y = load(x);
  }
};
inline float from_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}
// Eight bits (Micikevicius et al. 2022): E5M2 is the upper half of an f16; E4M3 has no infinities,
// an exponent that is 120 less than an f32's, and under 2^-6 eighths of that, which are made
// without subnormal f32, since these are slow.
struct E5M2 : Block<1, 1> {
  static void decode(const uint8_t* b, float* y) {
    uint8_t bytes[2] = {0, b[0]};
    *y = half_at(bytes);
  }
};
struct E4M3 : Block<1, 1> {
  static void decode(const uint8_t* b, float* y) {
    const uint32_t magnitude = b[0] & 0x7fu, sign = uint32_t(b[0] & 0x80) << 24;
    const float normal = from_bits((magnitude << 20) + (120u << 23));
    const float subnormal = from_bits((magnitude << 20) + (121u << 23)) - 0x1p-6f;
    float x = magnitude < 8 ? subnormal : normal;
    uint32_t bits;
    memcpy(&bits, &x, 4);
    *y = from_bits((magnitude == 0x7f ? 0x7fc00000u : bits) | sign);
  }
};
// See LN_FP8.
struct FP8 : Block<128, 132> {
  static void decode(const uint8_t* b, float* y) {
    float scale;
    memcpy(&scale, b, 4);
    for (int i = 0; i < 128; i++) {
      E4M3::decode(b + 4 + i, y + i);
      y[i] *= scale;
    }
  }
};
struct Q8_0 : Block<32, 34> {
  static void decode(const uint8_t* b, float* y) {
    float d = half_at(b);
    for (int i = 0; i < 32; i++) y[i] = d * float(int8_t(b[2 + i]));
  }
};
struct Q4_0 : Block<32, 18> {
  static void decode(const uint8_t* b, float* y) {
    float d = half_at(b);
    for (int i = 0; i < 16; i++) {
      y[i] = d * float((b[2 + i] & 15) - 8);
      y[i + 16] = d * float((b[2 + i] >> 4) - 8);
    }
  }
};
struct Q4_1 : Block<32, 20> {
  static void decode(const uint8_t* b, float* y) {
    float d = half_at(b), m = half_at(b + 2);
    for (int i = 0; i < 16; i++) {
      y[i] = d * float(b[4 + i] & 15) + m;
      y[i + 16] = d * float(b[4 + i] >> 4) + m;
    }
  }
};
// The fifth bits of all 32 elements stand in one word.
struct Q5_0 : Block<32, 22> {
  static void decode(const uint8_t* b, float* y) {
    float d = half_at(b);
    uint32_t high;
    memcpy(&high, b + 2, 4);
    for (int i = 0; i < 16; i++) {
      y[i] = d * float(int((b[6 + i] & 15) | ((high >> i & 1) << 4)) - 16);
      y[i + 16] = d * float(int((b[6 + i] >> 4) | ((high >> (i + 16) & 1) << 4)) - 16);
    }
  }
};
struct Q5_1 : Block<32, 24> {
  static void decode(const uint8_t* b, float* y) {
    float d = half_at(b), m = half_at(b + 2);
    uint32_t high;
    memcpy(&high, b + 4, 4);
    for (int i = 0; i < 16; i++) {
      y[i] = d * float((b[8 + i] & 15) | ((high >> i & 1) << 4)) + m;
      y[i + 16] = d * float((b[8 + i] >> 4) | ((high >> (i + 16) & 1) << 4)) + m;
    }
  }
};

// Eight 6-bit scales and eight 6-bit minima in 12 bytes.
inline void scale_and_minimum(const uint8_t* s, int j, float* scale, float* minimum) {
  if (j < 4) {
    *scale = float(s[j] & 63);
    *minimum = float(s[j + 4] & 63);
  } else {
    *scale = float((s[j + 4] & 15) | (s[j - 4] >> 6) << 4);
    *minimum = float((s[j + 4] >> 4) | (s[j] >> 6) << 4);
  }
}
struct Q4_K : Block<256, 144> {
  static void decode(const uint8_t* b, float* y) {
    float d = half_at(b), dmin = half_at(b + 2);
    const uint8_t* q = b + 16;
    for (int j = 0; j < 8; j++) {
      float scale, minimum;
      scale_and_minimum(b + 4, j, &scale, &minimum);
      const uint8_t* low = q + j / 2 * 32;
      for (int i = 0; i < 32; i++)
        y[j * 32 + i] = d * scale * float(j % 2 ? low[i] >> 4 : low[i] & 15) - dmin * minimum;
    }
  }
};
struct Q5_K : Block<256, 176> {
  static void decode(const uint8_t* b, float* y) {
    float d = half_at(b), dmin = half_at(b + 2);
    const uint8_t *high = b + 16, *q = b + 48;
    for (int j = 0; j < 8; j++) {
      float scale, minimum;
      scale_and_minimum(b + 4, j, &scale, &minimum);
      const uint8_t* low = q + j / 2 * 32;
      for (int i = 0; i < 32; i++) {
        int nibble = j % 2 ? low[i] >> 4 : low[i] & 15;
        y[j * 32 + i] = d * scale * float(nibble | (high[i] >> j & 1) << 4) - dmin * minimum;
      }
    }
  }
};
struct Q6_K : Block<256, 210> {
  static void decode(const uint8_t* b, float* y) {
    float d = half_at(b + 208);
    for (int n = 0; n < 2; n++) {
      const uint8_t *low = b + n * 64, *high = b + 128 + n * 32;
      const int8_t* scales = reinterpret_cast<const int8_t*>(b + 192 + n * 8);
      for (int i = 0; i < 32; i++)
        for (int part = 0; part < 4; part++) {
          int nibble = part < 2 ? low[i + 32 * part] & 15 : low[i + 32 * (part - 2)] >> 4;
          int q = (nibble | (high[i] >> (2 * part) & 3) << 4) - 32;
          y[n * 128 + part * 32 + i] = d * float(scales[i / 16 + 2 * part]) * float(q);
        }
    }
  }
};

// Floats of 4 bits (E2M1) with a power of two for each 32 (OCP Microscaling Formats).
struct MXFP4 : Block<32, 17> {
  static void decode(const uint8_t* b, float* y) {
    const int8_t doubles[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
    const float half = from_bits(b[0] < 2 ? 0x200000u << b[0] : uint32_t(b[0] - 1) << 23);
    for (int i = 0; i < 16; i++) {
      y[i] = half * float(doubles[b[1 + i] & 15]);
      y[i + 16] = half * float(doubles[b[1 + i] >> 4]);
    }
  }
};

// See LN_NF4. The matrix is one block to its format; here a block is what shares a scale.
struct NF4 : Block<64, 0> {
  static void decode(const uint8_t* matrix, int64_t block, float* y) {
    const float* code = reinterpret_cast<const float*>(matrix);
    const float *scale_code = code + 16, *offset = scale_code + 256;
    int64_t n;
    memcpy(&n, matrix + 1096, 8);
    const uint8_t *bits = matrix + LN_NF4_HEADER_BYTES, *indices = bits + n / 2;
    const float* factors = reinterpret_cast<const float*>(indices + (n / 64 + 3) / 4 * 4);
    float scale = scale_code[indices[block]] * factors[block / 256] + *offset;
    for (int i = 0; i < 32; i++) {
      uint8_t pair = bits[block * 32 + i];
      y[2 * i] = code[pair >> 4] * scale;
      y[2 * i + 1] = code[pair & 15] * scale;
    }
  }
};

// What to read of a matrix: see ln_dequantize_fwd.
struct Part {
  int64_t first, rows, columns, pitch;
};

template <typename B>
void decode_block(const uint8_t* src, int64_t i, float* y, B) {
  B::decode(src + i * B::kBytes, y);
}
inline void decode_block(const uint8_t* src, int64_t i, float* y, NF4) { NF4::decode(src, i, y); }

template <typename B, typename T>
void blocks(const Device* device, const uint8_t* src, T* dst, const Part& part) {
  // Plain floats are blocks of one; take them by the hundreds so that a task is worth starting.
  constexpr int kBatch = B::kElements == 1 ? 256 : 1;
  int64_t count = part.columns / B::kElements, batches = (count + kBatch - 1) / kBatch;
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t batch = 0; batch < part.rows * batches; batch++) {
    int64_t row = batch / batches, from = batch % batches * kBatch;
    int64_t end = lo(from + kBatch, count), first = (part.first + row * part.pitch) / B::kElements;
    for (int64_t i = from; i < end; i++) {
      float values[B::kElements];
      decode_block(src, first + i, values, B());
      T* to = dst + row * part.columns + i * B::kElements;
      for (int j = 0; j < B::kElements; j++) store(to + j, values[j]);
    }
  }
}

template <typename T>
int decode(const Device* device, const uint8_t* src, int32_t dtype, T* dst, const Part& part) {
  switch (dtype) {
    case LN_F32:
      return blocks<F32>(device, src, dst, part), LN_OK;
    case LN_F16:
      return blocks<F16>(device, src, dst, part), LN_OK;
    case LN_BF16:
      return blocks<BF16>(device, src, dst, part), LN_OK;
    case LN_Q8_0:
      return blocks<Q8_0>(device, src, dst, part), LN_OK;
    case LN_Q4_0:
      return blocks<Q4_0>(device, src, dst, part), LN_OK;
    case LN_Q4_1:
      return blocks<Q4_1>(device, src, dst, part), LN_OK;
    case LN_Q5_0:
      return blocks<Q5_0>(device, src, dst, part), LN_OK;
    case LN_Q5_1:
      return blocks<Q5_1>(device, src, dst, part), LN_OK;
    case LN_Q4_K:
      return blocks<Q4_K>(device, src, dst, part), LN_OK;
    case LN_Q5_K:
      return blocks<Q5_K>(device, src, dst, part), LN_OK;
    case LN_Q6_K:
      return blocks<Q6_K>(device, src, dst, part), LN_OK;
    case LN_NF4:
      return blocks<NF4>(device, src, dst, part), LN_OK;
    case LN_MXFP4:
      return blocks<MXFP4>(device, src, dst, part), LN_OK;
    case LN_FP8:
      return blocks<FP8>(device, src, dst, part), LN_OK;
    case LN_F8_E4M3:
      return blocks<E4M3>(device, src, dst, part), LN_OK;
    case LN_F8_E5M2:
      return blocks<E5M2>(device, src, dst, part), LN_OK;
    default:
      return fail(LN_UNSUPPORTED, "dtype code %d cannot be dequantized", dtype);
  }
}

}  // namespace

int ln_dequantize_fwd(int64_t handle, int64_t src, int32_t src_dtype, int64_t dst,
                      int32_t dst_dtype, int64_t first, int64_t rows, int64_t columns,
                      int64_t pitch) {
  const Part part{first, rows, columns, pitch};
  const Device* device = of(handle);
  const uint8_t* from = ptr<uint8_t>(src);
  switch (dst_dtype) {
    case LN_F32:
      return decode(device, from, src_dtype, ptr<float>(dst), part);
    case LN_BF16:
      return decode(device, from, src_dtype, ptr<bf16>(dst), part);
    case LN_F16:
      return decode(device, from, src_dtype, ptr<f16>(dst), part);
    default:
      return fail(LN_UNSUPPORTED, "dtype code %d is not a destination", dst_dtype);
  }
}

int ln_dequantize_matrix_fwd(int64_t device, int64_t w, int64_t y, int64_t rows, int64_t columns,
                             int32_t w_dtype, int32_t dtype) {
  return ln_dequantize_fwd(device, w, w_dtype, y, dtype, 0, rows, columns, columns);
}

// Tiles of a megabyte stay in the cache.
int ln_linear_shares(int64_t, int64_t, int64_t, int64_t, int32_t, int32_t) { return 0; }

}  // namespace LN_ISA
}  // namespace ln
