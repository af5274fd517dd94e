// Language-model head and cross-entropy in one op, over labelled rows only.
//
//   loss = w sum_m (logsumexp(z_m) - z_m[label_m]),  z = cap(h W^T),  w = step.inv_labelled
//   dz = w (softmax(z) - onehot) cap'(z),  dh = dz W,  dw += dz^T h
//   losses[m] = a row's share of the sum, accuracy = w times the rows whose label is the likeliest
//
// Labelled rows are gathered `chunk` at a time, so logits of [chunk, V] are all that ever exists
// (V is 49 k to 256 k). Bound by the matrix products. The loss is summed in f64 in row order.
#include <math.h>

#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {
namespace {

// Rows of logits at a time: large enough to feed the matrix product, 50 MB at V = 49 k.
int64_t rows_at_once(int64_t M, int64_t asked) {
  int64_t n = asked ? asked : 256;
  return M < n ? M : n;
}

int64_t aligned(int64_t bytes) { return (bytes + 63) / 64 * 64; }

struct RowLoss {
  double loss;
  bool hit;  // the label has the largest logit
};

// What is made of a logit before the softmax, and its slope.
struct Uncapped {
  static float value(float z) { return z; }
  static float slope(float) { return 1.0f; }
};
struct Capped {
  float cap, inverse;
  float value(float z) const { return cap * fast_tanh(z * inverse); }
  float slope(float z) const { return tanh_slope(z * inverse); }
};

// Logits [V] to their gradient (in place, times weight).
// In bf16 the gradient goes to `rounded` for the matrix unit.
template <typename Cap>
RowLoss row_loss(float* z, bf16* rounded, int64_t V, int32_t label, Cap cap, float weight,
                 bool backward) {
  float most = -kInfinity;
#pragma omp simd reduction(max : most)
  for (int64_t v = 0; v < V; v++) most = hi(most, cap.value(z[v]));
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t v = 0; v < V; v++) sum += fast_exp(cap.value(z[v]) - most);
  float at_label = cap.value(z[label]);
  RowLoss row{log(double(sum)) + double(most) - double(at_label), at_label >= most};
  if (!backward) return row;
  float inverse_sum = weight / sum, of_label = weight * cap.slope(z[label]);
#pragma omp simd
  for (int64_t v = 0; v < V; v++)
    z[v] = fast_exp(cap.value(z[v]) - most) * inverse_sum * cap.slope(z[v]);
  z[label] -= of_label;
  if (rounded)
    for (int64_t v = 0; v < V; v++) store(rounded + v, z[v]);
  return row;
}

template <typename T>
int run(Device* device, const T* h, int64_t w, const int32_t* labels, const Step* step, float* loss,
        float* losses, float* accuracy, T* dh, int64_t dw, char* scratch, int64_t M, int64_t C,
        int64_t V, float softcap, int64_t asked, int32_t w_dtype, int32_t dtype) {
  int64_t size = sizeof(T), chunk = rows_at_once(M, asked);
  float* logits = reinterpret_cast<float*>(scratch);
  scratch += aligned(chunk * V * 4);
  T* gathered = reinterpret_cast<T*>(scratch);
  scratch += aligned(chunk * C * size);
  int64_t* rows = reinterpret_cast<int64_t*>(scratch);
  scratch += aligned(chunk * 8);
  RowLoss* done = reinterpret_cast<RowLoss*>(scratch);
  scratch += aligned(chunk * int64_t(sizeof(RowLoss)));
  bf16* rounded = dtype == LN_BF16 ? reinterpret_cast<bf16*>(scratch) : nullptr;
  float weight = step->inv_labelled, gradient_weight = weight * step->loss_scale;
  double total = 0;
  int64_t hits = 0;
  bool backward = dh != nullptr;
  if (backward) memset(dh, 0, size_t(M * C * size));
  memset(losses, 0, size_t(M * 4));

  for (int64_t m = 0; m < M;) {
    int64_t n = 0;
    for (; m < M && n < chunk; m++)
      if (labels[m] >= 0) {
        if (labels[m] >= V)
          return fail(LN_INVALID, "label %d at row %lld is outside the vocabulary of %lld",
                      labels[m], (long long)m, (long long)V);
        memcpy(gathered + n * C, h + m * C, size_t(C * size));
        rows[n++] = m;
      }
    if (n == 0) break;
    int64_t from = reinterpret_cast<int64_t>(gathered), z = reinterpret_cast<int64_t>(logits);
    Gemm head{n, V, C, {from, dtype, false}, {w, w_dtype, true}, {z, LN_F32, false}};
    if (int status = device->gemm(device, head)) return status;
#pragma omp parallel for num_threads(device->threads) schedule(static)
    for (int64_t i = 0; i < n; i++) {
      bf16* own = rounded ? rounded + i * V : nullptr;
      auto with = [&](auto cap) {
        return row_loss(logits + i * V, own, V, labels[rows[i]], cap, gradient_weight, backward);
      };
      done[i] = softcap > 0 ? with(Capped{softcap, 1.0f / softcap}) : with(Uncapped());
    }
    for (int64_t i = 0; i < n; i++) {
      losses[rows[i]] = float(done[i].loss);
      total += done[i].loss;
      hits += done[i].hit;
    }
    if (!backward) continue;
    int64_t dz = rounded ? reinterpret_cast<int64_t>(rounded) : z;
    if (dw) {
      Gemm weight{V, C, n, {dz, dtype, true}, {from, dtype, false}, {dw, LN_F32, false}};
      weight.accumulate = true;
      if (int status = device->gemm(device, weight)) return status;
    }
    Gemm back{n, C, V, {dz, dtype, false}, {w, w_dtype, false}, {from, dtype, false}};
    if (int status = device->gemm(device, back)) return status;
    for (int64_t i = 0; i < n; i++) memcpy(dh + rows[i] * C, gathered + i * C, size_t(C * size));
  }
  *loss = float(total * double(weight));
  *accuracy = float(double(hits) * double(weight));
  return LN_OK;
}

}  // namespace

int64_t ln_linear_cross_entropy_scratch(int64_t, int64_t M, int64_t C, int64_t V, int64_t asked,
                                        int32_t, int32_t dtype, int32_t) {
  int64_t size = dtype == LN_BF16 ? 2 : 4, chunk = rows_at_once(M, asked);
  return aligned(chunk * V * 4) + aligned(chunk * C * size) + aligned(chunk * 8) +
         aligned(chunk * int64_t(sizeof(RowLoss))) +
         (dtype == LN_BF16 ? aligned(chunk * V * size) : 0);
}

int ln_linear_cross_entropy_fwd(int64_t device, int64_t h, int64_t w, int64_t labels, int64_t step,
                                int64_t loss, int64_t losses, int64_t accuracy, int64_t dh,
                                int64_t dw, int64_t scratch, int64_t M, int64_t C, int64_t V,
                                float softcap, int64_t chunk, int32_t w_dtype, int32_t dtype) {
  auto with = [&](auto* type) {
    using T = __typeof__(*type);
    return run(of(device), ptr<T>(h), w, ptr<int32_t>(labels), ptr<Step>(step), ptr<float>(loss),
               ptr<float>(losses), ptr<float>(accuracy), ptr<T>(dh), dw, ptr<char>(scratch), M, C,
               V, softcap, chunk, w_dtype, dtype);
  };
  return dtype == LN_BF16 ? with(ptr<bf16>(0)) : with(ptr<float>(0));
}

}  // namespace LN_ISA
}  // namespace ln
