// Compiles CUDA kernels with a host C++ compiler and runs them on the CPU: this header plays the
// part of the compiler's built-ins. Every CUDA thread of a block is a fiber of one OS thread.
#pragma once
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <functional>
#include <map>
#include <type_traits>
#include <utility>
#include <vector>

#define __global__
#define __device__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __restrict__ __restrict

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

namespace emu {

struct Warp;

// A cp.async between its issue and the moment it lands.
struct AsyncCopy {
  void* to;
  const void* from;
  int bytes, from_bytes;
  int group;
  bool landed;
};
constexpr int kMostCopies = 256;

struct Fiber {
  void* stack_pointer = nullptr;
  char* stack = nullptr;
  void* fake_stack = nullptr;  // AddressSanitizer's
  Warp* warp = nullptr;
  dim3 thread;
  int index = 0, lane = 0;
  AsyncCopy copies[kMostCopies];
  int copy_count = 0, committed = 0;
};

// 16-bit numbers that the tensor cores take.
enum HalfFormat { kBf16, kF16 };

// A thread's call for a warpgroup's product: see wgmma.cuh.
struct WarpgroupCall {
  float* sum;         // [tiles][4]
  const uint32_t* a;  // its four registers, or null
  uint64_t a_descriptor, b_descriptor;
  int tiles;
  bool b_along_n, add;
  HalfFormat format;
};
// A warp's part of a product, between its issue and the moment it is computed.
struct WarpgroupProduct {
  WarpgroupCall lane[32];
  int group;
};

// Lanes meet in collectives; the last to arrive computes for all.
struct Warp {
  uint32_t runnable = 0, alive = 0, arrived = 0, mask = 0;
  uint32_t epoch = 0;  // __syncwarps so far
  int kind = 0;
  void* argument[32];
  Fiber* lane[32];
  uint32_t given[32], got[32];  // by a shuffle
  int source[32];
  int in_warpgroup = 0;  // which of the 4 it is
  std::vector<WarpgroupProduct> products;
  int products_committed = 0;
};

// The bytes that a barrier counts, and the copies that have not landed yet.
struct CopyBarrierState {
  uint32_t expected = 0, arrived = 0, phase = 0;
  std::vector<std::function<void()>> in_flight;
  std::vector<Fiber*> waiting;  // for copies that have not been begun yet
};

struct Block {
  dim3 index, threads, grid;
  int thread_count = 0, warp_count = 0, at_barrier = 0, done = 0;
  long number = 0;     // its place in the grid
  uint32_t epoch = 0;  // __syncthreads so far
  const void* barrier_site = nullptr;
  char* shared = nullptr;
  size_t shared_bytes = 0;
  Warp warp[32];
  std::map<const void*, CopyBarrierState> copy_barriers;
};

// Every access of a kernel reads these; found without a call, unlike the thread's other variables.
#define LN_EMU_THREAD __thread __attribute__((tls_model("initial-exec")))
extern LN_EMU_THREAD Fiber* current_fiber;
extern LN_EMU_THREAD Block* current_block;

// A kernel as the driver finds it: by name, with a trampoline made from its signature.
struct Kernel {
  const char* name;
  void* function;
  void (*invoke)(void* function, void** arguments);
  // Copies of the arguments, which outlive the call that gave them.
  std::vector<std::vector<char>> (*keep)(void** arguments);
  Kernel* next;
};
extern Kernel* registry;
const Kernel* find(const char* name);
void launch(const Kernel* kernel, dim3 grid, dim3 block, size_t shared_bytes, void** arguments);

// How fibers are chosen: 0 takes the order of their numbers, other seeds a random order.
void set_schedule(uint64_t seed);
// Records a fault of the kernel that runs: its name, block and thread. Returns the count so far.
__attribute__((format(printf, 1, 2))) void report(const char* format, ...);
long faults();
const char* first_fault();
void forget_faults();  // for tests that plant them

void barrier(const void* site);
// The fiber that runs rests until another wakes it.
void rest();
void wake(Fiber* f);
enum { kSyncWarp = 1, kShuffle, kLoadMatrix, kMultiply, kWarpgroup };
void collective(uint32_t mask, int kind, void* argument, void (*compute)(Warp*));

template <class... A>
struct Trampoline {
  template <size_t... I>
  static void call(void (*f)(A...), void** a, std::index_sequence<I...>) {
    f(*static_cast<std::remove_reference_t<A>*>(a[I])...);
  }
  static std::vector<std::vector<char>> keep(void** arguments) {
    std::vector<std::vector<char>> kept;
    size_t i = 0;
    auto one = [&](size_t bytes) {
      const char* from = static_cast<char*>(arguments[i++]);
      kept.emplace_back(from, from + bytes);
    };
    (one(sizeof(std::remove_reference_t<A>)), ...);
    return kept;
  }
  static void invoke(void* function, void** arguments) {
    call(reinterpret_cast<void (*)(A...)>(function), arguments, std::index_sequence_for<A...>());
  }
};

struct Registration {
  Kernel kernel;
  template <class... A>
  Registration(const char* name, void (*f)(A...)) {
    kernel = {name, reinterpret_cast<void*>(f), &Trampoline<A...>::invoke, &Trampoline<A...>::keep,
              registry};
    registry = &kernel;
  }
};

uint32_t shuffle(uint32_t mask, uint32_t value, int source);
// x[i] = the value of lane index[i] % lanes of this lane's group of so many: `count` shuffles at
// once.
void from_lanes(float* x, float value, const uint32_t* index, int count, int lanes);

// The twins of what ptx.cuh wraps; fragment layouts as in the PTX manual (mma.m16n8k16, ldmatrix).
// One store of 16 bytes.
inline __attribute__((always_inline)) void load_16(uint32_t (&words)[4], const void* from) {
  typedef uint32_t Words __attribute__((vector_size(16), may_alias));
  const Words x = *static_cast<const Words*>(from);
  for (int i = 0; i < 4; i++) words[i] = x[i];
}
inline __attribute__((always_inline)) void store_16(void* to, const uint32_t (&words)[4]) {
  typedef uint32_t Words __attribute__((vector_size(16), may_alias));
  *static_cast<Words*>(to) = Words{words[0], words[1], words[2], words[3]};
}
void copy_async(void* to, const void* from, int bytes, int from_bytes);
void copy_commit();
void copy_wait(int groups_in_flight);
// `tiles` groups of four 8 x 8 matrices; rows[t] is this lane's row address of group t.
void load_matrix(uint32_t* registers, int tiles, const void* const* rows, bool transposed);
// c [mt][nt][4] += a [mt][4] b [nt][2]: tiles of 16 x 8 x 16, 16-bit in, f32 accumulate.
void multiply(float* c, const uint32_t* a, const uint32_t* b, int mt, int nt, HalfFormat format);

// wgmma.cuh: sum [tiles][4] += rows of `a` that this warp has, times b. Each warp of the four
// computes by itself, at a random moment between the issue and the wait that covers it.
uint32_t shared_address(const void* p);
void warpgroup_multiply(const WarpgroupCall& call);
void warpgroup_commit();
void warpgroup_wait(int groups_in_flight);
// bulk_copy.cuh: copies land at the wait for their barrier, or before.
void copy_barrier_begin(void* barrier);
void copy_barrier_expect(void* barrier, uint32_t bytes);
void copy_barrier_wait(void* barrier, uint32_t parity);
void copy_box(void* to, const void* map, int row, int plane, int column, void* barrier);
struct PatchPlace {
  int image, y, x, channel, dy, dx;
};
void copy_patches(void* to, const void* map, const PatchPlace& from, void* barrier);
int encode_map(void* map, unsigned rank, uint64_t address, const uint64_t* sizes,
               const uint64_t* strides, const uint32_t* box, int swizzle);
int encode_patch_map(void* map, unsigned rank, uint64_t address, const uint64_t* sizes,
                     const uint64_t* strides, const int* lower, const int* upper, uint32_t channels,
                     uint32_t pixels, const uint32_t* every, int swizzle);

// 16-bit numbers, rounded to nearest even; NaN stays NaN.
uint32_t to_bf16(float x);
uint32_t to_f16(float x);
float from_f16(uint32_t bits);

}  // namespace emu

