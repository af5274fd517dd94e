// Matrix products of a warpgroup (4 warps) on Hopper's tensor cores, operands in shared memory: the
// inline PTX, and under the emulator its twins. PTX manual, "Asynchronous warpgroup level matrix
// multiply-accumulate instructions". Only code for sm_90a knows them.
#pragma once
#include "ptx.cuh"

#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define LN_WARPGROUPS

// Where shared memory holds p, in bytes.
LN_DEVICE u32 shared_address(const void* p) {
#ifdef __CUDACC__
  return u32(__cvta_generic_to_shared(p));
#else
  return emu::shared_address(p);
#endif
}

// Where tiles may begin: the next multiple of 1024 bytes.
template <typename T>
LN_DEVICE T* aligned_tiles(T* shared) {
  return shared + (1024 - shared_address(shared) % 1024) % 1024 / sizeof(T);
}

// An operand's place: rows of 128 bytes, their 16-byte chunks swizzled within 8 rows (SharedTile
// with 8 chunks a row), groups of 8 rows one behind the other, from a multiple of 1024 bytes on.
// Where a row runs along N, `panel` is the distance in bytes of the next 64 numbers; where it runs
// along K, it does not count.
LN_DEVICE u64 matrix_descriptor(const void* tile, u32 panel) {
  const u64 kSwizzle128 = u64(1) << 62, kRowGroup = u64(1024 >> 4) << 32;
  return kSwizzle128 | kRowGroup | u64(panel >> 4) << 16 | (shared_address(tile) & 0x3ffffu) >> 4;
}

// What this thread has written to shared memory is there for the tensor cores after the next
// barrier.
LN_DEVICE void fence_for_tensor_cores() {
#ifdef __CUDACC__
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#endif
}

// Before products: the sums are in their registers.
LN_DEVICE void warpgroup_fence() {
#ifdef __CUDACC__
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#endif
}
// Ends a group of products; groups complete in order.
LN_DEVICE void warpgroup_commit() {
#ifdef __CUDACC__
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
#else
  emu::warpgroup_commit();
#endif
}
// Waits until at most N groups of products are in flight.
template <int N>
LN_DEVICE void warpgroup_wait() {
#ifdef __CUDACC__
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(N) : "memory");
#else
  emu::warpgroup_wait(N);
#endif
}

#ifdef __CUDACC__
#define LN_SUMS_4(j) "+f"(sum[j][0]), "+f"(sum[j][1]), "+f"(sum[j][2]), "+f"(sum[j][3])
#define LN_SUMS_16(j) LN_SUMS_4(j), LN_SUMS_4(j + 1), LN_SUMS_4(j + 2), LN_SUMS_4(j + 3)
#define LN_SUMS_32(j) LN_SUMS_16(j), LN_SUMS_16(j + 4)
#define LN_SUMS_48(j) LN_SUMS_32(j), LN_SUMS_16(j + 8)
#define LN_SUMS_64(j) LN_SUMS_32(j), LN_SUMS_32(j + 8)
#define LN_SUMS_128(j) LN_SUMS_64(j), LN_SUMS_64(j + 16)
#define LN_NAMES_16 "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15"
#define LN_NAMES_32 \
  LN_NAMES_16 ", %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define LN_NAMES_48 \
  LN_NAMES_32 ", %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47"
#define LN_NAMES_64 \
  LN_NAMES_48 ", %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define LN_NAMES_128                                                                   \
  LN_NAMES_64                                                                          \
  ", %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, " \
  "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "   \
  "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, "   \
  "%110, %111, %112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, "     \
  "%123, %124, %125, %126, %127"
#define LN_WARPGROUP_TEXT(n, type, names, a, b, transpositions, add)                       \
  "{.reg .pred add; setp.ne.b32 add, " add                                                 \
  ", 0; "                                                                                  \
  "wgmma.mma_async.sync.aligned.m64n" n "k16.f32." type "." type " {" names "}, " a ", " b \
  ", add, 1, 1, " transpositions ";}"
