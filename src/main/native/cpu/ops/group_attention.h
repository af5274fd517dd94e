// Full attention between groups of queries and keys: images, and images and captions.
#pragma once
#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {

struct GroupAttention {
  Device* device;
  int64_t groups, heads, D, queries, keys;
  float scale;
  int32_t dtype;
  const int32_t* padding;  // of each group's last keys, or null

  int64_t seen(int64_t group) const { return padding ? keys - padding[group] : keys; }

  int64_t scratch_bytes(bool backward) const;
  int forward(int64_t q, int64_t k, int64_t v, int64_t o, int64_t lse, int64_t scratch) const;
  int backward(int64_t dout, int64_t q, int64_t k, int64_t v, int64_t o, int64_t lse, int64_t dq,
               int64_t dk, int64_t dv, int64_t scratch) const;
};

}  // namespace LN_ISA
}  // namespace ln
