// Adafactor and CAME: second moments as the product of their rows' and their columns' means. A
// thread for a matrix.                                  Shazeer & Stern 2018, Luo et al. 2023
#include <math.h>

#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {

namespace {

struct Matrix {
  int32_t sixteens, rows, columns, row, column, axes;

  int64_t offset() const { return int64_t(sixteens) * 16; }
};

int64_t size(const Matrix& at) { return int64_t(at.rows) * at.columns; }

// What stands for the mean of squares of a matrix.
struct Means {
  float *row, *column;
};

// Moves both means towards those of square(index), which is positive, by `fresh`.
template <typename F>
void update(const Matrix& at, Means means, float fresh, F square) {
  const int64_t rows = at.rows, columns = at.columns;
  for (int64_t j = 0; j < rows; j++) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = j * columns; i < (j + 1) * columns; i++) sum += square(i);
    means.row[j] += fresh * (float(sum / double(columns)) - means.row[j]);
  }
  constexpr int64_t kChunk = 64;  // of columns: sums of their own, or small steps would be lost
  for (int64_t first = 0; first < columns; first += kChunk) {
    const int64_t width = lo(kChunk, columns - first);
    double sums[kChunk] = {};
    for (int64_t j = 0; j < rows; j++)
#pragma omp simd
      for (int64_t k = 0; k < width; k++) sums[k] += square(j * columns + first + k);
    for (int64_t k = 0; k < width; k++) {
      float& mean = means.column[first + k];
      mean += fresh * (float(sums[k] / double(rows)) - mean);
    }
  }
}

// Calls `each` with every index and one over the root of what stands there.
template <typename F>
void walk(const Matrix& at, Means means, F each) {
  const int64_t rows = at.rows, columns = at.columns;
  double sum = 0;
  for (int64_t j = 0; j < rows; j++) sum += means.row[j];
  const float mean = float(sum / double(rows));
  for (int64_t j = 0; j < rows; j++) {
    const float of_row = sqrtf(mean / means.row[j]);
#pragma omp simd
    for (int64_t k = 0; k < columns; k++) each(j * columns + k, of_row / sqrtf(means.column[k]));
  }
}

// Turns gradients into updates; returns what divides these, so that their rms is no more than 1.
float updates(const Matrix& at, Means means, float* grad, float clip_factor, float fresh) {
  update(at, means, fresh, [=](int64_t i) {
    float x = grad[i] * clip_factor;
    return x * x + 1e-30f;
  });
  walk(at, means, [=](int64_t i, float spread) { grad[i] *= clip_factor * spread; });
  const int64_t n = size(at);
  double squares = 0;
#pragma omp simd reduction(+ : squares)
  for (int64_t i = 0; i < n; i++) squares += double(grad[i]) * double(grad[i]);
  return hi(1.0f, float(sqrt(squares / double(n))));
}

// Calls `step` with every matrix, its parameters and gradients; these are zeros afterwards.
template <typename F>
void each_matrix(int64_t device, int64_t p, int64_t grad, int64_t matrices, int64_t clip,
                 int64_t first, int64_t count, F step) {
  const bool finite = ptr<float>(clip)[0] < INFINITY;  // a step that overflowed changes nothing
#pragma omp parallel for num_threads(of(device)->threads) schedule(dynamic)
  for (int64_t i = first; i < first + count; i++) {
    const Matrix at = ptr<Matrix>(matrices)[i];
    float* g = ptr<float>(grad) + at.offset();
    if (finite) step(at, ptr<float>(p) + at.offset(), g);
    for (int64_t j = 0; j < size(at); j++) g[j] = 0.0f;
  }
}

Means of_matrix(const Matrix& at, int64_t row, int64_t column) {
  return {ptr<float>(row) + at.row, ptr<float>(column) + at.column};
}

}  // namespace

int ln_adafactor_fwd(int64_t device, int64_t p, int64_t grad, int64_t row, int64_t column,
                     int64_t matrices, int64_t clip, int64_t step, int64_t first, int64_t count,
                     float rate, float weight_decay) {
  const Step* now = ptr<Step>(step);
  const float clip_factor = ptr<float>(clip)[1], lr = now->learning_rate * rate;
  const float fresh = powf(float(now->step), -0.8f);  // 1 - beta2
  each_matrix(device, p, grad, matrices, clip, first, count,
              [=](const Matrix& at, float* w, float* g) {
                Means squares = of_matrix(at, row, column);
                float move = lr / updates(at, squares, g, clip_factor, fresh);
                for (int64_t i = 0; i < size(at); i++)
                  w[i] -= lr * weight_decay * w[i] + move * g[i];
              });
  return LN_OK;
}

int ln_came_fwd(int64_t device, int64_t p, int64_t grad, int64_t m, int64_t row, int64_t column,
                int64_t residual_row, int64_t residual_column, int64_t matrices, int64_t clip,
                int64_t step, int64_t first, int64_t count, float rate, float beta1, float beta2,
                float beta3, float weight_decay) {
  const float clip_factor = ptr<float>(clip)[1], lr = ptr<Step>(step)->learning_rate * rate;
  each_matrix(
      device, p, grad, matrices, clip, first, count, [=](const Matrix& at, float* w, float* g) {
        const int64_t n = size(at);
        float* mean = ptr<float>(m) + at.offset();
        float excess = updates(at, of_matrix(at, row, column), g, clip_factor, 1.0f - beta2);
        for (int64_t i = 0; i < n; i++) {
          g[i] /= excess;
          mean[i] += (1.0f - beta1) * (g[i] - mean[i]);
          w[i] -= lr * weight_decay * w[i];
        }
        if (at.axes == 1) {
          for (int64_t i = 0; i < n; i++) w[i] -= lr * mean[i];
          return;
        }
        Means residuals = of_matrix(at, residual_row, residual_column);
        update(at, residuals, 1.0f - beta3, [=](int64_t i) {
          float x = g[i] - mean[i];
          return x * x + 1e-16f;
        });
        walk(at, residuals, [=](int64_t i, float spread) { w[i] -= lr * (mean[i] * spread); });
      });
  return LN_OK;
}

}  // namespace LN_ISA
}  // namespace ln
