// The linear layers of a mixture's experts, frozen, and with an adapter each.
//                                                                     Hu et al. 2021, section 4.1
//
//   xa[r] = s A[e] x[r]              y[r] = W[e] x[r] + B[e] xa[r]
//   dyb[r] = s B[e]^T dy[r]          dx[r] = W[e]^T dy[r] + A[e]^T dyb[r]
//   dA[e] += dyb^T x                 dB[e] += dy^T xa       over the rows of e
//
// In 16 bits the adapters are copies, their rank filled up with zeros to whole chunks of 8.
#include "composed/experts.h"

namespace ln {
namespace LN_ISA {
namespace {

int64_t aligned(int64_t bytes) { return (bytes + 63) / 64 * 64; }

// One call: where things lie in scratch.
struct Call {
  int64_t handle, R, E, in, out, rank, scratch;
  int32_t dtype;
  int64_t pitch, size, dyb_at = 0, frozen_at = 0, bytes = 0;

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
    dyb_at = take(size * R * pitch);
    frozen_at = take(ln_expert_linear_scratch(handle, in, out, w_dtype, dtype));
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
  ExpertGemm down{R, E, c.pitch, in, x, a, offsets, xa, true, dtype, dtype};
  down.scale = scale;
  int status = expert_gemm(of(device), down);
  if (status) return status;
  ExpertGemm base{R, E, out, in, x, w, offsets, y, true, w_dtype, dtype};
  base.rank = c.pitch;
  base.low_x = xa;
  base.low_w = b;
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
  ExpertGemm down{R, E, c.pitch, out, dy, b, offsets, dyb, false, dtype, dtype};
  down.scale = scale;
  int status = expert_gemm(of(device), down);
  if (status) return status;
  status = expert_gradient(of(device), {E, rank, in, dyb, c.pitch, x, in, offsets, da, dtype});
  if (status) return status;
  status = expert_gradient(of(device), {E, out, rank, dy, out, xa, c.pitch, offsets, db, dtype});
  if (status || !dx) return status;
  ExpertGemm base{R, E, in, out, dy, w, offsets, dx, false, w_dtype, dtype};
  base.accumulate = accumulate;
  base.rank = c.pitch;
  base.low_x = dyb;
  base.low_w = a;
  base.scratch = scratch + c.frozen_at;
  return expert_gemm(of(device), base);
}

}  // namespace LN_ISA
}  // namespace ln
