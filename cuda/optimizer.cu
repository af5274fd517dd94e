// Global gradient norm, AdamW and Lion over many adapters in one launch.
//                                               Loshchilov & Hutter 2019, Chen et al. 2023
//
// norm_blocks: 256 threads sum the squares of 65536 numbers, eight in f32 and those in f64;
// norm_finish adds the blocks in a fixed order and takes the loss scale out. adamw: a thread for
// eight numbers, zeroes the gradient; leaves everything else as it is where the norm is not finite.
// adamw8bit: the same with moments of 8 bits, a warp for the 256 numbers that share a scale. Bound
// by memory: 32 bytes a number, 20 with 8 bits. lion keeps the mean alone: 24 bytes. ema: the
// average of the numbers over steps, 12 bytes.
#include "clip.cuh"
#include "eight.cuh"
#include "optimizer.h"

template <bool WHOLE>
LN_DEVICE void sum_squares(const float* g, double* sums, i64 n) {
  LN_DYNAMIC_SHARED(double, shared);
  const i64 first = i64(blockIdx.x) * NormTile::kBlock;
  const i64 end = first + NormTile::kBlock < n ? first + NormTile::kBlock : n;
  double sum = 0;
#pragma unroll 4
  for (i64 at = first + threadIdx.x * 8; at < end; at += NormTile::kThreads * 8) {
    const Eight x = Span<WHOLE>(at, end).load(g);
    float squares = 0;
    LN_EACH_OF_8 squares += x[i] * x[i];
    sum += double(squares);
  }
  sum = block_sum(sum, shared);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

extern "C" __global__ void __launch_bounds__(NormTile::kThreads)
    norm_blocks(const float* g, double* sums, i64 n) {
  LN_EIGHTS(whole_eights(n, g), sum_squares, g, sums, n);
}

extern "C" __global__ void __launch_bounds__(256)
    norm_finish(const double* sums, const gpu_step* step, float* out, i64 blocks, float max_norm) {
  LN_DYNAMIC_SHARED(double, shared);
  double sum = 0;
  for (i64 b = threadIdx.x; b < blocks; b += blockDim.x) sum += sums[b];
  sum = block_sum(sum, shared);
  if (threadIdx.x != 0) return;
  float norm = float(sqrt(sum)) / step->loss_scale;
  float factor = max_norm > 0 ? max_norm / (norm + 1e-6f) : 1.0f;
  out[0] = norm;
  out[1] = (factor > 1.0f ? 1.0f : factor) / step->loss_scale;
}

// What a step does to one number, given its gradient and moments.
struct AdamW {
  float rate, size, root, clip;
  bool finite;
  const AdamWArguments& a;

  LN_DEVICE AdamW(const float* clip_, const gpu_step* step, const AdamWArguments& a_) : a(a_) {
    rate = step->learning_rate * a.rate;
    size = rate / step->bias1;
    root = 1.0f / sqrtf(step->bias2);
    clip = clip_[1];
    finite = !overflowed(clip_);
  }
  LN_DEVICE void moments(float x, float* mean, float* square) const {
    *mean += (1.0f - a.beta1) * (x - *mean);
    *square = a.beta2 * *square + (1.0f - a.beta2) * x * x;
  }
  LN_DEVICE float moved(float p, float mean, float square) const {
    return p * (1.0f - rate * a.weight_decay) - size * mean / (sqrtf(square) * root + a.eps);
  }
};

template <bool WHOLE>
LN_DEVICE void adamw_eights(float* p, float* grad, float* m, float* v, const AdamW& step, i64 n) {
  const Span<WHOLE> s = own_eight<WHOLE>(n);
  if (s.empty()) return;
  const Eight x = s.load(grad);
  s.store(grad, Eight{});
  if (!step.finite) return;  // a step that overflowed changes nothing
  Eight number = s.load(p), mean = s.load(m), square = s.load(v);
  LN_EACH_OF_8 {
    step.moments(x[i] * step.clip, &mean.x[i], &square.x[i]);
    number[i] = step.moved(number[i], mean[i], square[i]);
  }
  s.store(p, number);
  s.store(m, mean);
  s.store(v, square);
}

extern "C" __global__ void __launch_bounds__(256)
    adamw(float* p, float* grad, float* m, float* v, const float* clip, const gpu_step* step, i64 n,
          AdamWArguments a) {
  LN_EIGHTS(whole_eights(n, p, grad, m, v), adamw_eights, p, grad, m, v, AdamW(clip, step, a), n);
}

// The index of the code nearest to x; codes rise.
LN_DEVICE int nearest(const float* codes, float x) {
  int low = 0, high = 255;
  while (high - low > 1) {
    int middle = (low + high) / 2;
    if (codes[middle] <= x)
      low = middle;
    else
      high = middle;
  }
  return x - codes[low] <= codes[high] - x ? low : high;
}

// Eight codes of a byte each, read or written at once where WHOLE.
template <bool WHOLE>
struct CodeSpan : Span<WHOLE> {
  LN_DEVICE explicit CodeSpan(const Span<WHOLE>& s) : Span<WHOLE>(s) {}
  LN_DEVICE u64 codes(const unsigned char* m) const {
    if (WHOLE) return *reinterpret_cast<const u64*>(m + this->at);
    u64 x = 0;
    LN_EACH_OF_8 if (i < this->count) x |= u64(m[this->at + i]) << (8 * i);
    return x;
  }
  LN_DEVICE void write(unsigned char* m, u64 x) const {
    if (WHOLE) {
      *reinterpret_cast<u64*>(m + this->at) = x;
    } else {
      LN_EACH_OF_8 if (i < this->count) m[this->at + i] = (unsigned char)(x >> (8 * i));
    }
  }
};

template <bool WHOLE>
LN_DEVICE void adamw8bit_eights(float* p, float* grad, unsigned char* m, unsigned char* v,
                                float* m_scale, float* v_scale, const float* codes,
                                const AdamW& step, i64 n) {
  LN_DYNAMIC_SHARED(float, shared);
  float *both_signs = shared, *positive = shared + 256;
  both_signs[threadIdx.x] = codes[threadIdx.x];
  positive[threadIdx.x] = codes[256 + threadIdx.x];
  __syncthreads();
  const i64 block = warp_row();
  if (block * MomentBlock::kNumbers >= n) return;  // the whole warp
  const CodeSpan<WHOLE> s(own_eight<WHOLE>(n));
  const Eight x = s.load(grad);
  s.store(grad, Eight{});
  if (!step.finite) return;  // a step that overflowed changes nothing
  Eight mean{}, square{};
  float most_mean = 0, most_square = 0;
  if (!s.empty()) {
    const u64 m_codes = s.codes(m), v_codes = s.codes(v);
    LN_EACH_OF_8 if (i < s.count) {
      mean[i] = both_signs[m_codes >> (8 * i) & 255] * m_scale[block];
      square[i] = positive[v_codes >> (8 * i) & 255] * v_scale[block];
      step.moments(x[i] * step.clip, &mean.x[i], &square.x[i]);
      most_mean = fmaxf(most_mean, fabsf(mean[i]));
      most_square = fmaxf(most_square, square[i]);
    }
  }
  most_mean = warp_max(most_mean);  // and all have read the scales
  most_square = warp_max(most_square);
  if (threadIdx.x % 32 == 0) {
    m_scale[block] = most_mean;
    v_scale[block] = most_square;
  }
  if (s.empty()) return;
  Eight number = s.load(p);
  u64 m_codes = 0, v_codes = 0;
  LN_EACH_OF_8 {
    number[i] = step.moved(number[i], mean[i], square[i]);
    const float a = most_mean > 0 ? mean[i] * (1.0f / most_mean) : 0.0f;
    const float b = most_square > 0 ? square[i] * (1.0f / most_square) : 0.0f;
    int code = nearest(positive, b);
    if (code == 0 && square[i] > 0) code = 1;
    m_codes |= (u64)(nearest(both_signs, a)) << (8 * i);
    v_codes |= (u64)(code) << (8 * i);
  }
  s.store(p, number);
  s.write(m, m_codes);
  s.write(v, v_codes);
}

extern "C" __global__ void __launch_bounds__(256)
    adamw8bit(float* p, float* grad, unsigned char* m, unsigned char* v, float* m_scale,
              float* v_scale, const float* codes, const float* clip, const gpu_step* step, i64 n,
              AdamWArguments a) {
  LN_EIGHTS(whole_eights(n, p, grad, m, v), adamw8bit_eights, p, grad, m, v, m_scale, v_scale,
            codes, AdamW(clip, step, a), n);
}

template <bool WHOLE>
LN_DEVICE void lion_eights(float* p, float* grad, float* m, const float* clip, const gpu_step* step,
                           i64 n, const LionArguments& a) {
  const Span<WHOLE> s = own_eight<WHOLE>(n);
  if (s.empty()) return;
  const Eight x = s.load(grad);
  s.store(grad, Eight{});
  if (overflowed(clip)) return;
  const float factor = clip[1], rate = step->learning_rate * a.rate;
  Eight number = s.load(p), mean = s.load(m);
  LN_EACH_OF_8 {
    const float g = x[i] * factor, direction = a.beta1 * mean[i] + (1.0f - a.beta1) * g;
    const float sign = direction > 0.0f ? 1.0f : direction < 0.0f ? -1.0f : 0.0f;
    mean[i] = a.beta2 * mean[i] + (1.0f - a.beta2) * g;
    number[i] = number[i] * (1.0f - rate * a.weight_decay) - rate * sign;
  }
  s.store(p, number);
  s.store(m, mean);
}

extern "C" __global__ void __launch_bounds__(256)
    lion(float* p, float* grad, float* m, const float* clip, const gpu_step* step, i64 n,
         LionArguments a) {
  LN_EIGHTS(whole_eights(n, p, grad, m), lion_eights, p, grad, m, clip, step, n, a);
}

template <bool WHOLE>
LN_DEVICE void ema_eights(const float* p, float* mean, const float* clip, const gpu_step* step,
                          i64 n, float share) {
  const Span<WHOLE> s = own_eight<WHOLE>(n);
  if (s.empty() || overflowed(clip)) return;
  const float warm = step->step <= 1 ? 1.0f : 9.0f / (9.0f + float(step->step));
  const float part = share > warm ? share : warm;
  const Eight number = s.load(p);
  Eight average = s.load(mean);
  LN_EACH_OF_8 average[i] -= part * (average[i] - number[i]);
  s.store(mean, average);
}

extern "C" __global__ void __launch_bounds__(256)
    ema(const float* p, float* mean, const float* clip, const gpu_step* step, i64 n, float share) {
  LN_EIGHTS(whole_eights(n, p, mean), ema_eights, p, mean, clip, step, n, share);
}

LN_KERNEL(norm_blocks)
LN_KERNEL(norm_finish)
LN_KERNEL(adamw)
LN_KERNEL(adamw8bit)
LN_KERNEL(lion)
LN_KERNEL(ema)
