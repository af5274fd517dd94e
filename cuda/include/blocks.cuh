// Frozen weights in blocks of 4 to 8 bits, as ggml, bitsandbytes and FP8 checkpoints store them: 16
// neighbours at a time into registers, from there as numbers into a tile of shared memory. No
// 16-bit copy of the matrix ever exists in device memory.
//
// Formats: ggml-common.h (block_q8_0 ... block_q6_K); for NF4 and FP8 the layouts of lora_ops.h. A
// number is scale q + offset, in NF4 code[q] scale, in MXFP4 and FP8 scale times a float. Loads are
// issued a stage before their numbers are needed, and taken apart after the products between;
// blocks of 18, 22, 34 and 210 bytes are read two bytes at a time, since nothing more is aligned.
#pragma once
#include "gpu.cuh"
#include "tile.cuh"

// What an NF4 matrix of n numbers begins with. Behind it: n / 2 bytes of numbers, the first of a
// pair in the high bits; n / 64 scales as indices of scale_code, in f32 for 256 of them a factor.
struct Nf4Header {
  float code[16], scale_code[256], scale_offset;
  u32 reserved;
  i64 n;
};
static_assert(sizeof(Nf4Header) == 1104, "numbers begin at a multiple of 16");

typedef unsigned char u8;
typedef unsigned short u16;

// A matrix [rows, columns] in blocks; columns are whole blocks. `first` is its first number where
// it is one of several that lie as one.
struct BlockView {
  const u8* data;
  i64 rows, columns;
  i32 format;
  i64 first = 0;
};

// The same with the 16 values of NF4 at hand, `code_stride` apart.
struct CodedBlocks {
  BlockView blocks;
  const float* code;
  int code_stride;

  LN_DEVICE bool has(i64 row, i64 column) const {
    return row < blocks.rows && column < blocks.columns;
  }
};

// 16 neighbours of a row: first the bits, then the numbers.
struct BlockGroup {
  u32 low[4], high[4];  // nibbles (bytes in Q8_0 and FP8), and the bits above them
  u32 scales[4];        // what scale and offset are made of

  LN_DEVICE static u32 two_bytes(const u8* p) { return *reinterpret_cast<const u16*>(p); }
  LN_DEVICE static u32 four_bytes(const u8* p) { return two_bytes(p) | two_bytes(p + 2) << 16; }
  LN_DEVICE static u32 word(const u8* p) { return *reinterpret_cast<const u32*>(p); }
  LN_DEVICE static float half(u32 bits) { return widen(gpu_f16{u16(bits)}); }

  LN_DEVICE static void read_16(u32 (&to)[4], const u8* p, bool words) {
#pragma unroll
    for (int i = 0; i < 4; i++) to[i] = words ? word(p + i * 4) : four_bytes(p + i * 4);
  }

  // Twice the float of 4 bits (E2M1) in the low bits of q.
  LN_DEVICE static float twice_e2m1(u32 q) {
    const u32 exponent = q >> 1 & 3u, fraction = q & 1u;
    const i32 twice = i32(exponent ? (2 + fraction) << (exponent - 1) : fraction);
    return float(q & 8u ? -twice : twice);
  }

  // Two floats of 8 bits (E4M3), in bytes 0 and 2, as halves that are 2^-8 of them; cards
  // before 8.9 have no instruction for it. All ones are NaN, in a half too once the carry is a bit
  // of it.
  LN_DEVICE static u32 e4m3_halves(u32 pair) {
    const u32 magnitude = pair & 0x007f007fu, carry = (magnitude + 0x00010001u) & 0x00800080u;
    return (pair & 0x00800080u) << 8 | (magnitude | carry) << 7;
  }

