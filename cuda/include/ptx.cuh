// All inline PTX, at tile level; under the emulator each wrapper calls its twin. Layouts: PTX
// manual, "Matrix fragments for mma.m16n8k16" and "ldmatrix".
#pragma once
#include "gpu.cuh"

// Two floats as bf16, rounded to nearest even: low half, high half.
LN_DEVICE u32 pack_bf16(float lower, float upper) {
#ifdef __CUDACC__
  u32 pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(upper), "f"(lower));
  return pair;
#else
  gpu_bf16 l, h;
  store(&l, lower);
  store(&h, upper);
  return u32(l.bits) | u32(h.bits) << 16;
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

// c += a b for MT x NT tiles of 16 x 8 x 16, bf16 in, f32 accumulate.
template <int MT, int NT>
LN_DEVICE void multiply_tiles(float (&c)[MT][NT][4], const u32 (&a)[MT][4], const u32 (&b)[NT][2]) {
#ifdef __CUDACC__
#pragma unroll
  for (int m = 0; m < MT; m++)
#pragma unroll
    for (int n = 0; n < NT; n++)
      asm volatile(
          "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, "
          "{%8,%9}, {%0,%1,%2,%3};"
          : "+f"(c[m][n][0]), "+f"(c[m][n][1]), "+f"(c[m][n][2]), "+f"(c[m][n][3])
          : "r"(a[m][0]), "r"(a[m][1]), "r"(a[m][2]), "r"(a[m][3]), "r"(b[n][0]), "r"(b[n][1]));
#else
  emu::multiply(&c[0][0][0], &a[0][0], &b[0][0], MT, NT);
#endif
}
