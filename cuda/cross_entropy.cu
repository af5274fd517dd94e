// Language-model head and cross-entropy over labelled rows, in chunks.
//
//   loss = w sum_m (logsumexp(z_m) - z_m[label_m]),  z = cap(h W^T),  w = step.inv_labelled
//   dz = w (softmax(z) - onehot) cap'(z)
//
// label_rows lists the labelled rows in order and counts them on the device, one block, a segment a
// thread; gather, the two products (tensor_gemm.cu) and scatter work on `chunk` of them at a time,
// and blocks past the count return. row_loss: one block of 128 for a row of [V] logits, three
// passes; bound by memory. sum_losses adds in a fixed order, in f64. In f16 gradients carry the
// step's loss_scale.
#include "cross_entropy.h"
#include "eight.cuh"

extern "C" __global__ void __launch_bounds__(256)
    label_rows(const i32* labels, i32* rows, i32* count, i64 M) {
  LN_DYNAMIC_SHARED(i32, before);  // labelled rows in the segments before a thread's
  i64 segment = (M + blockDim.x - 1) / blockDim.x, from = segment * threadIdx.x;
  i64 to = from + segment < M ? from + segment : M;
  i32 n = 0;
  for (i64 m = from; m < to; m++) n += labels[m] >= 0;
  before[threadIdx.x] = n;
  __syncthreads();
  if (threadIdx.x == 0) {
    i32 sum = 0;
    for (u32 t = 0; t < blockDim.x; t++) {
      i32 here = before[t];
      before[t] = sum;
      sum += here;
    }
    *count = sum;
  }
  __syncthreads();
  i32 at = before[threadIdx.x];
  for (i64 m = from; m < to; m++)
    if (labels[m] >= 0) rows[at++] = i32(m);
}

template <bool WHOLE, typename T>
LN_DEVICE void gather_rows(const T* h, const i32* rows, const i32* count, T* y, i64 offset,
                           i64 chunk, i64 C) {
  const RowSpan<WHOLE> s(u32(global_thread()), C);
  if (s.row >= chunk || offset + s.row >= *count) return;
  s.store(y + s.row * C, s.load(h + i64(rows[offset + s.row]) * C));
}

template <bool WHOLE, typename T>
LN_DEVICE void scatter_rows(const T* y, const i32* rows, const i32* count, T* h, i64 offset,
                            i64 chunk, i64 C) {
  const RowSpan<WHOLE> s(u32(global_thread()), C);
  if (s.row >= chunk || offset + s.row >= *count) return;
  s.store(h + i64(rows[offset + s.row]) * C, s.load(y + s.row * C));
}

// Sum or maximum over a block of four warps, through shared memory.
LN_DEVICE float block_reduce(float x, float* shared, bool maximum) {
  x = maximum ? warp_max(x) : warp_sum(x);
  __syncthreads();  // the last use of shared is over
  if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = x;
  __syncthreads();
  float y = shared[0];
  for (int w = 1; w < int(blockDim.x) / 32; w++) y = maximum ? fmaxf(y, shared[w]) : y + shared[w];
  return y;
}

template <typename T>
LN_DEVICE void row_loss(float* logits, T* gradient, const i32* labels, const i32* rows,
                        const i32* count, const gpu_step* step, float* losses, i64 offset, i64 V,
                        float softcap, i32 backward) {
  LN_DYNAMIC_SHARED(float, shared);
  i64 row = blockIdx.x;
  if (offset + row >= *count) return;  // the whole block
  float* z = logits + row * V;
  i32 label = labels[rows[offset + row]];
  float most = negative_infinity();
  for (i64 v = threadIdx.x; v < V; v += blockDim.x) {
    float x = z[v];
    if (softcap > 0) z[v] = x = softcap * tanhf(x / softcap);
    most = fmaxf(most, x);
  }
  most = block_reduce(most, shared, true);
  float sum = 0;
  for (i64 v = threadIdx.x; v < V; v += blockDim.x) sum += expf(z[v] - most);
  sum = block_reduce(sum, shared, false);
  if (threadIdx.x == 0) losses[offset + row] = logf(sum) + most - z[label];
  if (!backward) return;
  // No division in the loop: its slow path is a call, which spills registers on sm_100.
  float weight = step->inv_labelled * step->loss_scale, inverse = 1.0f / sum;
  float of_cap = softcap > 0 ? 1.0f / softcap : 0.0f;
  __syncthreads();  // z[label] has been read
  for (i64 v = threadIdx.x; v < V; v += blockDim.x) {
    float t = z[v] * of_cap;
    float p = expf(z[v] - most) * inverse - (v == label ? 1.0f : 0.0f);
    store(gradient + row * V + v, weight * p * (1.0f - t * t));
  }
}

extern "C" __global__ void __launch_bounds__(256)
    sum_losses(const float* losses, const i32* count, const gpu_step* step, float* loss) {
  LN_DYNAMIC_SHARED(double, shared);
  double sum = 0;
  for (i32 i = i32(threadIdx.x); i < *count; i += i32(blockDim.x)) sum += double(losses[i]);
  sum = block_sum(sum, shared);
  if (threadIdx.x == 0) *loss = float(sum * double(step->inv_labelled));
}

LN_INSTANCES((256), gather_rows,
             (const T* h, const i32* rows, const i32* count, T* y, i64 offset, i64 chunk, i64 C),
             LN_EIGHTS(whole_eights(C, h, y), gather_rows, h, rows, count, y, offset, chunk, C))
LN_INSTANCES((256), scatter_rows,
             (const T* y, const i32* rows, const i32* count, T* h, i64 offset, i64 chunk, i64 C),
             LN_EIGHTS(whole_eights(C, h, y), scatter_rows, y, rows, count, h, offset, chunk, C))
LN_INSTANCES((128), row_loss,
             (float* logits, T* gradient, const i32* labels, const i32* rows, const i32* count,
              const gpu_step* step, float* losses, i64 offset, i64 V, float softcap, i32 backward),
             row_loss(logits, gradient, labels, rows, count, step, losses, offset, V, softcap,
                      backward))
LN_KERNEL(label_rows)
LN_KERNEL(sum_losses)
