// Frozen linear layer plus low-rank adapter, forward and backward.     Hu et al. 2021, section 4.1
//
//   xa = s drop(x) A^T          y = x W0^T + bias + xa B^T
//   dyb = s dy B                dx = dy W0 + mask(dyb A)
//   dA += dyb^T drop(x)         dB += dy^T xa
//
// Of layers that read the same x (q, k, v) xa is one product, so that x is read once, and so are
// their dA: lora_down, and lora_up for what each layer does with it.
//
// Every product is the device's; the low-rank ones add to the big one's output in place, so that no
// temporary of y's size exists. In 16 bits A and B are copies for the tensor units, their rank
// filled up with zeros to whole chunks of 8 so that any rank may use them. xa and dyb have such
// rows in every dtype.
#include "composed/backend.h"

namespace ln {
namespace LN_ISA {
namespace {

int64_t aligned(int64_t bytes) { return (bytes + 63) / 64 * 64; }

// dyb and dB, which read the same dy.
int both(Device* device, Gemm dyb, const Gemm& grad_b) {
  if (device->cuda) {
    dyb.beside = &grad_b;
    return device->gemm(device, dyb);
  }
  LN_TRY(device->gemm(device, dyb));
  return device->gemm(device, grad_b);
}

// One call: where things lie in scratch, and the adapter as the products read it.
struct Call {
  Device* device;
  int64_t M, in, out, rank, pitch, scratch, step;
  float scale, dropout;
  int32_t stream, dtype;
  int64_t dyb_at = 0, dropped_at = 0, masked_at = 0, panel_at = 0, bytes = 0;
  int64_t used_rank;  // the rank that products over it run through

  Call(int64_t handle, int64_t M_, int64_t in_, int64_t out_, int64_t rank_, int64_t scratch_,
       int64_t step_, float scale_, float dropout_, int32_t stream_, int32_t w_dtype,
       int32_t dtype_)
      : device(of(handle)),
        M(M_),
        in(in_),
        out(out_),
        rank(rank_),
        pitch((rank_ + 7) / 8 * 8),
        scratch(scratch_),
        step(step_),
        scale(scale_),
        dropout(dropout_),
        stream(stream_),
        dtype(dtype_) {
    int64_t size = dtype == LN_F32 ? 4 : 2;
    auto take = [this](int64_t n) {
      int64_t start = bytes;
      bytes += aligned(n);
      return start;
    };
    used_rank = dtype == LN_F32 ? rank : pitch;
    dyb_at = take(size * M * pitch);
    dropped_at = take(dropout > 0 ? size * M * in : 0);
    masked_at = take(dropout > 0 ? size * M * in : 0);
    panel_at = take(ln_linear_scratch(handle, M, in, out, w_dtype, dtype));
  }

  Matrix activations(int64_t address, bool transposed = false) const {
    return {address, dtype, transposed};
  }
  // [rank, in].
  Matrix first(int64_t address, bool transposed = false) const {
    return {address, dtype, transposed};
  }
  // [out, rank].
  Matrix second(int64_t address, bool transposed = false) const {
    return {address, dtype, transposed, used_rank};
  }
  // [M, rank], with its gaps.
  Matrix low(int64_t address, bool transposed = false) const {
    return {address, dtype, transposed, pitch};
  }

