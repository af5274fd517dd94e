// What the users of oneDNN (gemm.cpp, conv.cpp, tiles.cpp) share: engine, stream and scratch of a
// CPU device.
#pragma once
#include <stdlib.h>

#include <memory>
#include <oneapi/dnnl/dnnl.hpp>

#include "common/device.h"
#include "cpu/products.h"
#include "lora_ops.h"

namespace ln {

struct Matmuls;       // gemm.cpp: the products made so far
struct Convolutions;  // conv.cpp: likewise
struct Tiles;         // tiles.cpp: likewise

struct OneDnn {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  int threads = 1;
  void* scratch = nullptr;
  size_t scratch_bytes = 0;
  std::shared_ptr<Matmuls> matmuls;
  std::shared_ptr<Convolutions> convolutions;
  std::shared_ptr<Tiles> tiles;

  ~OneDnn() { free(scratch); }

  // Scratch is ours, so that a run allocates nothing once its shapes have been seen.
  void reserve(size_t bytes) {
    if (bytes <= scratch_bytes) return;
    free(scratch);
    scratch_bytes = (bytes + 4095) / 4096 * 4096;
    scratch = aligned_alloc(4096, scratch_bytes);
    if (!scratch) throw std::bad_alloc();
  }
};

inline dnnl::memory::data_type onednn_type(int32_t dtype) {
  return dtype == LN_BF16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
}

// The thread count is a property of the calling thread in OpenMP.
void onednn_threads(const OneDnn& dnn);

}  // namespace ln
