// What LoHa and LoKr add to a frozen weight, and the way back to what it is made of.
//                                                                      Yeh et al. 2023 (LyCORIS)
//
//   hadamard          D = s P1 o P2, eight numbers a thread
//   hadamard_bwd      P1, P2 = s dD o P2, s dD o P1: the products' gradients in their place, which
//                     matrix products bring on to their factors
//   kronecker         D = s w1 (x) w2, a thread for a number
//   kronecker_first   dw1 += s sum dD w2: a block of 128 threads for a number of w1, sums in f32 by
//                     thread, then in f64 across the block in a fixed order, 1 KB of shared memory
//   kronecker_second  dw2 = s sum dD w1: a thread for a number of w2, sums in order
//
// All are bound by memory, D read or written once.
#include "delta.h"
#include "eight.cuh"

template <bool WHOLE, typename T>
LN_DEVICE void hadamard(const float* p1, const float* p2, T* d, i64 n, float scale) {
  const Span<WHOLE> s = own_eight<WHOLE>(n);
  Eight x = s.load(p1);
  const Eight y = s.load(p2);
  LN_EACH_OF_8 x[i] *= scale * y[i];
  s.store(d, x);
}

template <bool WHOLE>
LN_DEVICE void gradients(const float* dd, float* p1, float* p2, i64 n, float scale) {
  const Span<WHOLE> s = own_eight<WHOLE>(n);
  const Eight g = s.load(dd);
  Eight x = s.load(p1), y = s.load(p2);
  LN_EACH_OF_8 {
    const float first = x[i];
    x[i] = scale * g[i] * y[i];
    y[i] = scale * g[i] * first;
  }
  s.store(p1, x);
  s.store(p2, y);
}

extern "C" __global__ void __launch_bounds__(256)
    hadamard_bwd(const float* dd, float* p1, float* p2, i64 n, float scale) {
  LN_EIGHTS(whole_eights(n, dd, p1, p2), gradients, dd, p1, p2, n, scale);
}

// Where the number at `at` of D comes from.
struct KroneckerPlace {
  i64 first, second;

  LN_DEVICE KroneckerPlace(i64 at, const KroneckerArguments& k) {
    const i64 channel = at % (k.in_m * k.in_n), row = at / (k.in_m * k.in_n);
    const i64 tap = row % k.taps, o = row / k.taps;
    first = o / k.out_k * k.in_m + channel / k.in_n;
    second = (o % k.out_k * k.taps + tap) * k.in_n + channel % k.in_n;
  }
};

template <typename T>
LN_DEVICE void kronecker(const float* w1, const float* w2, T* d, const KroneckerArguments& k) {
  const i64 at = global_thread();
  if (at >= k.out_l * k.out_k * k.taps * k.in_m * k.in_n) return;
  const KroneckerPlace place(at, k);
  store(d + at, k.scale * w1[place.first] * w2[place.second]);
}

// Where number `second` of w2 lies in D beside number (o1, i1) of w1.
LN_DEVICE i64 beside(i64 second, i64 o1, i64 i1, const KroneckerArguments& k) {
  const i64 i2 = second % k.in_n, row = second / k.in_n, tap = row % k.taps, o2 = row / k.taps;
  return ((o1 * k.out_k + o2) * k.taps + tap) * k.in_m * k.in_n + i1 * k.in_n + i2;
}

extern "C" __global__ void __launch_bounds__(128)
    kronecker_first(const float* dd, const float* w2, float* dw1, KroneckerArguments k) {
  LN_DYNAMIC_SHARED(double, shared);
  const i64 o1 = blockIdx.x / k.in_m, i1 = blockIdx.x % k.in_m;
  float some = 0;
  for (i64 at = threadIdx.x; at < k.out_k * k.taps * k.in_n; at += KroneckerTile::kThreads)
    some += dd[beside(at, o1, i1, k)] * w2[at];
  const double sum = block_sum(double(some), shared);
  if (threadIdx.x == 0) dw1[blockIdx.x] += k.scale * float(sum);
}

extern "C" __global__ void __launch_bounds__(128)
    kronecker_second(const float* dd, const float* w1, float* dw2, KroneckerArguments k,
                     i32 accumulate) {
  const i64 at = global_thread();
  if (at >= k.out_k * k.taps * k.in_n) return;
  float sum = 0;
  for (i64 o1 = 0; o1 < k.out_l; o1++)
    for (i64 i1 = 0; i1 < k.in_m; i1++) sum += dd[beside(at, o1, i1, k)] * w1[o1 * k.in_m + i1];
  dw2[at] = (accumulate ? dw2[at] : 0.0f) + k.scale * sum;
}

LN_INSTANCES((256), hadamard, (const float* p1, const float* p2, T* d, i64 n, float scale),
             LN_EIGHTS(whole_eights(n, p1, p2, d), hadamard, p1, p2, d, n, scale))
LN_KERNEL(hadamard_bwd)
LN_INSTANCES((128), kronecker, (const float* w1, const float* w2, T* d, KroneckerArguments k),
             kronecker(w1, w2, d, k))
LN_KERNEL(kronecker_first)
LN_KERNEL(kronecker_second)