  // x, or what dropout leaves of it.
  int drop_input(int64_t* x) {
    if (dropout == 0) return LN_OK;
    int64_t from = *x;
    *x = scratch + dropped_at;
    return drop(device, from, *x, M * in, dropout, stream, step, false, dtype);
  }
};

}  // namespace

int64_t ln_lora_linear_scratch(int64_t device, int64_t M, int64_t in, int64_t out, int64_t rank,
                               float dropout, int32_t w_dtype, int32_t dtype) {
  return Call(device, M, in, out, rank, 0, 0, 1, dropout, 0, w_dtype, dtype).bytes;
}

int ln_lora_linear_fwd(int64_t handle, int64_t x, int64_t w0, int64_t bias, int64_t a, int64_t b,
                       int64_t y, int64_t xa, int64_t scratch, int64_t step, int64_t gate,
                       int64_t gated, int32_t act, int64_t M, int64_t in, int64_t out, int64_t rank,
                       float scale, float dropout, int32_t stream, int32_t w_dtype, int32_t dtype) {
  Call c(handle, M, in, out, rank, scratch, step, scale, dropout, stream, w_dtype, dtype);
  int64_t x_low = x;
  int status = c.drop_input(&x_low);
  if (status) return status;
  Gemm down{M, c.used_rank, in, c.activations(x_low), c.first(a, true), c.low(xa)};
  down.scale = scale;
  if ((status = c.device->gemm(c.device, down))) return status;
  Gemm base{M, out, in, c.activations(x), Matrix{w0, w_dtype, true}, c.activations(y)};
  base.bias = bias;
  base.scratch = scratch + c.panel_at;
  base.rank = c.used_rank;
  base.low_a = c.low(xa);
  base.low_b = c.second(b, true);
  base.unit = {gate, 0, gated, act};
  return product(c.device, base);
}

int ln_lora_linear_bwd(int64_t handle, int64_t dy, int64_t x, int64_t xa, int64_t w0, int64_t a,
                       int64_t b, int64_t dx, int64_t da, int64_t db, int64_t scratch, int64_t step,
                       int64_t gate, int64_t up, int64_t dgate, int32_t act, int64_t M, int64_t in,
                       int64_t out, int64_t rank, float scale, float dropout, int32_t stream,
                       int32_t accumulate, int32_t w_dtype, int32_t dtype) {
  Call c(handle, M, in, out, rank, scratch, step, scale, dropout, stream, w_dtype, dtype);
  int64_t x_low = x, dyb = scratch + c.dyb_at;
  int status = c.drop_input(&x_low);
  if (status) return status;
  Gemm down{M, c.used_rank, out, c.activations(dy), c.second(b), c.low(dyb)};
  down.scale = scale;
  Gemm grad_b{out, rank, M, c.activations(dy, true), c.low(xa), {db, LN_F32, false}};
  grad_b.accumulate = true;
  if ((status = both(c.device, down, grad_b))) return status;

  Gemm grad_a{rank, in, M, c.low(dyb, true), c.activations(x_low), {da, LN_F32, false}};
  grad_a.accumulate = true;
  if ((status = c.device->gemm(c.device, grad_a))) return status;

  if (!dx) return LN_OK;
  Gemm base{M, in, out, c.activations(dy), Matrix{w0, w_dtype, false}, c.activations(dx)};
  base.accumulate = accumulate;
  base.scratch = scratch + c.panel_at;
  base.rank = c.used_rank;
  base.low_a = c.low(dyb);
  base.low_b = c.first(a);
  base.unit = {gate, up, dgate, act};
  if (dropout == 0) return product(c.device, base);
  if (gate) return fail(LN_UNSUPPORTED, "a gated linear unit behind dropout's mask");
  // The mask lies between the low-rank product and dx.
  if ((status = c.device->gemm(c.device, base.without_low_rank()))) return status;
  Gemm low = base.low_rank_alone();
  low.c.address = scratch + c.masked_at;
  low.accumulate = false;
  if ((status = c.device->gemm(c.device, low))) return status;
  return drop(c.device, low.c.address, dx, M * in, dropout, stream, step, true, dtype);
}

int ln_lora_down_fwd(int64_t device, int64_t x, int64_t a, int64_t xa, int64_t M, int64_t in,
                     int64_t columns, int64_t pitch, float scale, int32_t dtype) {
  Gemm g{M, columns, in, {x, dtype, false}, {a, dtype, true}, {xa, dtype, false, pitch}};
  g.scale = scale;
  return of(device)->gemm(of(device), g);
}

int ln_lora_down_bwd(int64_t device, int64_t dyb, int64_t x, int64_t da0, int64_t da1, int64_t da2,
                     int64_t da3, int64_t M, int64_t in, int64_t rank0, int64_t rank1,
                     int64_t rank2, int64_t rank3, int32_t dtype) {
  const int64_t das[] = {da0, da1, da2, da3}, ranks[] = {rank0, rank1, rank2, rank3};
  Gemm g{0, in, M, {dyb, dtype, true}, {x, dtype, false}, {0, LN_F32, false}};
  g.accumulate = true;
  for (; g.parts < 4 && ranks[g.parts]; g.parts++) {
    const int64_t room = (ranks[g.parts] + 7) / 8 * 8;
    g.part[g.parts] = {das[g.parts], ranks[g.parts], room};
    g.M += room;
  }
  Device* d = of(device);
  return d->cuda ? d->gemm(d, g) : g.each_part([d](const Gemm& one) { return d->gemm(d, one); });
}

int ln_lora_up_fwd(int64_t device, int64_t x, int64_t w0, int64_t bias, int64_t b, int64_t xa,
                   int64_t y, int64_t scratch, int64_t gate, int64_t gated, int32_t act, int64_t M,
                   int64_t in, int64_t out, int64_t rank, int64_t pitch, int32_t w_dtype,
                   int32_t dtype) {
  const int64_t used_rank = dtype == LN_F32 ? rank : (rank + 7) / 8 * 8;
  Gemm g{M, out, in, {x, dtype, false}, {w0, w_dtype, true}, {y, dtype, false}};
  g.bias = bias;
  g.scratch = scratch;
  g.rank = used_rank;
  g.low_a = {xa, dtype, false, pitch};
  g.low_b = {b, dtype, true, used_rank};
  g.unit = {gate, 0, gated, act};
  return product(of(device), g);
}

int ln_lora_up_bwd(int64_t device, int64_t dy, int64_t xa, int64_t w0, int64_t a, int64_t b,
                   int64_t dx, int64_t dyb, int64_t db, int64_t scratch, int64_t M, int64_t in,
                   int64_t out, int64_t rank, int64_t pitch, float scale, int32_t accumulate,
                   int32_t w_dtype, int32_t dtype) {
  Device* d = of(device);
  const int64_t used_rank = dtype == LN_F32 ? rank : (rank + 7) / 8 * 8;
  const Matrix low{dyb, dtype, false, pitch};
  Gemm down{M, used_rank, out, {dy, dtype, false}, {b, dtype, false, used_rank}, low};
  down.scale = scale;
  Gemm grad_b{out, rank, M, {dy, dtype, true}, {xa, dtype, false, pitch}, {db, LN_F32, false}};
  grad_b.accumulate = true;
  LN_TRY(both(d, down, grad_b));
  if (!dx) return LN_OK;
  Gemm base{M, in, out, {dy, dtype, false}, {w0, w_dtype, false}, {dx, dtype, false}};
  base.accumulate = accumulate;
  base.scratch = scratch;
  base.rank = used_rank;
  base.low_a = low;
  base.low_b = {a, dtype, false};
  return d->gemm(d, base);
}

}  // namespace LN_ISA
}  // namespace ln
