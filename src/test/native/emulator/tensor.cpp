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
  HalfFormat format;
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

// With g = lane / 4, t = 2 (lane % 4): a0 (g, t), a1 (g + 8, t), a2 (g, t + 8), a3 (g + 8, t + 8);
// b0 (t, g), b1 (t + 8, g); c0 (g, t), c1 (g, t + 1), c2 (g + 8, t), c3 (g + 8, t + 1).
void multiply(float* c, const uint32_t* a, const uint32_t* b, int mt, int nt, HalfFormat format) {
  Multiply call{c, a, b, mt, nt, format};
  collective(~0u, kMultiply, &call, [](Warp* w) {
    Multiply* first = static_cast<Multiply*>(w->argument[0]);
    static float A[8][16][16], B[32][16][8];  // one launch at a time
    for (int lane = 0; lane < 32; lane++) {
      Multiply* mine = static_cast<Multiply*>(w->argument[lane]);
      int g = lane / 4, t = lane % 4 * 2;
      for (int m = 0; m < first->mt; m++)
        for (int r = 0; r < 4; r++) {
          uint32_t pair = mine->a[m * 4 + r];
          int row = g + r % 2 * 8, k = t + r / 2 * 8;
          A[m][row][k] = number(pair & 0xffff, first->format);
          A[m][row][k + 1] = number(pair >> 16, first->format);
        }
      for (int n = 0; n < first->nt; n++)
        for (int r = 0; r < 2; r++) {
          uint32_t pair = mine->b[n * 2 + r];
          B[n][t + r * 8][g] = number(pair & 0xffff, first->format);
          B[n][t + r * 8 + 1][g] = number(pair >> 16, first->format);
        }
    }
    for (int m = 0; m < first->mt; m++)
      for (int n = 0; n < first->nt; n++) {
        float C[16][8] = {};
        for (int i = 0; i < 16; i++)
          for (int k = 0; k < 16; k++)
            for (int j = 0; j < 8; j++) C[i][j] += A[m][i][k] * B[n][k][j];
        for (int lane = 0; lane < 32; lane++) {
          float* mine = static_cast<Multiply*>(w->argument[lane])->c + (m * first->nt + n) * 4;
          int g = lane / 4, t = lane % 4 * 2;
          for (int r = 0; r < 4; r++) mine[r] += C[g + r / 2 * 8][t + r % 2];
        }
      }
  });
}

}  // namespace emu
