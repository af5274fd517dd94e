// The choice of experts by the sigmoid of each logit, within the best groups.  DeepSeek-V3, GLM-4.5
#include "composed/experts.h"
#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {
namespace {

constexpr int64_t kMostGroups = 32;

struct Choice {
  int64_t E, k, groups, top_groups;
  bool normalize;
  float scale;
};

// What counts in the choice; NaN less than all else, so that it is always k experts.
template <typename T>
inline float value_of(const T* z, const float* bias, int64_t e) {
  const float v = sigmoid(load(z[e])) + (bias ? bias[e] : 0.0f);
  return v == v ? v : -kInfinity;
}

// Which groups are chosen from.
template <typename T>
void find_groups(const T* z, const float* bias, const Choice& c, bool* open) {
  const int64_t each = c.E / c.groups;
  float worth[kMostGroups];
  for (int64_t g = 0; g < c.groups; g++) {
    float first = -kInfinity, second = -kInfinity;
    for (int64_t e = g * each; e < (g + 1) * each; e++) {
      const float v = value_of(z, bias, e);
      second = hi(second, lo(first, v));
      first = hi(first, v);
    }
    worth[g] = each > 1 ? first + second : first;
  }
  for (int64_t g = 0; g < c.groups; g++) {
    int64_t better = 0;
    for (int64_t o = 0; o < c.groups; o++)
      better += worth[o] > worth[g] || (worth[o] == worth[g] && o < g);
    open[g] = better < c.top_groups;
  }
}

template <typename T>
void choose(const Device* device, const T* logits, const float* bias, float* weights,
            int32_t* chosen, int64_t M, const Choice& c) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t m = 0; m < M; m++) {
    const T* z = logits + m * c.E;
    int32_t* pick = chosen + m * c.k;
    float* w = weights + m * c.k;
    bool open[kMostGroups];
    find_groups(z, bias, c, open);
    float sum = 0;
    for (int64_t j = 0; j < c.k; j++) {
      int64_t best = -1;
      float most = 0;
      for (int64_t e = 0; e < c.E; e++) {
        bool taken = !open[e / (c.E / c.groups)];
        for (int64_t i = 0; i < j; i++) taken = taken || pick[i] == e;
        if (taken) continue;
        const float v = value_of(z, bias, e);
        if (best < 0 || v > most) {
          best = e;
          most = v;
        }
      }
      pick[j] = int32_t(best);
      sum += w[j] = sigmoid(load(z[best]));
    }
    for (int64_t j = 0; j < c.k; j++) w[j] *= c.normalize ? c.scale / (sum + 1e-20f) : c.scale;
  }
}

template <typename T>
void choose_backward(const Device* device, const float* dweights, const T* logits,
                     const int32_t* chosen, T* dlogits, int64_t M, const Choice& c) {
#pragma omp parallel for num_threads(device->threads) schedule(static)
  for (int64_t m = 0; m < M; m++) {
    const T* z = logits + m * c.E;
    T* dz = dlogits + m * c.E;
    float sum = 0, mean = 0;
    for (int64_t j = 0; j < c.k; j++) {
      const float s = sigmoid(load(z[chosen[m * c.k + j]]));
      sum += s;
      mean += s * dweights[m * c.k + j];
    }
    for (int64_t e = 0; e < c.E; e++) store(dz + e, 0.0f);
    for (int64_t j = 0; j < c.k; j++) {
      const int64_t e = chosen[m * c.k + j];
      const float g = dweights[m * c.k + j];
      const float ds = c.normalize ? (g - mean / sum) / sum : g;
      store(dz + e, c.scale * ds * Logistic(load(z[e])).slope());
    }
  }
}

}  // namespace

int ln_sigmoid_route_fwd(int64_t device, int64_t logits, int64_t bias, int64_t weights,
                         int64_t chosen, int64_t order, int64_t place, int64_t offsets, int64_t M,
                         int64_t E, int64_t k, int64_t groups, int64_t top_groups,
                         int32_t normalize, float scale, int32_t dtype) {
  const Choice c{E, k, groups, top_groups, normalize != 0, scale};
  if (dtype == LN_BF16)
    choose(of(device), ptr<bf16>(logits), ptr<float>(bias), ptr<float>(weights),
           ptr<int32_t>(chosen), M, c);
  else
    choose(of(device), ptr<float>(logits), ptr<float>(bias), ptr<float>(weights),
           ptr<int32_t>(chosen), M, c);
  return put_in_order(of(device), chosen, order, place, offsets, M * k, E);
}

int ln_sigmoid_route_bwd(int64_t device, int64_t dweights, int64_t logits, int64_t chosen,
                         int64_t dlogits, int64_t M, int64_t E, int64_t k, int32_t normalize,
                         float scale, int32_t dtype) {
  const Choice c{E, k, 1, 1, normalize != 0, scale};
  if (dtype == LN_BF16)
    choose_backward(of(device), ptr<float>(dweights), ptr<bf16>(logits), ptr<int32_t>(chosen),
                    ptr<bf16>(dlogits), M, c);
  else
    choose_backward(of(device), ptr<float>(dweights), ptr<float>(logits), ptr<int32_t>(chosen),
                    ptr<float>(dlogits), M, c);
  return LN_OK;
}

}  // namespace LN_ISA
}  // namespace ln
