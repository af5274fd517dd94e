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

// The same of images [N, H, W, C] whose pixels are copied as a convolution meets them. Its kernel
// begins at every `stride`-th place from `lower` to before the image's size plus `upper`.
struct PatchMap {
  uint64_t magic, address, C, W, H, N;
  int lower_x, lower_y, upper_x, upper_y, stride;
  uint32_t pixels;
};
constexpr uint64_t kPatchMagic = 0x6c6f726170617463ull;
static_assert(sizeof(PatchMap) <= 128, "a tensor map has 128 bytes");

// Row `row` of a swizzled tile: 64 numbers, or zeros where `from` is null. Numbers past `valid` are
// zeros too.
void land_row(char* tile, uint32_t row, const void* from, uint64_t valid) {
  for (uint32_t chunk = 0; chunk < 8; chunk++) {
    uint16_t numbers[8] = {};
    for (uint32_t i = 0; i < 8; i++)
      if (from && chunk * 8 + i < valid)
        memcpy(&numbers[i], static_cast<const char*>(from) + (chunk * 8 + i) * 2, 2);
    char* to = tile + row * 128 + (chunk ^ (row & 7)) * 16;
    memcpy(to, numbers, 16);
    shadow_box_landed(to, 16);
  }
}

void land_box(char* to, const Map& map, int row0, int plane, int column) {
  for (uint32_t row = 0; row < map.box_rows; row++) {
    const uint64_t y = uint64_t(row0) + row;
    const bool inside =
        y < map.rows && uint64_t(plane) < map.planes && uint64_t(column) < map.columns;
    const uint64_t from =
        map.address + y * map.pitch + uint64_t(plane) * map.plane_pitch + uint64_t(column) * 2;
    land_row(to, row, inside ? reinterpret_cast<const void*>(from) : nullptr,
             map.columns - uint64_t(column));
  }
}

// PTX manual, "im2col mode".
void land_patches(char* to, const PatchMap& map, PatchPlace at) {
  for (uint32_t pixel = 0; pixel < map.pixels; pixel++) {
    const int64_t y = at.y + at.dy, x = at.x + at.dx;
    const bool inside = y >= 0 && y < int64_t(map.H) && x >= 0 && x < int64_t(map.W) &&
                        at.image >= 0 && at.image < int64_t(map.N);
    const uint64_t from =
        map.address + (((uint64_t(at.image) * map.H + uint64_t(y)) * map.W + uint64_t(x)) * map.C +
                       uint64_t(at.channel)) *
                          2;
    land_row(to, pixel, inside ? reinterpret_cast<const void*>(from) : nullptr,
             map.C - uint64_t(at.channel));
    if ((at.x += map.stride) < int(map.W) + map.upper_x) continue;
    at.x = map.lower_x;
    if ((at.y += map.stride) < int(map.H) + map.upper_y) continue;
    at.y = map.lower_y;
    at.image++;
  }
}

void settle(CopyBarrierState* s) {
  for (const auto& land : s->in_flight) land();
  s->in_flight.clear();
}

CopyBarrierState* find(const void* barrier) {
  auto found = current_block->copy_barriers.find(barrier);
  if (found != current_block->copy_barriers.end()) return &found->second;
  report("a copy barrier is used that was not begun");
  return &current_block->copy_barriers[barrier];
}

// A copy of `rows` rows of 128 bytes: begun now, landing at the barrier or before.
void begin_copy(char* to, uint32_t rows, std::function<void()> land, void* barrier) {
  if (shared_address(to) % 1024) report("a swizzled box does not begin at a multiple of 1024");
  CopyBarrierState* s = find(barrier);
  s->in_flight.push_back(std::move(land));
  s->arrived += rows * 128;
  for (uint32_t r = 0; r < rows; r++) shadow_box_issued(to + r * 128, 128);
  if (random_schedule() && draw() % 2) settle(s);
  if (s->arrived != s->expected) return;
  for (Fiber* f : s->waiting) wake(f);
  s->waiting.clear();
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

int encode_patch_map(void* map, unsigned rank, uint64_t address, const uint64_t* sizes,
                     const uint64_t* strides, const int* lower, const int* upper, uint32_t channels,
                     uint32_t pixels, const uint32_t* every, int swizzle) {
  const int kSwizzle128 = 3, kMostCorner = 127;
  if (rank != 4 || address % 16 || swizzle != kSwizzle128 || channels != 64 || pixels > 256)
    return 1;
  if (every[0] != 1 || every[3] != 1 || every[1] != every[2] || every[1] > 8) return 1;
  for (int i = 0; i < 2; i++)
    if (lower[i] < -kMostCorner - 1 || lower[i] > kMostCorner || upper[i] < -kMostCorner - 1 ||
        upper[i] > kMostCorner)
      return 1;
  // No gaps between pixels, lines and images: nothing else is asked for.
  if (sizes[0] % 8 || strides[0] != sizes[0] * 2 || strides[1] != strides[0] * sizes[1] ||
      strides[2] != strides[1] * sizes[2])
    return 1;
  PatchMap m{kPatchMagic, address,  sizes[0], sizes[1], sizes[2],      sizes[3],
             lower[0],    lower[1], upper[0], upper[1], int(every[1]), pixels};
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
  const Map* m = static_cast<const Map*>(map);
  if (m->magic != kMagic) {
    report("a copy by what is no tensor map");
    return;
  }
  char* place = static_cast<char*>(to);
  begin_copy(place, m->box_rows, [=] { land_box(place, *m, row, plane, column); }, barrier);
}

void copy_patches(void* to, const void* map, const PatchPlace& from, void* barrier) {
  const PatchMap* m = static_cast<const PatchMap*>(map);
  if (m->magic != kPatchMagic) {
    report("a copy by what is no tensor map of patches");
    return;
  }
  char* place = static_cast<char*>(to);
  begin_copy(place, m->pixels, [=] { land_patches(place, *m, from); }, barrier);
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
