// Kernels with one mistake each, and sound twins: what the check build must catch, and must not.
#include "gpu.cuh"

// Each thread writes its word and reads its neighbour's.
extern "C" __global__ void planted_barrier(float* out, int fault) {
  LN_DYNAMIC_SHARED(float, shared);
  int i = int(threadIdx.x);
  shared[i] = float(i);
  if (fault == 0) __syncthreads();
  out[i] = shared[(i + 1) % int(blockDim.x)];
}

// The same within a warp.
extern "C" __global__ void planted_syncwarp(float* out, int fault) {
  LN_DYNAMIC_SHARED(float, shared);
  int i = int(threadIdx.x);
  shared[i] = float(i);
  if (fault == 0) __syncwarp();
  out[i] = shared[i ^ 1];
}

// A write after another thread's read, in a loop: the barrier at the loop's end is missing.
extern "C" __global__ void planted_write_after_read(float* out, int fault) {
  LN_DYNAMIC_SHARED(float, shared);
  int i = int(threadIdx.x);
  float sum = 0;
  for (int step = 0; step < 2; step++) {
    shared[i] = float(step);
    __syncthreads();
    sum += shared[(i + 32) % int(blockDim.x)];
    if (fault == 0) __syncthreads();
  }
  out[i] = sum;
}

extern "C" __global__ void planted_wait(const float* in, float* out, int fault) {
  LN_DYNAMIC_SHARED(float, shared);
  int i = int(threadIdx.x);
  copy_async_16(shared + 4 * i, in + 4 * i, 16);
  copy_async_commit();
  if (fault == 0) copy_async_wait<0>();
  __syncthreads();
  out[i] = shared[4 * i];
  copy_async_wait<0>();
}

extern "C" __global__ void planted_shared_bounds(float* out, int fault) {
  LN_DYNAMIC_SHARED(float, shared);
  int i = int(threadIdx.x);
  shared[i + fault] = 1.0f;
  out[i] = 1.0f;
}

extern "C" __global__ void planted_device_bounds(float* out, int fault) {
  out[i64(blockIdx.x) * blockDim.x + threadIdx.x + u32(fault)] = 1.0f;
}

// Blocks add to one word without an atomic.
extern "C" __global__ void planted_blocks(float* out, int fault) {
  if (threadIdx.x == 0) out[fault ? 0 : blockIdx.x] += 1.0f;
}

extern "C" __global__ void planted_shuffle(float* out, int fault) {
  int i = int(threadIdx.x);
  float x = float(i);
  // Lanes 16 to 31 are read from, but take no part.
  if (i < 16) x = __shfl_xor_sync(0xffffu, x, fault ? 16 : 1);
  out[i] = x;
}

extern "C" __global__ void planted_divergence(float* out, int fault) {
  if (fault && threadIdx.x < 32)
    __syncthreads();
  else
    __syncthreads();
  out[threadIdx.x] = 1.0f;
}

extern "C" __global__ void planted_unwritten(float* out, int fault) {
  LN_DYNAMIC_SHARED(float, shared);
  if (fault == 0) shared[threadIdx.x] = 1.0f;
  out[threadIdx.x] = shared[threadIdx.x];
}

// A fragment index off by one row: tile addresses that leave the tile.
extern "C" __global__ void planted_fragment(float* out, int fault) {
  LN_DYNAMIC_SHARED(gpu_bf16, shared);
  for (int i = int(threadIdx.x); i < 16 * 16; i += 32) store(shared + i, float(i));
  __syncwarp();
  u32 registers[1][4];
  const void* rows[1] = {shared + (int(threadIdx.x) % 16 + fault) * 16 + threadIdx.x / 16 * 8};
  load_matrices<false>(registers, rows);
  out[threadIdx.x] = __uint_as_float(registers[0][0] << 16);
}

// Sound in itself: what is planted is the missing event between it and the copy that feeds it.
extern "C" __global__ void planted_event(const float* in, float* out) {
  out[threadIdx.x] = in[threadIdx.x];
}

LN_KERNEL(planted_event)
LN_KERNEL(planted_barrier)
LN_KERNEL(planted_syncwarp)
LN_KERNEL(planted_write_after_read)
LN_KERNEL(planted_wait)
LN_KERNEL(planted_shared_bounds)
LN_KERNEL(planted_device_bounds)
LN_KERNEL(planted_blocks)
LN_KERNEL(planted_shuffle)
LN_KERNEL(planted_divergence)
LN_KERNEL(planted_unwritten)
LN_KERNEL(planted_fragment)
