// Language-model head and cross-entropy over labelled rows, in chunks.
//
//   loss = w sum_m (logsumexp(z_m) - z_m[label_m]),  z = cap(h W^T),  w = step.inv_labelled
//   dz = w (softmax(z) - onehot) cap'(z)
//   losses[m] = a row's share of the sum, accuracy = w times the rows whose label is the likeliest
//
// label_rows lists the labelled rows in order and counts them on the device, one block, a segment a
// thread; gather, the two products (tensor_gemm.cu) and scatter work on `chunk` of them at a time,
// and blocks past the count return. head_loss: one block of 512 for a row of [V] numbers that
// head_gemm.cu left, 8 a thread; it ends the softmax from the groups' sums and makes the gradient
// in place. Bound by memory: 2 bytes a logit read, 2 written. row_loss does all of it from logits
// in f32, where the product is not on the tensor cores: 8 bytes read, 2 (4 in f32) written.
// sum_losses adds in a fixed order, in f64; rows without a label hold 0. In f16 gradients carry the
// step's loss_scale.
#include "cross_entropy.h"
#include "eight.cuh"
#include "logistic.cuh"

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

// The largest logit so far, and the sum of exp(z - most) (online softmax; Milakov and Gimelshein
// 2018).
struct RunningSoftmax {
  float most = negative_infinity(), sum = 0;

  LN_DEVICE void add(float other_most, float other_sum) {
    const float m = fmaxf(most, other_most);
    if (m == negative_infinity()) return;
    sum = sum * expf(most - m) + other_sum * expf(other_most - m);
    most = m;
  }

  // Over the block, the same in each thread, in a fixed order.
  LN_DEVICE void combine(float* shared) {
    for (int lanes = 16; lanes > 0; lanes >>= 1)
      add(__shfl_xor_sync(0xffffffffu, most, lanes), __shfl_xor_sync(0xffffffffu, sum, lanes));
    const u32 warps = blockDim.x / 32;
    if (threadIdx.x % 32 == 0) {
      shared[threadIdx.x / 32] = most;
      shared[warps + threadIdx.x / 32] = sum;
    }
    __syncthreads();
    *this = RunningSoftmax();
    for (u32 w = 0; w < warps; w++) add(shared[w], shared[warps + w]);
  }
};

// The gradient takes the logits' place; of 16 bits, the first half of the row's. What a block
// writes in a round lies before what it reads in the next.
template <bool WHOLE, typename T>
LN_DEVICE void row_loss(T, float* logits, const i32* labels, const i32* rows, const i32* count,
                        const gpu_step* step, float* losses, float* hits, i64 offset, i64 V,
                        float softcap, i32 backward) {
  LN_DYNAMIC_SHARED(float, shared);
  const i64 row = blockIdx.x;
  if (offset + row >= *count) return;  // the whole block
  float* z = logits + row * V;
  const i32 place = rows[offset + row], label = labels[place];
  const float of_cap = softcap > 0 ? 1.0f / softcap : 0.0f;
  auto capped = [&](float x) { return softcap > 0 ? softcap * tanhf(x * of_cap) : x; };
  auto span = [&](i64 round) { return Span<WHOLE>((round * blockDim.x + threadIdx.x) * 8, V); };
  const i64 rounds = (V + 8 * blockDim.x - 1) / (8 * blockDim.x);

  RunningSoftmax softmax;
  for (i64 round = 0; round < rounds; round++) {
    const Span<WHOLE> s = span(round);
    Eight x = s.load(z);
    float most = softmax.most;
    LN_EACH_OF_8 {
      x[i] = i < s.count ? capped(x[i]) : negative_infinity();
      most = fmaxf(most, x[i]);
    }
    if (most == negative_infinity()) continue;
    float sum = softmax.sum * expf(softmax.most - most);
    LN_EACH_OF_8 sum += expf(x[i] - most);
    softmax.most = most;
    softmax.sum = sum;
  }
  softmax.combine(shared);
  if (threadIdx.x == 0) {
    const float at_label = capped(z[label]);
    losses[place] = logf(softmax.sum) + softmax.most - at_label;
    hits[place] = at_label >= softmax.most ? 1.0f : 0.0f;
  }
  if (!backward) return;
  // No division in the loop: its slow path is a call, which spills registers.
  const float weight = step->inv_labelled * step->loss_scale, inverse = 1.0f / softmax.sum;
  for (i64 round = 0; round < rounds; round++) {
    const Span<WHOLE> s = span(round);
    Eight x = s.load(z);
    LN_EACH_OF_8 {
      const float slope = softcap > 0 ? tanh_slope(x[i] * of_cap) : 1.0f;
      const float p = expf(capped(x[i]) - softmax.most) * inverse;
      x[i] = weight * slope * (p - (s.at + i == label ? 1.0f : 0.0f));
    }
    __syncthreads();  // the round, and z[label], have been read
    s.store(reinterpret_cast<T*>(z), x);
  }
}