  // Bits of the group that begins at number `in_matrix` of the matrix, a multiple of 16.
  LN_DEVICE void load(const BlockView& from, i64 in_matrix) {
    const i64 at = from.first + in_matrix, group = at / 16;
    if (from.format >= kQ4_K && from.format <= kQ6_K)
      return load_k(from, group / 16, i32(group % 16));
    if (from.format == kNf4) return load_nf4(from.data, at);
    if (from.format == kFp8) {
      const u8* p = from.data + group / 8 * 132;
      read_16(low, p + 4 + group % 8 * 16, true);
      scales[0] = word(p);
      return;
    }
    const i64 block = group / 2;
    const i32 second = i32(group % 2);
    switch (from.format) {
      case kQ8_0: {
        const u8* p = from.data + block * 34;
        read_16(low, p + 2 + second * 16, false);
        scales[0] = two_bytes(p);
        break;
      }
      case kQ4_0: {
        const u8* p = from.data + block * 18;
        read_16(low, p + 2, false);
        scales[0] = two_bytes(p);
        break;
      }
      case kQ4_1: {
        const u8* p = from.data + block * 20;
        read_16(low, p + 4, true);
        scales[0] = word(p);
        break;
      }
      case kQ5_0: {
        const u8* p = from.data + block * 22;
        read_16(low, p + 6, false);
        scales[0] = two_bytes(p);
        high[0] = four_bytes(p + 2) >> second * 16;
        break;
      }
      case kMxfp4: {
        const u8* p = from.data + block * 17;
#pragma unroll
        for (int i = 0; i < 4; i++)
          low[i] = p[1 + i * 4] | p[2 + i * 4] << 8 | p[3 + i * 4] << 16 | u32(p[4 + i * 4]) << 24;
        scales[0] = p[0];
        break;
      }
      default: {
        const u8* p = from.data + block * 24;
        read_16(low, p + 8, true);
        scales[0] = word(p);
        high[0] = word(p + 4) >> second * 16;
      }
    }
  }

  // The K types: 256 numbers in 16 groups, with scales of 6 bits (8 in Q6_K) for each 32 (16).
  LN_DEVICE void load_k(const BlockView& from, i64 block, i32 group) {
    const i32 pair = group / 2, first = group % 2 * 16;
    if (from.format == kQ6_K) {
      const u8* p = from.data + block * 210;
      const i32 n = group / 8, part = group % 8 / 2;
      read_16(low, p + n * 64 + part % 2 * 32 + first, false);
      read_16(high, p + 128 + n * 32 + first, false);
      scales[0] = two_bytes(p + 208);
      scales[1] = p[192 + n * 8 + group % 2 + 2 * part];
      return;
    }
    const u8* p = from.data + block * (from.format == kQ4_K ? 144 : 176);
#pragma unroll
    for (int i = 0; i < 4; i++) scales[i] = word(p + i * 4);
    if (from.format == kQ5_K) read_16(high, p + 16 + first, true);
    read_16(low, p + (from.format == kQ4_K ? 16 : 48) + pair / 2 * 32 + first, true);
  }

  LN_DEVICE void load_nf4(const u8* data, i64 at) {
    const i64 n = reinterpret_cast<const Nf4Header*>(data)->n;
    const u8* numbers = data + sizeof(Nf4Header);
    const u8* codes = numbers + n / 2;
    low[0] = word(numbers + at / 2);
    low[1] = word(numbers + at / 2 + 4);
    scales[0] = codes[at / 64];
    scales[1] = word(codes + n / 64 + (4 - n / 64 % 4) % 4 + at / 16384 * 4);
  }

  // Eight 6-bit scales and eight minima in the 12 bytes of scales[1..3].
  LN_DEVICE void scale_and_minimum(i32 j, float* scale, float* minimum) const {
    const u32 shift = u32(j % 4) * 8, a = scales[1] >> shift, b = scales[2] >> shift,
              c = scales[3] >> shift;
    *scale = float(j < 4 ? a & 63u : (c & 15u) | (a >> 6 & 3u) << 4);
    *minimum = float(j < 4 ? b & 63u : (c >> 4 & 15u) | (b >> 6 & 3u) << 4);
  }

