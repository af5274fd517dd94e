// Prodigy: AdamW that estimates its learning rate.                    Mishchenko & Defazio 2023
//
// prodigy_moments: 256 threads for 8192 numbers; updates the means, zeroes the gradient and sums
// what the estimate takes, eight numbers in f32 and those in f64. prodigy_distance adds the blocks
// in a fixed order and makes the estimate. prodigy: a thread for eight numbers, moves them. Where
// the norm is not finite only the gradient changes. Bound by memory: 40 bytes a number, then 16.
#include "clip.cuh"
#include "eight.cuh"
#include "prodigy.h"

template <bool WHOLE>
LN_DEVICE void prodigy_sums(const float* p, float* grad, const float* p0, float* m, float* v,
                            float* s, const ProdigyDistance* distance, const float* clip,
                            const gpu_step* step, double* sums, i64 n, const ProdigyArguments& a) {
  LN_DYNAMIC_SHARED(double, shared);
  const i64 first = i64(blockIdx.x) * ProdigyTile::kBlock;
  const i64 end = first + ProdigyTile::kBlock < n ? first + ProdigyTile::kBlock : n;
  const bool finite = !overflowed(clip);
  const float factor = clip[1], d = distance->d;
  const float weight = d / a.d0 * (a.warmup ? d : d * step->learning_rate);
  double along = 0, size = 0;
  for (i64 at = first + threadIdx.x * 8; at < end; at += ProdigyTile::kThreads * 8) {
    const Span<WHOLE> span(at, end);
    const Eight x = span.load(grad);
    span.store(grad, Eight{});
    if (!finite) continue;
    const Eight number = span.load(p), start = span.load(p0);
    Eight mean = span.load(m), square = span.load(v), sum = span.load(s);
    float dot = 0, norm = 0;
    LN_EACH_OF_8 {
      const float g = x[i] * factor;
      dot += g * (start[i] - number[i]);
      mean[i] = a.beta1 * mean[i] + d * (1.0f - a.beta1) * g;
      square[i] = a.beta2 * square[i] + d * d * (1.0f - a.beta2) * g * g;
      sum[i] = a.beta3 * sum[i] + weight * g;
      norm += fabsf(sum[i]);
    }
    along += double(dot);
    size += double(norm);
    span.store(m, mean);
    span.store(v, square);
    span.store(s, sum);
  }
  along = block_sum(along, shared);
  __syncthreads();
  size = block_sum(size, shared);
  if (threadIdx.x == 0) {
    sums[2 * blockIdx.x] = along;
    sums[2 * blockIdx.x + 1] = size;
  }
}

extern "C" __global__ void __launch_bounds__(ProdigyTile::kThreads)
    prodigy_moments(const float* p, float* grad, const float* p0, float* m, float* v, float* s,
                    const ProdigyDistance* distance, const float* clip, const gpu_step* step,
                    double* sums, i64 n, ProdigyArguments a) {
  LN_EIGHTS(whole_eights(n, p, grad, p0, m, v, s), prodigy_sums, p, grad, p0, m, v, s, distance,
            clip, step, sums, n, a);
}

extern "C" __global__ void __launch_bounds__(256)
    prodigy_distance(const double* sums, ProdigyDistance* distance, const float* clip,
                     const gpu_step* step, i64 blocks, ProdigyArguments a) {
  LN_DYNAMIC_SHARED(double, shared);
  double along = 0, size = 0;
  for (i64 b = threadIdx.x; b < blocks; b += blockDim.x) {
    along += sums[2 * b];
    size += sums[2 * b + 1];
  }
  along = block_sum(along, shared);
  __syncthreads();
  size = block_sum(size, shared);
  if (threadIdx.x != 0 || overflowed(clip)) return;
  const float d = distance->d;
  distance->before = size > 0 ? d : 0.0f;
  if (!(size > 0)) return;
  const float weight = d / a.d0 * (d * step->learning_rate);
  const float numerator = a.beta3 * distance->numerator + float(double(weight) * along);
  distance->numerator = numerator;
  distance->d = fmaxf(d, float(double(numerator) / size));
}

template <bool WHOLE>
LN_DEVICE void prodigy_eights(float* p, const float* m, const float* v,
                              const ProdigyDistance* distance, const float* clip,
                              const gpu_step* step, i64 n, float eps, float weight_decay) {
  const Span<WHOLE> s = own_eight<WHOLE>(n);
  if (s.empty() || overflowed(clip)) return;
  const float rate = distance->before * step->learning_rate, least = distance->d * eps;
  const float keep = 1.0f - rate * weight_decay;
  Eight move = s.load(m);
  const Eight square = s.load(v);
  LN_EACH_OF_8 move[i] = move[i] / (sqrtf(square[i]) + least);
  Eight number = s.load(p);
  LN_EACH_OF_8 number[i] = number[i] * keep - rate * move[i];
  s.store(p, number);
}

extern "C" __global__ void __launch_bounds__(256)
    prodigy(float* p, const float* m, const float* v, const ProdigyDistance* distance,
            const float* clip, const gpu_step* step, i64 n, float eps, float weight_decay) {
  LN_EIGHTS(whole_eights(n, p, m, v), prodigy_eights, p, m, v, distance, clip, step, n, eps,
            weight_decay);
}

LN_KERNEL(prodigy_moments)
LN_KERNEL(prodigy_distance)
LN_KERNEL(prodigy)