// N = 8 tiles; the operands behind the sums by their places %r, %r + 1, ...: A's descriptor or its
// four registers, B's descriptor, whether B runs along N, whether the product is added.
#define LN_WARPGROUP_MULTIPLIES(T, type, tiles, n, r0, r1, r2, r3, r4, r5, r6, numbers)     \
  template <bool B_ALONG_N, bool ADD>                                                       \
  LN_DEVICE void warpgroup_multiply(float (&sum)[tiles][4], u64 a, u64 b, T) {              \
    asm volatile(LN_WARPGROUP_TEXT(n, type, LN_NAMES_##numbers, r0, r1, "0, " r2, r3)       \
                 : LN_SUMS_##numbers(0)                                                     \
                 : "l"(a), "l"(b), "n"(int(B_ALONG_N)), "n"(int(ADD)));                     \
  }                                                                                         \
  template <bool B_ALONG_N, bool ADD>                                                       \
  LN_DEVICE void warpgroup_multiply(float (&sum)[tiles][4], const u32(&a)[4], u64 b, T) {   \
    asm volatile(LN_WARPGROUP_TEXT(n, type, LN_NAMES_##numbers,                             \
                                   "{" r0 ", " r1 ", " r2 ", " r3 "}", r4, r5, r6)          \
                 : LN_SUMS_##numbers(0)                                                     \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "n"(int(B_ALONG_N)), \
                   "n"(int(ADD)));                                                          \
  }
#define LN_WARPGROUP_SHAPE(...)                          \
  LN_WARPGROUP_MULTIPLIES(gpu_bf16, "bf16", __VA_ARGS__) \
  LN_WARPGROUP_MULTIPLIES(gpu_f16, "f16", __VA_ARGS__)
LN_WARPGROUP_SHAPE(4, "32", "%16", "%17", "%18", "%19", "%20", "%21", "%22", 16)
LN_WARPGROUP_SHAPE(8, "64", "%32", "%33", "%34", "%35", "%36", "%37", "%38", 32)
LN_WARPGROUP_SHAPE(12, "96", "%48", "%49", "%50", "%51", "%52", "%53", "%54", 48)
LN_WARPGROUP_SHAPE(16, "128", "%64", "%65", "%66", "%67", "%68", "%69", "%70", 64)
LN_WARPGROUP_SHAPE(32, "256", "%128", "%129", "%130", "%131", "%132", "%133", "%134", 128)
#endif

// Begins sum [64, 8 TILES] += a [64, 16] b [16, 8 TILES], or = where !ADD. A runs along K; B along
// N if B_ALONG_N, else along K. A warp holds 16 rows of the sum, in tiles of 8 columns laid out as
// for mma.m16n8k16.
template <typename T, bool B_ALONG_N, bool ADD = true, int TILES>
LN_DEVICE void warpgroup_multiply(float (&sum)[TILES][4], u64 a, u64 b) {
#ifdef __CUDACC__
  warpgroup_multiply<B_ALONG_N, ADD>(sum, a, b, T());
#else
  emu::warpgroup_multiply({&sum[0][0], nullptr, a, b, TILES, B_ALONG_N, ADD, half_format(T())});
#endif
}
// The same with A in registers, each warp's 16 rows laid out as for mma.m16n8k16: neither they nor
// the sum may change before the wait.
template <typename T, bool B_ALONG_N, bool ADD = true, int TILES>
LN_DEVICE void warpgroup_multiply(float (&sum)[TILES][4], const u32 (&a)[4], u64 b) {
#ifdef __CUDACC__
  warpgroup_multiply<B_ALONG_N, ADD>(sum, a, b, T());
#else
  emu::warpgroup_multiply({&sum[0][0], a, 0, b, TILES, B_ALONG_N, ADD, half_format(T())});
#endif
}

// Keeps the compiler from moving reads of a sum before the wait in front of this, or its writes
// behind the fence that follows.
template <int TILES>
LN_DEVICE void warpgroup_hold(float (&sum)[TILES][4]) {
#ifdef __CUDACC__
#pragma unroll
  for (int j = 0; j < TILES; j++)
#pragma unroll
    for (int r = 0; r < 4; r++) asm volatile("" : "+f"(sum[j][r])::"memory");
#else
  (void)sum;
#endif
}
#endif
