// AdamW that averages over steps instead of lowering the learning rate.        Defazio et al. 2024
//
// schedule_free_weight: one thread, how much this step counts in the average. schedule_free_adamw:
// a thread for eight numbers, zeroes the gradient; leaves everything else as it is where the norm
// is not finite. Bound by memory: 32 bytes a number.
#include "clip.cuh"
#include "eight.cuh"
#include "schedule_free.h"

extern "C" __global__ void __launch_bounds__(32)
    schedule_free_weight(StepAverage* average, const float* clip, const gpu_step* step) {
  if (threadIdx.x != 0 || overflowed(clip)) return;
  const float most = fmaxf(average->most_rate, step->learning_rate), weight = most * most;
  const float weights = average->weights + weight;
  average->most_rate = most;
  average->weights = weights;
  average->share = weights > 0 ? weight / weights : 0.0f;
}

template <bool WHOLE>
LN_DEVICE void schedule_free_eights(float* y, float* grad, float* z, float* v,
                                    const StepAverage* average, const float* clip,
                                    const gpu_step* step, i64 n, const AdamWArguments& a) {
  const Span<WHOLE> s = own_eight<WHOLE>(n);
  if (s.empty()) return;
  const Eight x = s.load(grad);
  s.store(grad, Eight{});
  if (overflowed(clip)) return;
  const float factor = clip[1], rate = step->learning_rate * a.rate, share = average->share;
  const float root = 1.0f / sqrtf(step->bias2), back = rate * (a.beta1 * (1.0f - share) - 1.0f);
  Eight number = s.load(y), base = s.load(z), square = s.load(v);
  LN_EACH_OF_8 {
    const float g = x[i] * factor;
    square[i] = a.beta2 * square[i] + (1.0f - a.beta2) * g * g;
    const float move = g / (sqrtf(square[i]) * root + a.eps) + a.weight_decay * number[i];
    number[i] += share * (base[i] - number[i]) + back * move;
    base[i] -= rate * move;
  }
  s.store(y, number);
  s.store(z, base);
  s.store(v, square);
}

extern "C" __global__ void __launch_bounds__(256)
    schedule_free_adamw(float* y, float* grad, float* z, float* v, const StepAverage* average,
                        const float* clip, const gpu_step* step, i64 n, AdamWArguments a) {
  LN_EIGHTS(whole_eights(n, y, grad, z, v), schedule_free_eights, y, grad, z, v, average, clip,
            step, n, a);
}

LN_KERNEL(schedule_free_weight)
LN_KERNEL(schedule_free_adamw)
