// AdamW without a schedule: signatures.
#pragma once
#include "types.h"

// The average over steps, kept between them.
struct StepAverage {
  float most_rate, weights, share;
};
struct ScheduleFreeArguments {
  float rate, beta1, beta2, eps, weight_decay;
};

LN_SIGNATURE schedule_free_weight(StepAverage* average, const float* clip, const gpu_step* step);
LN_SIGNATURE schedule_free_adamw(float* y, float* grad, float* z, float* v,
                                 const StepAverage* average, const float* clip,
                                 const gpu_step* step, i64 n, ScheduleFreeArguments a);
