// One kernel for each PTX wrapper, to be held against literal tables (conformance_test.cpp). The
// wrapper's asm and its emulated twin were written by the same hand, so these are the first thing
// to run on a real card.
#include "bulk_copy.cuh"
#include "gpu.cuh"
#include "wgmma.cuh"

extern "C" __global__ void conformance_pack(const float* in, u32* bf16, u32* f16) {
  int i = int(threadIdx.x);
  bf16[i] = pack<gpu_bf16>(in[2 * i], in[2 * i + 1]);
  f16[i] = pack<gpu_f16>(in[2 * i], in[2 * i + 1]);
}

extern "C" __global__ void conformance_convert(const u32* half, const float* exponent,
                                               float* widened, float* power) {
  int i = int(threadIdx.x);
  gpu_f16 x;
  x.bits = (unsigned short)half[i];
  widened[i] = widen(x);
  power[i] = exp2_approximate(exponent[i]);
}

// Threads 0 to 15 copy, 16 to 31 fill with zeros.
extern "C" __global__ void conformance_copy(const u32* in, u32* out) {
  LN_DYNAMIC_SHARED(u32, shared);
  int i = int(threadIdx.x);
  copy_async_16(shared + 4 * i, in + 4 * i, i < 16 ? 16 : 0);
  copy_async_commit();
  copy_async_wait<0>();
  __syncwarp();
  for (int k = 0; k < 4; k++) out[4 * i + k] = shared[4 * i + k];
}

// Each thread stores a chunk, and reads the one of the thread 16 further on.
extern "C" __global__ void conformance_store(u32* out) {
  LN_DYNAMIC_SHARED(u32, shared);
  const u32 i = threadIdx.x;
  store_shared(reinterpret_cast<Chunk*>(shared) + i, {{i, i + 100, i + 200, i + 300}});
  __syncwarp();
  for (u32 k = 0; k < 4; k++) out[4 * i + k] = shared[4 * ((i + 16) % 32) + k];
}

// Shared memory holds four 8 x 8 matrices one behind the other; element e of all is the number e.
extern "C" __global__ void conformance_load(u32* plain, u32* transposed) {
  LN_DYNAMIC_SHARED(unsigned short, shared);
  int i = int(threadIdx.x);
  for (int k = 0; k < 8; k++) shared[8 * i + k] = (unsigned short)(8 * i + k);
  __syncwarp();
  u32 registers[1][4];
  const void* rows[1] = {shared + 8 * i};
  load_matrices<false>(registers, rows);
  for (int j = 0; j < 4; j++) plain[4 * i + j] = registers[0][j];
  load_matrices<true>(registers, rows);
  for (int j = 0; j < 4; j++) transposed[4 * i + j] = registers[0][j];
}

// Fragments as they are given, lane by lane: a [32][4], b [32][2], c [32][4].
template <typename T>
LN_DEVICE void conformance_multiply(const u32* a, const u32* b, float* c) {
  int i = int(threadIdx.x);
  u32 fragment_a[1][4], fragment_b[1][2];
  float sum[1][1][4];
  for (int k = 0; k < 4; k++) fragment_a[0][k] = a[4 * i + k];
  for (int k = 0; k < 2; k++) fragment_b[0][k] = b[2 * i + k];
  for (int k = 0; k < 4; k++) sum[0][0][k] = c[4 * i + k];
  multiply_tiles<T>(sum, fragment_a, fragment_b);
  for (int k = 0; k < 4; k++) c[4 * i + k] = sum[0][0][k];
}
LN_INSTANCES_16_BIT((32), conformance_multiply, (const u32* a, const u32* b, float* c),
                    conformance_multiply<T>(a, b, c))

