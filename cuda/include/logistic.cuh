// Sigmoid and tanh with their slopes, for all kernels.
#pragma once
#include "gpu.cuh"

LN_DEVICE float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

// The sigmoid of x and what it lacks of 1, which is the sigmoid of -x: as 1 - s it would have lost
// its digits where s is near 1.
struct Logistic {
  float s, rest;

  LN_DEVICE explicit Logistic(float x) {
    const float e = expf(-fabsf(x)), more = 1.0f / (1.0f + e), less = e * more;
    s = x < 0 ? less : more;
    rest = x < 0 ? more : less;
  }
  LN_DEVICE float slope() const { return s * rest; }
};

// 1 / cosh(x)^2, with all its digits where tanh is near 1.
LN_DEVICE float tanh_slope(float x) { return 4.0f * Logistic(2.0f * x).slope(); }
