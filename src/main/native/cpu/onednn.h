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

// Memory that grows when a larger shape is met, and is ours so that a run allocates nothing once
// its shapes have been seen.
struct Scratch {
  void* memory = nullptr;
  size_t bytes = 0;

  ~Scratch() { free(memory); }

  void reserve(size_t wanted) {
    if (wanted <= bytes) return;
    free(memory);
    bytes = (wanted + 4095) / 4096 * 4096;
    memory = aligned_alloc(4096, bytes);
    if (!memory) {
      bytes = 0;
      throw std::bad_alloc();
    }
  }
};

struct OneDnn {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  int threads = 1;
  Scratch scratch, blocks;  // the primitives' own; a tile of a matrix in blocks
  std::shared_ptr<Matmuls> matmuls;
  std::shared_ptr<Convolutions> convolutions;
  std::shared_ptr<Tiles> tiles;
};

inline dnnl::memory::data_type onednn_type(int32_t dtype) {
  return dtype == LN_BF16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
}

// The thread count is a property of the calling thread in OpenMP.
void onednn_threads(const OneDnn& dnn);

}  // namespace ln
