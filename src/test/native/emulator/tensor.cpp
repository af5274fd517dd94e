// The emulated twins of cp.async, ldmatrix, mma and the conversions.
#include <immintrin.h>
#include <string.h>

#include "cuda_emu.h"
#include "shadow.h"

namespace emu {

uint32_t draw();  // scheduler.cpp
bool random_schedule();
const char* running_kernel();

// ---- cp.async: lands at a random moment between its issue and the wait that covers it -----------

static void land(AsyncCopy* c) {
  if (c->landed) return;
  memcpy(c->to, c->from, size_t(c->from_bytes));
  memset(static_cast<char*>(c->to) + c->from_bytes, 0, size_t(c->bytes - c->from_bytes));
  c->landed = true;
}

void copy_async(void* to, const void* from, int bytes, int from_bytes) {
  Fiber* f = current_fiber;
  uintptr_t bits = uintptr_t(to) | (from_bytes ? uintptr_t(from) : 0);
  if (bits & uintptr_t(bytes - 1)) report("cp.async of %d bytes at a misaligned address", bytes);
  int live = 0;  // forget what a wait has covered
  for (int i = 0; i < f->copy_count; i++)
    if (f->copies[i].group >= 0) f->copies[live++] = f->copies[i];
  f->copy_count = live;
  if (live == kMostCopies) {
    report("more than %d cp.async in flight in a thread", kMostCopies);
    return;
  }
  shadow_copy_issued(to, from, bytes, from_bytes);
  f->copies[f->copy_count] = {to, from, bytes, from_bytes, f->committed, false};
  if (random_schedule() && draw() % 2) land(&f->copies[f->copy_count]);
  f->copy_count++;
}

void copy_commit() { current_fiber->committed++; }

void copy_wait(int groups_in_flight) {
  Fiber* f = current_fiber;
  for (int i = 0; i < f->copy_count; i++)
    if (f->copies[i].group >= 0 && f->copies[i].group < f->committed - groups_in_flight) {
      land(&f->copies[i]);
      shadow_copy_landed(f->copies[i].to, f->copies[i].bytes);
      f->copies[i].group = -1;
    }
}

// ---- ldmatrix

namespace {
struct LoadMatrix {
  uint32_t* registers;
  const void* const* rows;
  int tiles;
  bool transposed;
};

struct Multiply {
  float* c;
  const uint32_t *a, *b;
  int mt, nt;
};

}  // namespace

float number(uint32_t half, HalfFormat format) {
  if (format == kF16) return from_f16(half);
  uint32_t bits = half << 16;
  float f;
  memcpy(&f, &bits, 4);
  return f;
}

uint32_t to_f16(float x) { return _cvtss_sh(x, _MM_FROUND_TO_NEAREST_INT); }
float from_f16(uint32_t bits) { return _cvtsh_ss(static_cast<unsigned short>(bits)); }
uint32_t to_bf16(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  if (x != x) return bits >> 16 | 0x40u;
  return (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
}

// Lane l gives the address of row l % 8 of matrix l / 8, and receives of each matrix the elements
// (l / 4, 2 (l % 4)) and the next, or of its transpose.
void load_matrix(uint32_t* registers, int tiles, const void* const* rows, bool transposed) {
  LoadMatrix call{registers, rows, tiles, transposed};
  collective(~0u, kLoadMatrix, &call, [](Warp* w) {
    LoadMatrix* first = static_cast<LoadMatrix*>(w->argument[0]);
    for (int t = 0; t < first->tiles; t++)
      for (int j = 0; j < 4; j++) {
        uint16_t m[8][8];
        const void* addresses[8];
        for (int row = 0; row < 8; row++) {
          const void* p = static_cast<LoadMatrix*>(w->argument[j * 8 + row])->rows[t];
          if (uintptr_t(p) & 15) report("ldmatrix: a row address is not a multiple of 16");
          shadow_read_by(w->lane[j * 8 + row], p, 16);
          memcpy(m[row], p, 16);
          addresses[row] = p;
        }
        traffic_matrix(running_kernel(), addresses);
        for (int lane = 0; lane < 32; lane++) {
          int r = lane / 4, c = lane % 4 * 2;
          uint32_t lower = first->transposed ? m[c][r] : m[r][c];
          uint32_t upper = first->transposed ? m[c + 1][r] : m[r][c + 1];
          static_cast<LoadMatrix*>(w->argument[lane])->registers[t * 4 + j] = lower | upper << 16;
        }
      }
  });
}

// ---- mma.m16n8k16

namespace {

typedef float Eight __attribute__((vector_size(32)));

template <HalfFormat format>
void widen(float* two, uint32_t pair) {
  if (format == kBf16) {
    uint32_t bits[2] = {pair << 16, pair & 0xffff0000u};
    memcpy(two, bits, 8);
  } else {
    two[0] = from_f16(pair & 0xffff);
    two[1] = from_f16(pair >> 16);
  }
}

// Eight rows of sums stay in registers; each sum is taken in
// the order of k.
void multiply_tile(const float (&a)[16][16], const Eight (&b)[16], Eight (&c)[16]) {
  for (int half = 0; half < 16; half += 8) {
    Eight sum[8] = {};
    for (int k = 0; k < 16; k++)
      for (int i = 0; i < 8; i++) sum[i] += a[half + i][k] * b[k];
    for (int i = 0; i < 8; i++) c[half + i] = sum[i];
  }
}

// With g = lane / 4, t = 2 (lane % 4): a0 (g, t), a1 (g + 8, t), a2 (g, t + 8), a3 (g + 8, t + 8);
// b0 (t, g), b1 (t + 8, g); c0 (g, t), c1 (g, t + 1), c2 (g + 8, t), c3 (g + 8, t + 1).
template <HalfFormat format>
void multiply_warp(Warp* w) {
  const int mt = static_cast<Multiply*>(w->argument[0])->mt;
  const int nt = static_cast<Multiply*>(w->argument[0])->nt;
  static float A[8][16][16], B[32][16][8];  // one launch at a time
  float* sums[32];
  for (int lane = 0; lane < 32; lane++) {
    const Multiply* mine = static_cast<Multiply*>(w->argument[lane]);
    sums[lane] = mine->c;
    const int g = lane / 4, t = lane % 4 * 2;
    for (int m = 0; m < mt; m++)
      for (int r = 0; r < 4; r++)
        widen<format>(&A[m][g + r % 2 * 8][t + r / 2 * 8], mine->a[m * 4 + r]);
    for (int n = 0; n < nt; n++)
      for (int r = 0; r < 2; r++) {
        float two[2];
        widen<format>(two, mine->b[n * 2 + r]);
        B[n][t + r * 8][g] = two[0];
        B[n][t + r * 8 + 1][g] = two[1];
      }
  }
  for (int n = 0; n < nt; n++) {
    Eight b[16], c[16];
    memcpy(b, B[n], sizeof b);
    for (int m = 0; m < mt; m++) {
      multiply_tile(A[m], b, c);
      float C[16][8];
      memcpy(C, c, sizeof C);
      for (int lane = 0; lane < 32; lane++) {
        float* mine = sums[lane] + (m * nt + n) * 4;
        const int g = lane / 4, t = lane % 4 * 2;
        mine[0] += C[g][t];
        mine[1] += C[g][t + 1];
        mine[2] += C[g + 8][t];
        mine[3] += C[g + 8][t + 1];
      }
    }
  }
}

}  // namespace

void multiply(float* c, const uint32_t* a, const uint32_t* b, int mt, int nt, HalfFormat format) {
  Multiply call{c, a, b, mt, nt};
  collective(~0u, kMultiply, &call, format == kBf16 ? multiply_warp<kBf16> : multiply_warp<kF16>);
}

}  // namespace emu
