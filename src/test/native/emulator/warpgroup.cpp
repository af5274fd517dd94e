// The emulated twin of wgmma.cuh: a warpgroup's products, from descriptors of shared memory.
#include <string.h>

#include "cuda_emu.h"
#include "shadow.h"

namespace emu {

uint32_t draw();  // scheduler.cpp
bool random_schedule();
float number(uint32_t half, HalfFormat format);  // tensor.cpp

namespace {

// What a descriptor says of an operand (PTX manual, "Matrix descriptor format"), and how 8 rows of
// 128 bytes are swizzled: bits 4 to 6 of an address are those XOR bits 7 to 9.
struct Operand {
  uint32_t start, panel, row_group;

  explicit Operand(uint64_t descriptor)
      : start(uint32_t(descriptor & 0x3fff) << 4),
        panel(uint32_t(descriptor >> 16 & 0x3fff) << 4),
        row_group(uint32_t(descriptor >> 32 & 0x3fff) << 4) {
    if (descriptor >> 62 != 1) report("a matrix descriptor is not swizzled by 128 bytes");
  }

  // The 8 numbers at `column` of a row.
  void read(Fiber* reader, int row, int column, uint16_t (&numbers)[8]) const {
    uint32_t at = start + uint32_t(row / 8) * row_group + uint32_t(row % 8) * 128 +
                  uint32_t(column / 64) * panel + uint32_t(column % 64) * 2;
    at ^= (at >> 7 & 7) << 4;
    if (at + 16 > current_block->shared_bytes) {
      report("wgmma reads beyond shared memory");
      return;
    }
    const char* p = current_block->shared + at;
    shadow_read_by(reader, p, 16);
    memcpy(numbers, p, 16);
  }
};

// The 16 rows of A that a warp has: 8 numbers at a time from shared memory, or two from each of a
// lane's registers, as mma.m16n8k16 has them.
void read_left(Warp* w, const WarpgroupProduct& p, float (&A)[16][16]) {
  const WarpgroupCall& first = p.lane[0];
  if (first.a) {
    for (int lane = 0; lane < 32; lane++)
      for (int r = 0; r < 4; r++)
        for (int half = 0; half < 2; half++)
          A[lane / 4 + r % 2 * 8][lane % 4 * 2 + r / 2 * 8 + half] =
              number(p.lane[lane].a[r] >> 16 * half & 0xffff, first.format);
    return;
  }
  const Operand a(first.a_descriptor);
  uint16_t numbers[8];
  for (int row = 0; row < 16; row++)
    for (int k = 0; k < 16; k += 8) {
      a.read(w->lane[0], w->in_warpgroup * 16 + row, k, numbers);
      for (int i = 0; i < 8; i++) A[row][k + i] = number(numbers[i], first.format);
    }
}

// 16 x 8 tiles of the sum, laid out as for mma.m16n8k16.
void compute(Warp* w, const WarpgroupProduct& p) {
  const WarpgroupCall& first = p.lane[0];
  const Operand b(first.b_descriptor);
  static float A[16][16], B[16][256];  // one launch at a time
  read_left(w, p, A);
  const int columns = first.tiles * 8;
  uint16_t numbers[8];
  if (first.b_along_n)
    for (int k = 0; k < 16; k++)
      for (int n = 0; n < columns; n += 8) {
        b.read(w->lane[0], k, n, numbers);
        for (int i = 0; i < 8; i++) B[k][n + i] = number(numbers[i], first.format);
      }
  else
    for (int n = 0; n < columns; n++)
      for (int k = 0; k < 16; k += 8) {
        b.read(w->lane[0], n, k, numbers);
        for (int i = 0; i < 8; i++) B[k + i][n] = number(numbers[i], first.format);
      }
  for (int row = 0; row < 16; row++) {
    float C[256] = {};
    for (int k = 0; k < 16; k++)
      for (int n = 0; n < columns; n++) C[n] += A[row][k] * B[k][n];
    for (int n = 0; n < columns; n++) {
      float& sum = p.lane[row % 8 * 4 + n % 8 / 2].sum[n / 8 * 4 + row / 8 * 2 + n % 2];
      sum = first.add ? sum + C[n] : C[n];
    }
  }
}

// Computes the products of groups before `group`.
void settle(Warp* w, int group) {
  size_t left = 0;
  for (const WarpgroupProduct& p : w->products)
    if (p.group < group)
      compute(w, p);
    else
      w->products[left++] = p;
  w->products.resize(left);
}

}  // namespace

uint32_t shared_address(const void* p) {
  return uint32_t(static_cast<const char*>(p) - current_block->shared);
}

void warpgroup_multiply(const WarpgroupCall& call) {
  WarpgroupCall copy = call;
  collective(~0u, kWarpgroup, &copy, [](Warp* w) {
    WarpgroupProduct p{{}, w->products_committed};
    for (int lane = 0; lane < 32; lane++)
      p.lane[lane] = *static_cast<WarpgroupCall*>(w->argument[lane]);
    w->products.push_back(p);
    // In order: a product never overtakes the one before it.
    if (random_schedule() && draw() % 2) settle(w, w->products_committed + 1);
  });
}

void warpgroup_commit() {
  collective(~0u, kWarpgroup, nullptr, [](Warp* w) { w->products_committed++; });
}

void warpgroup_wait(int groups_in_flight) {
  collective(~0u, kWarpgroup, &groups_in_flight, [](Warp* w) {
    settle(w, w->products_committed - *static_cast<int*>(w->argument[0]));
  });
}

}  // namespace emu
