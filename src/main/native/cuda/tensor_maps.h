// What Hopper's kernels ask of a launcher: tensor maps, by which they copy whole tiles
// (cuda/include/bulk_copy.cuh).
#pragma once
#include "cuda/driver.h"
#include "types.h"

namespace ln {

// Whether the kernels of cuda/hopper.cu and cuda/hopper_attention.cu run.
inline bool has_warpgroups(const Device* device) { return device->cuda->warpgroups; }

// The driver's words for how all maps lie.
struct MapWords {
  static constexpr int kUint16 = 1, kNotInterleaved = 0, kSwizzle128 = 3, kPromote256 = 3,
                       kZeros = 0;
};

// Maps 16-bit numbers, columns first; `pitch` in bytes, of all dimensions but the first.
inline int map_tensor(Device* device, TensorMap* map, int64_t data, unsigned rank,
                      const uint64_t* sizes, const uint64_t* pitch, const uint32_t* box) {
  typedef MapWords W;
  const uint32_t every[] = {1, 1, 1};
  return cuda_check(device,
                    device->cuda->driver->tensor_map(map, W::kUint16, rank, ptr<void>(data), sizes,
                                                     pitch, box, every, W::kNotInterleaved,
                                                     W::kSwizzle128, W::kPromote256, W::kZeros),
                    "a matrix cannot be mapped");
}

// A row-major matrix, for copies of 64 columns and `box_rows` rows.
inline int map_matrix(Device* device, TensorMap* map, const void* matrix, int64_t rows,
                      int64_t columns, int64_t stride, int box_rows) {
  const uint64_t sizes[] = {uint64_t(columns), uint64_t(rows)}, pitch[] = {uint64_t(stride) * 2};
  const uint32_t box[] = {64, uint32_t(box_rows)};
  return map_tensor(device, map, int64_t(matrix), 2, sizes, pitch, box);
}

// x [rows, heads, D], for copies of 64 channels of `box_rows` rows of one head.
inline int map_heads(Device* device, TensorMap* map, int64_t x, int64_t rows, int64_t heads,
                     int64_t D, int box_rows) {
  const uint64_t sizes[] = {uint64_t(D), uint64_t(heads), uint64_t(rows)};
  const uint64_t pitch[] = {uint64_t(D) * 2, uint64_t(heads * D) * 2};
  const uint32_t box[] = {64, 1, uint32_t(box_rows)};
  return map_tensor(device, map, x, 3, sizes, pitch, box);
}

// Images x [B, H, W, C], for copies of 64 channels of `pixels` pixels as a convolution meets them,
// whose kernel begins at `out_height` x `out_width` places, every `stride`-th from -pad on.
inline int map_patches(Device* device, TensorMap* map, const void* x, int64_t B, int64_t H,
                       int64_t W, int64_t C, int out_height, int out_width, int stride, int pad,
                       int pixels) {
  typedef MapWords Words;
  const uint64_t sizes[] = {uint64_t(C), uint64_t(W), uint64_t(H), uint64_t(B)};
  const uint64_t pitch[] = {uint64_t(C) * 2, uint64_t(W * C) * 2, uint64_t(H * W * C) * 2};
  const int lower[] = {-pad, -pad};
  const int upper[] = {(out_width - 1) * stride + 1 - pad - int(W),
                       (out_height - 1) * stride + 1 - pad - int(H)};
  const uint32_t every[] = {1, uint32_t(stride), uint32_t(stride), 1};
  return cuda_check(device,
                    device->cuda->driver->patch_map(
                        map, Words::kUint16, 4, const_cast<void*>(x), sizes, pitch, lower, upper,
                        64, uint32_t(pixels), every, Words::kNotInterleaved, Words::kSwizzle128,
                        Words::kPromote256, Words::kZeros),
                    "images cannot be mapped");
}

}  // namespace ln
