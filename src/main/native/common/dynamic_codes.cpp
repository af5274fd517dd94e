// The values of bitsandbytes' dynamic 8-bit type (create_dynamic_map): seven powers of ten, each
// twice as finely divided as the one below.                                  Dettmers 2016
#include <math.h>

#include <algorithm>

#include "lora_ops.h"

// As torch.linspace(0.1, 1, parts + 1) in f32: from either end to the middle, rounded once.
static float boundary(int i, int parts) {
  double step = (1.0f - 0.1f) / float(parts);
  return float(i < (parts + 1) / 2 ? double(0.1f) + step * i : 1.0 - step * (parts - i));
}

static void fill(float* values, bool negative) {
  constexpr int kPowers = 7;
  int count = 0;
  values[count++] = 0.0f;
  values[count++] = 1.0f;
  for (int power = 0; power < kPowers; power++) {
    int parts = negative ? 1 << power : 2 << power;
    float factor = float(pow(10.0, power - (kPowers - 1)));
    for (int i = 0; i < parts; i++) {
      float mean = (boundary(i, parts) + boundary(i + 1, parts)) / 2.0f;
      values[count++] = factor * mean;
      if (negative) values[count++] = -factor * mean;
    }
  }
  std::sort(values, values + count);
}

void ln_dynamic_codes(float* both_signs, float* positive) {
  fill(both_signs, true);
  fill(positive, false);
}
