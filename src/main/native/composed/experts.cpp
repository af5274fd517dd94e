// The linear layers of a mixture's experts, frozen, and with an adapter each.
//                                                                     Hu et al. 2021, section 4.1
//
//   xa[r] = s A[e] x[r]              y[r] = W[e] x[r] + B[e] xa[r]
//   dyb[r] = s B[e]^T dy[r]          dx[r] = W[e]^T dy[r] + A[e]^T dyb[r]
//   dA[e] += dyb^T x                 dB[e] += dy^T xa       over the rows of e
//
// The adapters are f32; in 16 bits a rounded copy of all is made in scratch, their rank filled up
// with zeros to whole chunks of 8, as lora_linear.cpp does.
#include "composed/experts.h"

namespace ln {
namespace LN_ISA {
namespace {

int64_t aligned(int64_t bytes) { return (bytes + 63) / 64 * 64; }

// One call: where things lie in scratch, and the adapters as the products read them.
struct Call {
  int64_t handle, R, E, in, out, rank, scratch;
  int32_t dtype;
  int64_t pitch, size, a_at = 0, b_at = 0, dyb_at = 0, frozen_at = 0, bytes = 0;
  int64_t a = 0, b = 0;

  Call(int64_t handle_, int64_t R_, int64_t E_, int64_t in_, int64_t out_, int64_t rank_,
       int64_t scratch_, int32_t w_dtype, int32_t dtype_)
      : handle(handle_),
        R(R_),
        E(E_),
        in(in_),
        out(out_),
        rank(rank_),
        scratch(scratch_),
        dtype(dtype_),
        pitch(dtype_ == LN_F32 ? rank_ : (rank_ + 7) / 8 * 8),
        size(dtype_ == LN_F32 ? 4 : 2) {
    auto take = [this](int64_t n) {
      int64_t start = bytes;
      bytes += aligned(n);
      return start;
    };
    const int64_t copied = dtype == LN_F32 ? 0 : 2 * E * pitch;
    a_at = take(copied * in);
    b_at = take(copied * out);
    dyb_at = take(size * R * pitch);
    frozen_at = take(ln_expert_linear_scratch(handle, in, out, w_dtype, dtype));
  }

  int read_adapters(int64_t a_address, int64_t b_address) {
    a = a_address;
    b = b_address;
    if (dtype == LN_F32) return LN_OK;
    a = scratch + a_at;
    b = scratch + b_at;
    // A matrix is whole rows of `in`: those that fill up its rank lie behind it.
    int status = round_padded(of(handle), a_address, a, E, rank * in, E, pitch * in, dtype);
    return status ? status
                  : round_padded(of(handle), b_address, b, E * out, rank, E * out, pitch, dtype);
  }
};

}  // namespace

int ln_expert_linear_fwd(int64_t device, int64_t x, int64_t w, int64_t offsets, int64_t y,
                         int64_t scratch, int64_t R, int64_t E, int64_t in, int64_t out,
                         int32_t w_dtype, int32_t dtype) {
  ExpertGemm g{R, E, out, in, x, w, offsets, y, true, w_dtype, dtype};
  g.scratch = scratch;
  return expert_gemm(of(device), g);
}

int ln_expert_linear_bwd(int64_t device, int64_t dy, int64_t w, int64_t offsets, int64_t dx,
                         int64_t scratch, int64_t R, int64_t E, int64_t in, int64_t out,
                         int32_t accumulate, int32_t w_dtype, int32_t dtype) {
  ExpertGemm g{R, E, in, out, dy, w, offsets, dx, false, w_dtype, dtype};
  g.accumulate = accumulate;
  g.scratch = scratch;
  return expert_gemm(of(device), g);
}

int64_t ln_lora_expert_linear_scratch(int64_t device, int64_t R, int64_t E, int64_t in, int64_t out,
                                      int64_t rank, int32_t w_dtype, int32_t dtype) {
  return Call(device, R, E, in, out, rank, 0, w_dtype, dtype).bytes;
}

int ln_lora_expert_linear_fwd(int64_t device, int64_t x, int64_t w, int64_t a, int64_t b,
                              int64_t offsets, int64_t y, int64_t xa, int64_t scratch, int64_t R,
                              int64_t E, int64_t in, int64_t out, int64_t rank, float scale,
                              int32_t w_dtype, int32_t dtype) {
  Call c(device, R, E, in, out, rank, scratch, w_dtype, dtype);
  int status = c.read_adapters(a, b);
  if (status) return status;
  ExpertGemm down{R, E, c.pitch, in, x, c.a, offsets, xa, true, dtype, dtype};
  down.scale = scale;
  if ((status = expert_gemm(of(device), down))) return status;
  ExpertGemm base{R, E, out, in, x, w, offsets, y, true, w_dtype, dtype};
  base.rank = c.pitch;
  base.low_x = xa;
  base.low_w = c.b;
  base.scratch = scratch + c.frozen_at;
  return expert_gemm(of(device), base);
}

int ln_lora_expert_linear_bwd(int64_t device, int64_t dy, int64_t x, int64_t xa, int64_t w,
                              int64_t a, int64_t b, int64_t offsets, int64_t dx, int64_t da,
                              int64_t db, int64_t scratch, int64_t R, int64_t E, int64_t in,
                              int64_t out, int64_t rank, float scale, int32_t accumulate,
                              int32_t w_dtype, int32_t dtype) {
  Call c(device, R, E, in, out, rank, scratch, w_dtype, dtype);
  const int64_t dyb = scratch + c.dyb_at;
  int status = c.read_adapters(a, b);
  if (status) return status;
  ExpertGemm down{R, E, c.pitch, out, dy, c.b, offsets, dyb, false, dtype, dtype};
  down.scale = scale;
  if ((status = expert_gemm(of(device), down))) return status;
  status = expert_gradient(of(device), {E, rank, in, dyb, c.pitch, x, in, offsets, da, dtype});
  if (status) return status;
  status = expert_gradient(of(device), {E, out, rank, dy, out, xa, c.pitch, offsets, db, dtype});
  if (status || !dx) return status;
  ExpertGemm base{R, E, in, out, dy, w, offsets, dx, false, w_dtype, dtype};
  base.accumulate = accumulate;
  base.rank = c.pitch;
  base.low_x = dyb;
  base.low_w = c.a;
  base.scratch = scratch + c.frozen_at;
  return expert_gemm(of(device), base);
}

}  // namespace LN_ISA
}  // namespace ln
