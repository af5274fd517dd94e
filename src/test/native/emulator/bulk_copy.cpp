// The emulated twin of bulk_copy.cuh: tensor maps, copies of boxes, and the barriers they complete
// on.
#include <string.h>

#include "cuda_emu.h"
#include "shadow.h"

namespace emu {

uint32_t draw();  // scheduler.cpp
bool random_schedule();

namespace {

// What an emulated map holds: rows of 16-bit numbers, of one plane or of several side by side.
struct Map {
  uint64_t magic, address, columns, planes, rows, plane_pitch, pitch;  // pitches in bytes
  uint32_t box_columns, box_rows;
};
constexpr uint64_t kMagic = 0x6c6f72616d617073ull;
static_assert(sizeof(Map) <= 128, "a tensor map has 128 bytes");

void land(const BoxCopy& c) {
  const Map& map = *static_cast<const Map*>(c.map);
  for (uint32_t row = 0; row < map.box_rows; row++)
    for (uint32_t chunk = 0; chunk < map.box_columns / 8; chunk++) {
      uint16_t numbers[8] = {};
      uint64_t y = uint64_t(c.row) + row, x = uint64_t(c.column) + chunk * 8;
      uint64_t from = map.address + y * map.pitch + uint64_t(c.plane) * map.plane_pitch;
      for (uint32_t i = 0; i < 8; i++)
        if (y < map.rows && uint64_t(c.plane) < map.planes && x + i < map.columns)
          memcpy(&numbers[i], reinterpret_cast<const char*>(from + (x + i) * 2), 2);
      char* to = c.to + row * 128 + (chunk ^ (row & 7)) * 16;
      memcpy(to, numbers, 16);
      shadow_box_landed(to, 16);
    }
}

void settle(CopyBarrierState* s) {
  for (const BoxCopy& c : s->in_flight) land(c);
  s->in_flight.clear();
}

CopyBarrierState* find(const void* barrier) {
  auto found = current_block->copy_barriers.find(barrier);
  if (found != current_block->copy_barriers.end()) return &found->second;
  report("a copy barrier is used that was not begun");
  return &current_block->copy_barriers[barrier];
}

}  // namespace

// Boxes are 64 columns of rows of one plane, nothing else is asked for.
int encode_map(void* map, unsigned rank, uint64_t address, const uint64_t* sizes,
               const uint64_t* strides, const uint32_t* box, int swizzle) {
  const int kSwizzle128 = 3;
  if (rank < 2 || rank > 3 || address % 16 || swizzle != kSwizzle128) return 1;
  for (unsigned i = 0; i < rank - 1; i++)
    if (strides[i] % 16) return 1;
  if (box[0] != 64 || box[rank - 1] > 256 || (rank == 3 && box[1] != 1)) return 1;
  const bool flat = rank == 2;
  Map m{kMagic,
        address,
        sizes[0],
        flat ? 1 : sizes[1],
        sizes[rank - 1],
        flat ? 0 : strides[0],
        strides[rank - 2],
        box[0],
        box[rank - 1]};
  memset(map, 0, 128);
  memcpy(map, &m, sizeof m);
  return 0;
}

void copy_barrier_begin(void* barrier) {
  if (uintptr_t(barrier) % 8) report("a copy barrier is not aligned to 8 bytes");
  current_block->copy_barriers[barrier] = CopyBarrierState();
}

void copy_barrier_expect(void* barrier, uint32_t bytes) {
  CopyBarrierState* s = find(barrier);
  if (s->expected) report("a copy barrier expects bytes before its phase is over");
  s->expected = bytes;
}

void copy_box(void* to, const void* map, int row, int plane, int column, void* barrier) {
  const Map& m = *static_cast<const Map*>(map);
  if (m.magic != kMagic) {
    report("a copy by what is no tensor map");
    return;
  }
  char* place = static_cast<char*>(to);
  if (shared_address(place) % 1024) report("a swizzled box does not begin at a multiple of 1024");
  CopyBarrierState* s = find(barrier);
  s->in_flight.push_back({place, map, row, plane, column});
  s->arrived += m.box_rows * m.box_columns * 2;
  for (uint32_t r = 0; r < m.box_rows; r++) shadow_box_issued(place + r * 128, 128);
  if (random_schedule() && draw() % 2) settle(s);
  if (s->arrived != s->expected) return;
  for (Fiber* f : s->waiting) wake(f);
  s->waiting.clear();
}

// Whoever is first to wait, or to wake, when all copies have been begun ends the phase.
void copy_barrier_wait(void* barrier, uint32_t parity) {
  CopyBarrierState* s = find(barrier);
  while ((s->phase & 1) == parity) {
    if (!s->expected || s->arrived != s->expected) {
      s->waiting.push_back(current_fiber);
      rest();
      continue;
    }
    settle(s);
    s->expected = s->arrived = 0;
    s->phase++;
  }
}

}  // namespace emu
