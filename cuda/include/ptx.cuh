// All inline PTX, at tile level; under the emulator each wrapper calls its twin. Layouts: PTX
// manual, "Matrix fragments for mma.m16n8k16" and "ldmatrix".
#pragma once
#ifndef __CUDACC__
#include "cuda_emu.h"
#endif
#include "types.h"

#define LN_DEVICE __device__ __forceinline__

// Two floats as 16-bit numbers, rounded to nearest even: low half, high half.
LN_DEVICE void pack(u32* pair, float lower, float upper, gpu_bf16) {
#ifdef __CUDACC__
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(*pair) : "f"(upper), "f"(lower));
#else
  *pair = emu::to_bf16(lower) | emu::to_bf16(upper) << 16;
#endif
}
LN_DEVICE void pack(u32* pair, float lower, float upper, gpu_f16) {
#ifdef __CUDACC__
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(*pair) : "f"(upper), "f"(lower));
#else
  *pair = emu::to_f16(lower) | emu::to_f16(upper) << 16;
#endif
}
template <typename T>
LN_DEVICE u32 pack(float lower, float upper) {
  u32 pair;
  pack(&pair, lower, upper, T());
  return pair;
}

LN_DEVICE float widen(gpu_f16 x) {
#ifdef __CUDACC__
  float y;
  asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));
  return y;
#else
  return emu::from_f16(x.bits);
#endif
}

// 2^x with a relative error below 2^-22; 0 for -infinity.
LN_DEVICE float exp2_approximate(float x) {
#ifdef __CUDACC__
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#else
  return exp2f(x);
#endif
}

// x[i] = what `value` is in lane index[i] % 16 of this lane's half of the warp; all lanes take
// part.
LN_DEVICE void from_lanes_of_16(float (&x)[16], float value, const u32 (&index)[16]) {
#ifdef __CUDACC__
#pragma unroll
  for (int i = 0; i < 16; i++) x[i] = __shfl_sync(0xffffffffu, value, int(index[i]), 16);
#else
  emu::from_lanes(x, value, index, 16, 16);
#endif
}

// 16 bytes, as memory takes them at once.
struct alignas(16) Chunk {
  u32 words[4];
};
LN_DEVICE Chunk load_chunk(const void* from) {
#ifdef __CUDACC__
  return *static_cast<const Chunk*>(from);
#else
  Chunk x;
  emu::load_16(x.words, from);
  return x;
#endif
}
LN_DEVICE void store_chunk(void* to, const Chunk& x) {
#ifdef __CUDACC__
  *static_cast<Chunk*>(to) = x;
#else
  emu::store_16(to, x.words);
#endif
}
LN_DEVICE void store_shared(Chunk* to, const Chunk& x) {
#ifdef __CUDACC__
  u32 address = u32(__cvta_generic_to_shared(to));
  asm volatile("st.shared.v4.u32 [%0], {%1,%2,%3,%4};" ::"r"(address), "r"(x.words[0]),
               "r"(x.words[1]), "r"(x.words[2]), "r"(x.words[3])
               : "memory");
#else
  emu::store_16(to, x.words);
#endif
}

// 16 bytes from global to shared memory, asynchronously; from_bytes 0 writes zeros.
LN_DEVICE void copy_async_16(void* to, const void* from, int from_bytes) {
#ifdef __CUDACC__
  u32 address = u32(__cvta_generic_to_shared(to));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(from),
               "r"(from_bytes)
               : "memory");
#else
  emu::copy_async(to, from, 16, from_bytes);
#endif
}

// Ends a group of copies; groups complete in order.
LN_DEVICE void copy_async_commit() {
#ifdef __CUDACC__
  asm volatile("cp.async.commit_group;" ::: "memory");
#else
  emu::copy_commit();
#endif
}

// Waits until at most N groups of this thread are in flight.
template <int N>
LN_DEVICE void copy_async_wait() {
#ifdef __CUDACC__
  asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
#else
  emu::copy_wait(N);
#endif
}

// T groups of four 8 x 8 matrices of 16-bit numbers; rows[t] is this lane's row address of group t.
template <bool TRANSPOSED, int T>
LN_DEVICE void load_matrices(u32 (&registers)[T][4], const void* const (&rows)[T]) {
#ifdef __CUDACC__
#pragma unroll
  for (int t = 0; t < T; t++) {
    u32 address = u32(__cvta_generic_to_shared(rows[t]));
    if (TRANSPOSED)
      asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                   : "=r"(registers[t][0]), "=r"(registers[t][1]), "=r"(registers[t][2]),
                     "=r"(registers[t][3])
                   : "r"(address)
                   : "memory");
    else
      asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                   : "=r"(registers[t][0]), "=r"(registers[t][1]), "=r"(registers[t][2]),
                     "=r"(registers[t][3])
                   : "r"(address)
                   : "memory");
  }
#else
  emu::load_matrix(&registers[0][0], T, rows, TRANSPOSED);
#endif
}

// c += a b for MT x NT tiles of 16 x 8 x 16, T in, f32 accumulate.
#ifdef __CUDACC__
#define LN_MULTIPLY(type)                                                   \
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32." type "." type       \
               ".f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};" \
               : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])             \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))
LN_DEVICE void multiply_tile(float (&c)[4], const u32 (&a)[4], const u32 (&b)[2], gpu_bf16) {
  LN_MULTIPLY("bf16");
}
LN_DEVICE void multiply_tile(float (&c)[4], const u32 (&a)[4], const u32 (&b)[2], gpu_f16) {
  LN_MULTIPLY("f16");
}
#else
inline emu::HalfFormat half_format(gpu_bf16) { return emu::kBf16; }
inline emu::HalfFormat half_format(gpu_f16) { return emu::kF16; }
#endif

template <typename T, int MT, int NT>
LN_DEVICE void multiply_tiles(float (&c)[MT][NT][4], const u32 (&a)[MT][4], const u32 (&b)[NT][2]) {
#ifdef __CUDACC__
#pragma unroll
  for (int m = 0; m < MT; m++)
#pragma unroll
    for (int n = 0; n < NT; n++) multiply_tile(c[m][n], a[m], b[n], T());
#else
  emu::multiply(&c[0][0][0], &a[0][0], &b[0][0], MT, NT, half_format(T()));
#endif
}
