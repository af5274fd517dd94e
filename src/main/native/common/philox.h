// Philox4x32-10 (Salmon et al. 2011), the one generator of every device and of Java
// (org.loranative.random.Philox); all of them pass src/test/resources/philox.txt.
#pragma once
#include <stdint.h>

namespace ln {
namespace {

struct Philox4 {
  uint32_t v[4];
};

inline Philox4 philox(uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3) {
  uint32_t k0 = uint32_t(key), k1 = uint32_t(key >> 32);
  for (int round = 0; round < 10; round++) {
    uint64_t p0 = uint64_t(0xD2511F53u) * c0, p1 = uint64_t(0xCD9E8D57u) * c2;
    uint32_t n0 = uint32_t(p1 >> 32) ^ c1 ^ k0, n2 = uint32_t(p0 >> 32) ^ c3 ^ k1;
    c1 = uint32_t(p1);
    c3 = uint32_t(p0);
    c0 = n0;
    c2 = n2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

// A word as a float in [0, 1), 24 bits of it.
inline float uniform(uint32_t word) { return float(word >> 8) * (1.0f / 16777216.0f); }

}  // namespace
}  // namespace ln