#define LN_KERNEL(kernel) static emu::Registration emu_registration_##kernel(#kernel, kernel);

#define threadIdx (emu::current_fiber->thread)
#define blockIdx (emu::current_block->index)
#define blockDim (emu::current_block->threads)
#define gridDim (emu::current_block->grid)

__attribute__((noinline)) inline void __syncthreads() { emu::barrier(__builtin_return_address(0)); }
inline void __syncwarp(uint32_t mask = 0xffffffffu) {
  emu::collective(mask, emu::kSyncWarp, nullptr, [](emu::Warp* w) { w->epoch++; });
}

template <class T>
inline T __shfl_xor_sync(uint32_t mask, T value, int lanes) {
  static_assert(sizeof(T) == 4, "a shuffle moves 32 bits");
  uint32_t bits;
  memcpy(&bits, &value, 4);
  bits = emu::shuffle(mask, bits, emu::current_fiber->lane ^ lanes);
  memcpy(&value, &bits, 4);
  return value;
}

inline float __uint_as_float(unsigned x) {
  float f;
  memcpy(&f, &x, 4);
  return f;
}
inline unsigned __float_as_uint(float f) {
  unsigned x;
  memcpy(&x, &f, 4);
  return x;
}
inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned(uint64_t(a) * b >> 32); }
