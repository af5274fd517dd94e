// Blocks with NF4's 16 values at hand.
#pragma once
#include "blocks.cuh"

// NF4's 16 values in shared memory, a copy for each lane.
template <int THREADS>
LN_DEVICE CodedBlocks with_values(const BlockView& blocks, float* code) {
  if (blocks.format == kNf4) {
    const Nf4Header* header = reinterpret_cast<const Nf4Header*>(blocks.data);
    for (int i = int(threadIdx.x); i < 16 * 32; i += THREADS) code[i] = header->code[i / 32];
    __syncthreads();
  }
  return {blocks, code + threadIdx.x % 32, 32};
}