// `pitch` is V in whole eights: what fills a row up becomes zeros, which products of the gradient
// read. No numbers for evaluation.
template <typename T>
LN_DEVICE void head_loss(T* numbers, const HeadGroup* groups, const float* logit_of_label,
                         const i32* labels, const i32* rows, const i32* count, const gpu_step* step,
                         float* losses, float* hits, i64 offset, i64 V, i64 pitch,
                         i32 group_columns, float softcap) {
  LN_DYNAMIC_SHARED(float, shared);
  const i64 row = blockIdx.x;
  if (offset + row >= *count) return;  // the whole block
  const i32 place = rows[offset + row], label = labels[place];
  const u32 width = u32(group_columns), of_row = (u32(V) + width - 1) / width;
  const HeadGroup* own = groups + row * of_row;
  RunningSoftmax softmax;
  for (u32 i = threadIdx.x; i < of_row; i += blockDim.x) softmax.add(own[i].most, own[i].sum);
  softmax.combine(shared);
  const float at_label = logit_of_label[row];
  if (threadIdx.x == 0) {
    losses[place] = logf(softmax.sum) + softmax.most - at_label;
    hits[place] = at_label >= softmax.most ? 1.0f : 0.0f;
  }
  if (!numbers) return;
  const float weight = step->inv_labelled * step->loss_scale, inverse = 1.0f / softmax.sum;
  const float t = softcap > 0 ? at_label / softcap : 0.0f;
  const float of_label =
      weight * (1.0f - t) * (1.0f + t) * (expf(at_label - softmax.most) * inverse - 1.0f);
  T* own_numbers = numbers + row * pitch;
  for (u32 at = threadIdx.x * 8; at < u32(pitch); at += blockDim.x * 8) {
    const Span<true> s(at, pitch);
    Eight x = s.load(own_numbers);
    const float factor = weight * inverse * expf(own[at / width].most - softmax.most);
    LN_EACH_OF_8 {
      const u32 v = at + i;
      x[i] = v == u32(label) ? of_label : v < u32(V) ? x[i] * factor : 0.0f;
    }
    s.store(own_numbers, x);
  }
}

extern "C" __global__ void __launch_bounds__(256)
    sum_losses(const float* losses, const float* hits, const gpu_step* step, float* loss,
               float* accuracy, i64 M) {
  LN_DYNAMIC_SHARED(double, shared);
  double sum = 0, right = 0;
  for (i64 i = threadIdx.x; i < M; i += blockDim.x) {
    sum += double(losses[i]);
    right += double(hits[i]);
  }
  sum = block_sum(sum, shared);
  __syncthreads();  // the sum has been read
  right = block_sum(right, shared);
  if (threadIdx.x == 0) {
    *loss = float(sum * double(step->inv_labelled));
    *accuracy = float(right * double(step->inv_labelled));
  }
}

LN_INSTANCES((256), gather_rows,
             (const T* h, const i32* rows, const i32* count, T* y, i64 offset, i64 chunk, i64 C),
             LN_EIGHTS(whole_eights(C, h, y), gather_rows, h, rows, count, y, offset, chunk, C))
LN_INSTANCES((256), scatter_rows,
             (const T* y, const i32* rows, const i32* count, T* h, i64 offset, i64 chunk, i64 C),
             LN_EIGHTS(whole_eights(C, h, y), scatter_rows, y, rows, count, h, offset, chunk, C))
LN_INSTANCES((512), row_loss,
             (float* logits, const i32* labels, const i32* rows, const i32* count,
              const gpu_step* step, float* losses, float* hits, i64 offset, i64 V, float softcap,
              i32 backward),
             LN_EIGHTS(whole_eights(V, logits), row_loss, T(), logits, labels, rows, count, step,
                       losses, hits, offset, V, softcap, backward))
LN_INSTANCES_16_BIT((512), head_loss,
                    (T * numbers, const HeadGroup* groups, const float* logit_of_label,
                     const i32* labels, const i32* rows, const i32* count, const gpu_step* step,
                     float* losses, float* hits, i64 offset, i64 V, i64 pitch, i32 group_columns,
                     float softcap),
                    head_loss(numbers, groups, logit_of_label, labels, rows, count, step, losses,
                              hits, offset, V, pitch, group_columns, softcap))
LN_KERNEL(label_rows)
LN_KERNEL(sum_losses)
