// What LoHa and LoKr add to a frozen weight, made of small matrices.     Yeh et al. 2023 (LyCORIS)
//
//   loha  D = s (a1 b1) o (a2 b2)        lokr  D = s w1 (x) w2, w2 = w2a w2b where that is given
//
// D is rounded to the dtype of the products by itself, so that what is small beside W0 is not lost
// in it. The products that it is made of lie in scratch, in f32.
#include "composed/backend.h"

namespace ln {
namespace LN_ISA {
namespace {

int64_t aligned(int64_t bytes) { return (bytes + 63) / 64 * 64; }

Matrix f32(int64_t address, bool transposed = false) { return {address, LN_F32, transposed}; }

int product(int64_t device, Gemm g, bool accumulate = false) {
  g.accumulate = accumulate;
  return of(device)->gemm(of(device), g);
}

// w2, which lies in scratch where it is a product.
int second(int64_t device, const Kronecker& k, int64_t w2a, int64_t w2b, int64_t rank,
           int64_t scratch, int64_t* w2) {
  *w2 = w2b ? scratch : w2a;
  if (!w2b) return LN_OK;
  return product(device, {k.out_k, k.taps * k.in_n, rank, f32(w2a), f32(w2b), f32(scratch)});
}

}  // namespace

int64_t ln_loha_scratch(int64_t, int64_t out, int64_t in) { return aligned(out * in * 4) * 2; }

int ln_loha_fwd(int64_t device, int64_t a1, int64_t b1, int64_t a2, int64_t b2, int64_t d,
                int64_t scratch, int64_t out, int64_t in, int64_t rank, float scale,
                int32_t dtype) {
  int64_t p1 = scratch, p2 = scratch + aligned(out * in * 4);
  LN_TRY(product(device, {out, in, rank, f32(a1), f32(b1), f32(p1)}));
  LN_TRY(product(device, {out, in, rank, f32(a2), f32(b2), f32(p2)}));
  return hadamard(of(device), p1, p2, d, out * in, scale, dtype);
}

int ln_loha_bwd(int64_t device, int64_t dd, int64_t a1, int64_t b1, int64_t a2, int64_t b2,
                int64_t da1, int64_t db1, int64_t da2, int64_t db2, int64_t scratch, int64_t out,
                int64_t in, int64_t rank, float scale) {
  int64_t p1 = scratch, p2 = scratch + aligned(out * in * 4);
  LN_TRY(product(device, {out, in, rank, f32(a1), f32(b1), f32(p1)}));
  LN_TRY(product(device, {out, in, rank, f32(a2), f32(b2), f32(p2)}));
  LN_TRY(hadamard_gradients(of(device), dd, p1, p2, out * in, scale));
  LN_TRY(product(device, {out, rank, in, f32(p1), f32(b1, true), f32(da1)}, true));
  LN_TRY(product(device, {rank, in, out, f32(a1, true), f32(p1), f32(db1)}, true));
  LN_TRY(product(device, {out, rank, in, f32(p2), f32(b2, true), f32(da2)}, true));
  return product(device, {rank, in, out, f32(a2, true), f32(p2), f32(db2)}, true);
}

int64_t ln_lokr_scratch(int64_t, int64_t out_k, int64_t in_n, int64_t taps) {
  return aligned(out_k * in_n * taps * 4) * 2;
}

int ln_lokr_fwd(int64_t device, int64_t w1, int64_t w2a, int64_t w2b, int64_t d, int64_t scratch,
                int64_t out_l, int64_t out_k, int64_t in_m, int64_t in_n, int64_t taps,
                int64_t rank, float scale, int32_t dtype) {
  Kronecker k{out_l, out_k, in_m, in_n, taps, scale};
  int64_t w2 = 0;
  LN_TRY(second(device, k, w2a, w2b, rank, scratch, &w2));
  return kronecker(of(device), k, w1, w2, d, dtype);
}

int ln_lokr_bwd(int64_t device, int64_t dd, int64_t w1, int64_t w2a, int64_t w2b, int64_t dw1,
                int64_t dw2a, int64_t dw2b, int64_t scratch, int64_t out_l, int64_t out_k,
                int64_t in_m, int64_t in_n, int64_t taps, int64_t rank, float scale) {
  Kronecker k{out_l, out_k, in_m, in_n, taps, scale};
  int64_t w2 = 0, columns = taps * in_n, dw2 = scratch + aligned(k.second_size() * 4);
  LN_TRY(second(device, k, w2a, w2b, rank, scratch, &w2));
  if (!w2b) return kronecker_gradients(of(device), k, dd, w1, w2, dw1, dw2a, true);
  LN_TRY(kronecker_gradients(of(device), k, dd, w1, w2, dw1, dw2, false));
  LN_TRY(product(device, {out_k, rank, columns, f32(dw2), f32(w2b, true), f32(dw2a)}, true));
  return product(device, {rank, columns, out_k, f32(w2a, true), f32(dw2), f32(dw2b)}, true);
}

}  // namespace LN_ISA
}  // namespace ln
