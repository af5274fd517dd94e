// Frozen linear layer plus low-rank adapter, forward and backward.     Hu et al. 2021, section 4.1
//
//   xa = s drop(x) A^T          y = x W0^T + bias + xa B^T
//   dyb = s dy B                dx = dy W0 + mask(dyb A)
//   dA += dyb^T drop(x)         dB += dy^T xa
//
// Every product is the device's; the low-rank ones add to the big one's output in place, so that no
// temporary of y's size exists. The adapter is f32; in bf16 a rounded copy of A and B is made in
// scratch for the tensor units, as the CUDA kernel does on its way into shared memory.
#include "composed/backend.h"

namespace ln {
namespace LN_ISA {
namespace {

int64_t aligned(int64_t bytes) { return (bytes + 63) / 64 * 64; }

// Where things lie in scratch; the same for both directions.
struct Layout {
  int64_t a, b, low_rank, dropped, masked, bytes;

  Layout(int64_t M, int64_t in, int64_t out, int64_t rank, float dropout, int32_t dtype) {
    int64_t size = dtype == LN_BF16 ? 2 : 4, at = 0;
    auto take = [&at](int64_t n) {
      int64_t start = at;
      at += aligned(n);
      return start;
    };
    a = take(dtype == LN_BF16 ? 2 * rank * in : 0);
    b = take(dtype == LN_BF16 ? 2 * rank * out : 0);
    low_rank = take(size * M * rank);
    dropped = take(dropout > 0 ? size * M * in : 0);
    masked = take(dropout > 0 ? size * M * in : 0);
    bytes = at;
  }
};

// The f32 matrix, or a bf16 copy of it made at `to` when the tensor units want one.
int64_t in_dtype(Device* device, int64_t from, int64_t to, int64_t n, int32_t dtype, int* status) {
  if (dtype != LN_BF16) return from;
  if (!*status) *status = round_to_bf16(device, from, to, n);
  return to;
}

}  // namespace

int64_t ln_lora_linear_scratch(int64_t, int64_t M, int64_t in, int64_t out, int64_t rank,
                               float dropout, int32_t dtype) {
  return Layout(M, in, out, rank, dropout, dtype).bytes;
}

int ln_lora_linear_fwd(int64_t handle, int64_t x, int64_t w0, int64_t bias, int64_t a, int64_t b,
                       int64_t y, int64_t xa, int64_t scratch, int64_t step, int64_t M, int64_t in,
                       int64_t out, int64_t rank, float scale, float dropout, int32_t stream,
                       int32_t dtype) {
  Device* device = of(handle);
  Layout at(M, in, out, rank, dropout, dtype);
  int status = LN_OK;
  int64_t a_used = in_dtype(device, a, scratch + at.a, rank * in, dtype, &status);
  int64_t b_used = in_dtype(device, b, scratch + at.b, rank * out, dtype, &status);
  if (status) return status;
  int64_t x_low = x;
  if (dropout > 0) {
    x_low = scratch + at.dropped;
    if ((status = drop(device, x, x_low, M * in, dropout, stream, step, false, dtype)))
      return status;
  }
  Gemm down{M, rank, in, {x_low, dtype, false}, {a_used, dtype, true}, {xa, dtype, false}};
  down.scale = scale;
  if ((status = device->gemm(device, down))) return status;
  Gemm base{M, out, in, {x, dtype, false}, {w0, dtype, true}, {y, dtype, false}};
  base.bias = bias;
  base.rank = rank;
  base.low_a = xa;
  base.low_b = b_used;
  return device->gemm(device, base);
}

int ln_lora_linear_bwd(int64_t handle, int64_t dy, int64_t x, int64_t xa, int64_t w0, int64_t a,
                       int64_t b, int64_t dx, int64_t da, int64_t db, int64_t scratch, int64_t step,
                       int64_t M, int64_t in, int64_t out, int64_t rank, float scale, float dropout,
                       int32_t stream, int32_t accumulate, int32_t dtype) {
  Device* device = of(handle);
  Layout at(M, in, out, rank, dropout, dtype);
  int status = LN_OK;
  int64_t a_used = in_dtype(device, a, scratch + at.a, rank * in, dtype, &status);
  int64_t b_used = in_dtype(device, b, scratch + at.b, rank * out, dtype, &status);
  if (status) return status;
  int64_t dyb = scratch + at.low_rank;
  Gemm down{M, rank, out, {dy, dtype, false}, {b_used, dtype, false}, {dyb, dtype, false}};
  down.scale = scale;
  if ((status = device->gemm(device, down))) return status;

  int64_t x_low = x;
  if (dropout > 0) {
    x_low = scratch + at.dropped;
    if ((status = drop(device, x, x_low, M * in, dropout, stream, step, false, dtype)))
      return status;
  }
  Gemm grad_a{rank, in, M, {dyb, dtype, true}, {x_low, dtype, false}, {da, LN_F32, false}};
  grad_a.accumulate = true;
  if ((status = device->gemm(device, grad_a))) return status;
  Gemm grad_b{out, rank, M, {dy, dtype, true}, {xa, dtype, false}, {db, LN_F32, false}};
  grad_b.accumulate = true;
  if ((status = device->gemm(device, grad_b))) return status;

  if (!dx) return LN_OK;
  Gemm base{M, in, out, {dy, dtype, false}, {w0, dtype, false}, {dx, dtype, false}};
  base.accumulate = accumulate;
  base.rank = rank;
  base.low_a = dyb;
  base.low_b = a_used;
  if (dropout == 0) return device->gemm(device, base);
  // The mask lies between the low-rank product and dx.
  if ((status = device->gemm(device, base.without_low_rank()))) return status;
  Gemm up = base.low_rank_alone();
  up.c.address = scratch + at.masked;
  up.accumulate = false;
  if ((status = device->gemm(device, up))) return status;
  return drop(device, scratch + at.masked, dx, M * in, dropout, stream, step, true, dtype);
}

}  // namespace LN_ISA
}  // namespace ln