  // The numbers of the bits that load(coded.blocks, at) read; matrices begin at whole blocks.
  LN_DEVICE void numbers(float (&x)[16], const CodedBlocks& coded, i64 at) const {
    const BlockView& from = coded.blocks;
    const i32 group = i32(at / 16 % 16), pair = group / 2;
    float scale = half(scales[0] & 0xffffu), offset = 0;
    u32 shift = u32(group % 2) * 4, high_shift = 0, high_mask = 0;
    switch (from.format) {
      case kNf4: {
        const Nf4Header* header = reinterpret_cast<const Nf4Header*>(from.data);
        scale = header->scale_code[scales[0]] * __uint_as_float(scales[1]) + header->scale_offset;
#pragma unroll
        for (int i = 0; i < 16; i++)  // the first of a pair in the high bits
          x[i] = coded.code[(low[i / 8] >> (i % 8 / 2 * 8 + (i % 2 ? 0 : 4)) & 15u) *
                            coded.code_stride] *
                 scale;
        return;
      }
      case kMxfp4:
        // Half of 2^(e - 127), since twice the numbers are whole.
        scale = __uint_as_float(scales[0] < 2 ? 0x200000u << scales[0] : (scales[0] - 1) << 23);
#pragma unroll
        for (int i = 0; i < 16; i++) x[i] = scale * twice_e2m1(low[i / 4] >> (i % 4 * 8 + shift));
        return;
      case kFp8:
        scale = __uint_as_float(scales[0]) * 256;
#pragma unroll
        for (int i = 0; i < 16; i += 4) {
          const u32 even = e4m3_halves(low[i / 4]), odd = e4m3_halves(low[i / 4] >> 8);
          x[i] = scale * half(even & 0xffffu);
          x[i + 1] = scale * half(odd & 0xffffu);
          x[i + 2] = scale * half(even >> 16);
          x[i + 3] = scale * half(odd >> 16);
        }
        return;
      case kQ8_0:
#pragma unroll
        for (int i = 0; i < 16; i++)
          x[i] = scale * float(i32(low[i / 4] << (24 - i % 4 * 8)) >> 24);
        return;
      case kQ4_0:
        offset = -8 * scale;
        break;
      case kQ4_1:
      case kQ5_1:
        offset = half(scales[0] >> 16);
        break;
      case kQ5_0:
        offset = -16 * scale;
        break;
      case kQ6_K:
        scale *= float(i32(scales[1] << 24) >> 24);
        offset = -32 * scale;
        shift = u32(group % 8 / 4) * 4;
        high_shift = u32(group % 8 / 2) * 2;
        high_mask = 3;
        break;
      default: {
        float factor, minimum;
        scale_and_minimum(pair, &factor, &minimum);
        offset = -(half(scales[0] >> 16) * minimum);
        scale *= factor;
        shift = u32(pair % 2) * 4;
        high_shift = u32(pair);
        high_mask = from.format == kQ5_K;
      }
    }
    const bool fifth = from.format == kQ5_0 || from.format == kQ5_1;
#pragma unroll
    for (int i = 0; i < 16; i++) {
      u32 q = low[i / 4] >> (i % 4 * 8 + shift) & 15u;
      if (high_mask) q |= (high[i / 4] >> (i % 4 * 8 + high_shift) & high_mask) << 4;
      if (fifth) q |= (high[0] >> i & 1u) << 4;
      x[i] = scale * float(q) + offset;
    }
  }
};

// A tile of shared memory that is filled with numbers from blocks: load() before the products of a
// stage, store() behind them.
template <typename T, int ROWS, int COLUMNS, int THREADS>
struct BlockTile {
  typedef SharedTile<T, ROWS, COLUMNS> Tile;
  static constexpr int kGroups = COLUMNS / 16, kEach = ROWS * kGroups / THREADS;
  static_assert(kEach * THREADS == ROWS * kGroups, "every thread has as many groups");
  BlockGroup bits[kEach];

  LN_DEVICE static i64 row_of(int e) { return (int(threadIdx.x) + e * THREADS) / kGroups; }
  LN_DEVICE static i64 column_of(int e) { return (int(threadIdx.x) + e * THREADS) % kGroups * 16; }

  LN_DEVICE void load(const CodedBlocks& from, i64 row0, i64 column0) {
#pragma unroll
    for (int e = 0; e < kEach; e++) {
      i64 row = row0 + row_of(e), column = column0 + column_of(e);
      if (from.has(row, column)) bits[e].load(from.blocks, row * from.blocks.columns + column);
    }
  }

  LN_DEVICE void store(char* to, const CodedBlocks& from, i64 row0, i64 column0) const {
#pragma unroll
    for (int e = 0; e < kEach; e++) {
      i64 row = row0 + row_of(e), column = column0 + column_of(e);
      float x[16] = {};
      if (from.has(row, column)) bits[e].numbers(x, from, row * from.blocks.columns + column);
      Chunk left, right;
#pragma unroll
      for (int i = 0; i < 4; i++) {
        left.words[i] = pack<T>(x[2 * i], x[2 * i + 1]);
        right.words[i] = pack<T>(x[8 + 2 * i], x[9 + 2 * i]);
      }
      // Of a row of 16 chunks the second half stores its right chunk first: no two threads that
      // store at once meet in a bank.
      const int row_in = int(row_of(e)), chunk = int(column_of(e)) / 8;
      const int swap = Tile::kChunks > 8 ? chunk >> 3 & 1 : 0;
      if (Tile::kChunks > 8) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
          u32 first = swap ? right.words[i] : left.words[i];
          right.words[i] = swap ? left.words[i] : right.words[i];
          left.words[i] = first;
        }
      }
      store_shared(reinterpret_cast<Chunk*>(to + Tile::offset(row_in, chunk + swap)), left);
      store_shared(reinterpret_cast<Chunk*>(to + Tile::offset(row_in, chunk + 1 - swap)), right);
    }
  }
};
