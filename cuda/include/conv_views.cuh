// A convolution's operands as matrices: where a chunk of 8 channels lies. See tensor_conv.cu.
#pragma once
#include "conv.h"
#include "tile.cuh"

LN_DEVICE u32 divide(u32 n, const Divisor& by) { return (__umulhi(n, by.magic) + n) >> by.shift; }

// P: the 8 channels of a pixel under a tap.
template <typename T>
struct PatchView {
  const T* data;
  const ConvArguments& c;
  i32 rows, depth;

  LN_DEVICE bool chunk(i64 row, i64 column, const T** there) const {
    *there = data;
    if (row >= rows || column >= depth) return false;
    u32 m = u32(row), k = u32(column);
    u32 line = divide(m, c.by_OW), image = divide(line, c.by_OH);
    u32 tap = divide(k, c.by_I), ky = divide(tap, c.by_kernel);
    i32 x = i32(m - line * c.OW) * c.stride + i32(tap - ky * c.kernel) - c.pad;
    i32 y = i32(line - image * c.OH) * c.stride + i32(ky) - c.pad;
    if (u32(x) >= u32(c.W) || u32(y) >= u32(c.H)) return false;
    *there = data + (i64(image * c.H + u32(y)) * c.W + x) * c.I + (k - tap * c.I);
    return true;
  }
};

// Q: the 8 gradients of the output that a pixel went into through a tap.
template <typename T>
struct OutputView {
  const T* data;
  const ConvArguments& c;
  i32 rows, depth;

  LN_DEVICE bool chunk(i64 row, i64 column, const T** there) const {
    *there = data;
    if (row >= rows || column >= depth) return false;
    u32 m = u32(row), k = u32(column);
    u32 line = divide(m, c.by_W), image = divide(line, c.by_H);
    u32 tap = divide(k, c.by_O), ky = divide(tap, c.by_kernel);
    i32 x = i32(m - line * c.W) + c.pad - i32(tap - ky * c.kernel);
    i32 y = i32(line - image * c.H) + c.pad - i32(ky);
    if (x < 0 || y < 0) return false;
    u32 ox = divide(u32(x), c.by_stride), oy = divide(u32(y), c.by_stride);
    if (ox * c.stride != u32(x) || oy * c.stride != u32(y)) return false;
    if (ox >= u32(c.OW) || oy >= u32(c.OH)) return false;
    *there = data + (i64(image * c.OH + oy) * c.OW + ox) * c.O + (k - tap * c.O);
    return true;
  }
};

// v: row (tap, o) is the tap's row of w [o].
template <typename T>
struct TapView {
  const T* data;
  const ConvArguments& c;
  i32 depth;

  LN_DEVICE bool chunk(i64 row, i64 column, const T** there) const {
    *there = data;
    if (row >= depth || column >= c.I) return false;
    u32 k = u32(row), tap = divide(k, c.by_O), o = k - tap * c.O;
    *there = data + i64(o * c.kernel * c.kernel + tap) * c.I + column;
    return true;
  }
};
