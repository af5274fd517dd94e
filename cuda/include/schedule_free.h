// AdamW without a schedule: signatures.
#pragma once
#include "optimizer.h"

// The average over steps, kept between them.
struct StepAverage {
  float most_rate, weights, share;
};

LN_SIGNATURE schedule_free_weight(StepAverage* average, const float* clip, const gpu_step* step);
LN_SIGNATURE schedule_free_adamw(float* y, float* grad, float* z, float* v,
                                 const StepAverage* average, const float* clip,
                                 const gpu_step* step, i64 n, AdamWArguments a);
