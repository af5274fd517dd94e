// NF4 with double quantization, as bitsandbytes makes it. Layout: LN_NF4 of lora_ops.h.
//                                                       Dettmers et al. 2023 (QLoRA), section 3
#include <math.h>
#include <string.h>

#include <algorithm>
#include <vector>

#include "common/device.h"
#include "lora_ops.h"

namespace {

// Quantiles of a normal distribution, normalized to [-1, 1] (bitsandbytes' table).
constexpr float kCode[16] = {
    -1.0f,
    -0.6961928009986877f,
    -0.5250730514526367f,
    -0.39491748809814453f,
    -0.28444138169288635f,
    -0.18477343022823334f,
    -0.09105003625154495f,
    0.0f,
    0.07958029955625534f,
    0.16093020141124725f,
    0.24611230194568634f,
    0.33791524171829224f,
    0.44070982933044434f,
    0.5626170039176941f,
    0.7229568362236023f,
    1.0f,
};

// The index of the value of `code` that is nearest to x; of two as near the first.
int nearest(const float* code, int count, float x) {
  int above = int(std::lower_bound(code, code + count, x) - code);
  if (above == 0) return 0;
  if (above == count) return count - 1;
  return x - code[above - 1] <= code[above] - x ? above - 1 : above;
}

float largest(const float* x, int64_t n) {
  float most = 0;
  for (int64_t i = 0; i < n; i++) most = std::max(most, fabsf(x[i]));
  return most;
}

int64_t padded_indices(int64_t n) { return (n / 64 + 3) / 4 * 4; }

}  // namespace

int64_t ln_nf4_bytes(int64_t n) {
  return LN_NF4_HEADER_BYTES + n / 2 + padded_indices(n) + (n / 64 + 255) / 256 * 4;
}

int ln_nf4_codes(int64_t src, int64_t codes, int64_t scales, int64_t n, int32_t threads) {
  if (n % 64 != 0)
    return ln::fail(LN_INVALID, "NF4 takes multiples of 64 numbers, not %lld", (long long)n);
  const float* x = ln::ptr<float>(src);
  uint8_t* bits = ln::ptr<uint8_t>(codes);
  float* absmax = ln::ptr<float>(scales);
  int64_t blocks = n / 64;
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int64_t b = 0; b < blocks; b++) {
    float most = largest(x + b * 64, 64), inverse = 1.0f / most;
    absmax[b] = most;
    for (int i = 0; i < 32; i++) {
      auto index = [&](int j) {  // a block of zeros divides by 0: NaN is no number
        float y = x[b * 64 + 2 * i + j] * inverse;
        return y == y ? nearest(kCode, 16, std::min(1.0f, std::max(-1.0f, y))) : 7;
      };
      bits[b * 32 + i] = uint8_t(index(0) << 4 | index(1));
    }
  }
  return LN_OK;
}

int ln_nf4_scales(int64_t scales_at, int64_t dst, int64_t n) {
  float both_signs[256], positive[256];
  ln_dynamic_codes(both_signs, positive);
  uint8_t* header = ln::ptr<uint8_t>(dst);
  uint8_t* indices = header + LN_NF4_HEADER_BYTES + n / 2;
  int64_t blocks = n / 64, groups = (blocks + 255) / 256;
  const float* absmax = ln::ptr<float>(scales_at);
  std::vector<float> scales(absmax, absmax + blocks);
  double sum = 0;
  for (float scale : scales) sum += scale;
  float offset = float(sum / double(blocks));
  for (float& scale : scales) scale -= offset;
  memset(indices, 0, size_t(padded_indices(n)));
  for (int64_t g = 0; g < groups; g++) {
    int64_t from = g * 256, count = std::min<int64_t>(256, blocks - from);
    float factor = largest(scales.data() + from, count);
    float inverse = factor > 0 ? 1.0f / factor : 0.0f;
    for (int64_t i = from; i < from + count; i++)
      indices[i] = uint8_t(
          nearest(both_signs, 256, std::min(1.0f, std::max(-1.0f, scales[size_t(i)] * inverse))));
    memcpy(indices + padded_indices(n) + g * 4, &factor, 4);
  }
  memcpy(header, kCode, sizeof kCode);
  memcpy(header + 64, both_signs, 1024);
  memcpy(header + 1088, &offset, 4);
  memset(header + 1092, 0, 4);
  memcpy(header + 1096, &n, 8);
  return LN_OK;
}