#ifdef LN_WARPGROUPS
// a [64, 16], rows of 128 bytes, and 8 KB behind it b [16, 128], both as they are given; c
// [128][64]: the sums of each thread.
template <typename T, bool B_ALONG_N>
LN_DEVICE void conformance_warpgroup(const u32* operands, float* c) {
  LN_DYNAMIC_SHARED(u32, unaligned);
  u32* shared = aligned_tiles(unaligned);
  for (u32 i = threadIdx.x; i < 6144; i += 128) shared[i] = operands[i];
  fence_for_tensor_cores();
  __syncthreads();
  float sum[16][4] = {};
  warpgroup_fence();
  warpgroup_multiply<T, B_ALONG_N>(sum, matrix_descriptor(shared, 0),
                                   matrix_descriptor(shared + 2048, 8192));
  warpgroup_commit();
  warpgroup_wait<0>();
  for (int j = 0; j < 16; j++)
    for (int k = 0; k < 4; k++) c[threadIdx.x * 64 + j * 4 + k] = sum[j][k];
}
LN_INSTANCES_16_BIT((128), conformance_warpgroup_nt, (const u32* operands, float* c),
                    conformance_warpgroup<T, false>(operands, c))
LN_INSTANCES_16_BIT((128), conformance_warpgroup_nn, (const u32* operands, float* c),
                    conformance_warpgroup<T, true>(operands, c))

// 16 patches of 64 channels from from[6] on: image, y, x, channel, dy, dx. out: the first channel
// of each.
extern "C" __global__ void conformance_patches(const LN_CONSTANT TensorMap map, const i32* from,
                                               u32* out) {
  LN_DYNAMIC_SHARED(unsigned short, unaligned);
  unsigned short* tile = aligned_tiles(unaligned);
  CopyBarrier* landed = reinterpret_cast<CopyBarrier*>(tile + 16 * 64);
  if (threadIdx.x == 0) barrier_begin(landed);
  __syncthreads();
  if (threadIdx.x == 0) {
    barrier_expect(landed, 16 * 128);
    copy_patches(tile, map, from[0], from[1], from[2], from[3], from[4], from[5], landed);
  }
  barrier_wait(landed, 0);
  const u32 row = threadIdx.x;
  if (row < 16) out[row] = tile[row * 64 + (row & 7) * 8];
}
LN_KERNEL(conformance_patches)

// a [128 threads][4], and behind it b [16, 8 TILES] in panels of 64 columns, as they are given; c
// [128][4 TILES]: the sums of each thread, which were 0, or 0.5 where the product replaces them.
template <typename T, int TILES, bool ADD>
LN_DEVICE void conformance_registers(const u32* operands, float* c) {
  LN_DYNAMIC_SHARED(u32, unaligned);
  u32* shared = aligned_tiles(unaligned);
  for (u32 i = threadIdx.x; i < 1024; i += 128) shared[i] = operands[512 + i];
  fence_for_tensor_cores();
  __syncthreads();
  u32 a[4];
  float sum[TILES][4];
  for (int k = 0; k < 4; k++) a[k] = operands[threadIdx.x * 4 + k];
  for (int j = 0; j < TILES; j++)
    for (int k = 0; k < 4; k++) sum[j][k] = ADD ? 0.0f : 0.5f;
  warpgroup_hold(sum);
  warpgroup_fence();
  warpgroup_multiply<T, true, ADD>(sum, a, matrix_descriptor(shared, 2048));
  warpgroup_commit();
  warpgroup_wait<0>();
  warpgroup_hold(sum);
  for (int j = 0; j < TILES; j++)
    for (int k = 0; k < 4; k++) c[threadIdx.x * TILES * 4 + j * 4 + k] = sum[j][k];
}
LN_INSTANCES_16_BIT((128), conformance_registers_64, (const u32* operands, float* c),
                    conformance_registers<T, 8, false>(operands, c))
LN_INSTANCES_16_BIT((128), conformance_registers_96, (const u32* operands, float* c),
                    conformance_registers<T, 12, true>(operands, c))
#endif

LN_KERNEL(conformance_pack)
LN_KERNEL(conformance_copy)
LN_KERNEL(conformance_store)
LN_KERNEL(conformance_load)
LN_KERNEL(conformance_convert)
