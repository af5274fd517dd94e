// The check build: every load and store of a kernel reaches a shadow memory that knows who wrote
// and read each byte, and when. Kernels are compiled with -fsanitize=thread but linked with the
// hooks below instead of its runtime, so kernel source does not change.
//
// Shared memory: a record for every 2 bytes. Two accesses by different threads, one of them a
// write, must have a __syncthreads between them, or a __syncwarp within a warp; nothing may touch a
// byte that a cp.async is on its way to; nothing is read that was never written. Device memory: a
// record for every 2 bytes. An access must lie within an allocation; what one block writes, no
// other may touch in the same launch.
#include "shadow.h"

#include <string.h>
#include <sys/mman.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <vector>

namespace emu {

namespace {

constexpr size_t kRecordBytes = 2;  // no kernel's threads share less

struct SharedRecord {
  int16_t writer = -1, reader = -1;  // threads; reader -2: several of a warp, -3: of several warps
  uint32_t write_epoch = 0, read_epoch = 0, write_warp_epoch = 0, read_warp_epoch = 0;
  bool in_flight = false;
};
std::vector<SharedRecord> shared_records;

// The records of n bytes at an offset of shared memory: first and past the last.
struct Records {
  size_t begin, end;
  Records(size_t at, size_t n)
      : begin(at / kRecordBytes), end((at + n + kRecordBytes - 1) / kRecordBytes) {}
};

struct DeviceWord {
  uint32_t launch;
  uint32_t block : 29, written : 1, shared_by_readers : 1, allocated : 1;
};
constexpr size_t kCardBytes = size_t(8) << 30;
constexpr size_t kPageBytes = 4096;
char* card;
DeviceWord* words;
size_t card_used = kPageBytes;
uint32_t launch_number;
std::vector<Range> unordered_ranges;

// Whole pages for each allocation, so that each can be given back.
size_t pages_of(size_t n) { return (n + kPageBytes - 1) / kPageBytes * kPageBytes; }

bool is_ordered(int thread, uint32_t epoch, uint32_t warp_epoch) {
  Fiber* f = current_fiber;
  return epoch < current_block->epoch || thread == f->index ||
         (thread / 32 == f->index / 32 && thread >= 0 && warp_epoch < f->warp->epoch);
}

inline void touch_shared(size_t record, bool write, bool async) {
  SharedRecord& b = shared_records[record];
  Fiber* f = current_fiber;
  const char* what = write ? "write" : "read";
  size_t at = record * kRecordBytes;
  if (b.in_flight && !async) {
    report("%s of shared byte %zu while a cp.async to it is in flight: a wait is missing", what,
           at);
    b.in_flight = false;
    return;
  }
  if (b.writer >= 0 && !is_ordered(b.writer, b.write_epoch, b.write_warp_epoch))
    report("race on shared byte %zu: %s, and write by thread %d, without a barrier between", at,
           what, b.writer);
  if (!write) {
    if (b.writer < 0) report("read of shared byte %zu, which nobody wrote", at);
    bool fresh = b.reader == -1 || b.read_epoch < current_block->epoch;
    if (fresh)
      b.reader = int16_t(f->index);
    else if (b.reader >= 0 && b.reader != f->index)
      b.reader = b.reader / 32 == f->index / 32 ? int16_t(-2) : int16_t(-3);
    b.read_epoch = current_block->epoch;
    b.read_warp_epoch = f->warp->epoch;
    return;
  }
  bool read_now = b.reader != -1 && b.read_epoch == current_block->epoch;
  bool by_me =
      b.reader == f->index || (b.reader == -2 && b.read_warp_epoch < f->warp->epoch) ||
      (b.reader >= 0 && b.reader / 32 == f->index / 32 && b.read_warp_epoch < f->warp->epoch);
  if (read_now && !by_me)
    report("race on shared byte %zu: write, and read by another thread, without a barrier between",
           at);
  b.writer = int16_t(f->index);
  b.write_epoch = current_block->epoch;
  b.write_warp_epoch = f->warp->epoch;
  b.reader = -1;
  b.in_flight = async;
}

void touch_device(size_t at, size_t n, bool write) {
  uintptr_t address = uintptr_t(card) + at;
  for (const Range& r : unordered_ranges)
    if (address < r.to && r.from < address + n && (write || r.written)) {
      report("%s of bytes that a copy on another stream %s: an event is missing",
             write ? "write" : "read", r.written ? "writes" : "reads");
      return;
    }
  uint32_t block = uint32_t(current_block->number) & 0x1fffffffu;
  for (size_t i = at / 2; i <= (at + n - 1) / 2; i++) {
    DeviceWord& w = words[i];
    if (!w.allocated) {
      report("%s of %zu bytes of device memory out of bounds", write ? "write" : "read", n);
      return;
    }
    bool now = w.launch == launch_number;
    if (now && (w.block != block || w.shared_by_readers) && (write || w.written)) {
      report("race on device memory: a %s, and an access by block %u in the same launch",
             write ? "write" : "read", unsigned(w.block));
      return;
    }
    if (!now) {
      w.launch = launch_number;
      w.block = block;
      w.written = write;
      w.shared_by_readers = 0;
    } else {
      w.written |= write;
      w.shared_by_readers |= w.block != block;
    }
  }
}

// `code` is the place that does it, null where the access is counted elsewhere.
void touch(const void* p, size_t n, bool write, bool async, const void* code) {
  if (!current_fiber || !current_block) return;
  uintptr_t address = uintptr_t(p), shared = uintptr_t(current_block->shared);
  // Shared memory has nothing beside it for a page or more on either side.
  if (address + kSharedMargin >= shared &&
      address < shared + current_block->shared_bytes + kSharedMargin) {
    if (address < shared || address + n > shared + current_block->shared_bytes) {
      report("%s of %zu bytes at offset %ld of shared memory, which has %zu",
             write ? "write" : "read", n, long(address - shared), current_block->shared_bytes);
      return;
    }
    const Records touched(address - shared, n);
    for (size_t i = touched.begin; i < touched.end; i++) touch_shared(i, write, async);
    if (code) traffic_access(p, n, write, true, code);
    return;
  }
  if (card && address >= uintptr_t(card) && address < uintptr_t(card) + kCardBytes) {
    touch_device(address - uintptr_t(card), n, write);
    if (code) traffic_access(p, n, write, false, code);
  }
}

}  // namespace

void shadow_launch() { launch_number++; }

void shadow_unordered(const Range* ranges, size_t n) {
  unordered_ranges.assign(ranges, ranges + n);
}

void shadow_block() {
  shared_records.assign(Records(0, current_block->shared_bytes).end, SharedRecord());
}

void shadow_copy_issued(void* to, const void* from, int bytes, int from_bytes) {
  // One place for both kinds, zeros and copies, whatever the compiler made of them: lanes of either
  // kind move together.
  static const char reads = 0, writes = 0;
  if (from_bytes)
    touch(from, size_t(from_bytes), false, false, &reads);
  else
    traffic_pass(&reads);
  touch(to, size_t(bytes), true, true, &writes);
}

void shadow_copy_landed(void* to, int bytes) {
  const Records landed(size_t(static_cast<char*>(to) - current_block->shared), size_t(bytes));
  for (size_t i = landed.begin; i < landed.end; i++) {
    SharedRecord& b = shared_records[i];
    b.in_flight = false;
    b.write_epoch = current_block->epoch;
    b.write_warp_epoch = current_fiber->warp->epoch;
  }
}

void shadow_box_issued(void* to, int bytes) { touch(to, size_t(bytes), true, true, nullptr); }

void shadow_box_landed(void* to, int bytes) {
  const Records landed(size_t(static_cast<char*>(to) - current_block->shared), size_t(bytes));
  for (size_t i = landed.begin; i < landed.end; i++) {
    SharedRecord& b = shared_records[i];
    b.in_flight = false;
    b.write_epoch = current_block->epoch - 1;  // a barrier lies between begin and wait
  }
}

void shadow_read_by(Fiber* f, const void* p, size_t n) {
  Fiber* me = current_fiber;
  current_fiber = f;
  touch(p, n, false, false, nullptr);
  current_fiber = me;
}

void* shadow_allocate(size_t n) {
  if (!card) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    card = static_cast<char*>(mmap(nullptr, kCardBytes, PROT_READ | PROT_WRITE, flags, -1, 0));
    words = static_cast<DeviceWord*>(
        mmap(nullptr, kCardBytes / 2 * sizeof(DeviceWord), PROT_READ | PROT_WRITE, flags, -1, 0));
  }
  if (n > kCardBytes || pages_of(n) + kPageBytes > kCardBytes - card_used) return nullptr;
  char* p = card + card_used;
  for (size_t i = 0; i < (n + 1) / 2; i++) words[card_used / 2 + i].allocated = 1;
  card_used += pages_of(n) + kPageBytes;  // never used again: a late access shows
  return p;
}

// The addresses stay taken, the memory behind them does not: words of given-back pages read 0,
// "not allocated".
bool shadow_free(void* p, size_t n) {
  size_t at = size_t(static_cast<char*>(p) - card);
  return madvise(p, pages_of(n), MADV_DONTNEED) == 0 &&
         madvise(words + at / 2, pages_of(n) / 2 * sizeof(DeviceWord), MADV_DONTNEED) == 0;
}

}  // namespace emu

#define LN_HOOKS(bytes)                                              \
  extern "C" void __tsan_read##bytes(void* p) {                      \
    emu::touch(p, bytes, false, false, __builtin_return_address(0)); \
  }                                                                  \
  extern "C" void __tsan_write##bytes(void* p) {                     \
    emu::touch(p, bytes, true, false, __builtin_return_address(0));  \
  }                                                                  \
  extern "C" void __tsan_unaligned_read##bytes(void* p) {            \
    emu::touch(p, bytes, false, false, __builtin_return_address(0)); \
  }                                                                  \
  extern "C" void __tsan_unaligned_write##bytes(void* p) {           \
    emu::touch(p, bytes, true, false, __builtin_return_address(0));  \
  }
LN_HOOKS(1)
LN_HOOKS(2)
LN_HOOKS(4)
LN_HOOKS(8)
LN_HOOKS(16)
extern "C" void __tsan_init() {}
extern "C" void __tsan_func_entry(void*) {}
extern "C" void __tsan_func_exit() {}
extern "C" void __tsan_read_range(void* p, size_t n) {
  emu::touch(p, n, false, false, __builtin_return_address(0));
}
extern "C" void __tsan_write_range(void* p, size_t n) {
  emu::touch(p, n, true, false, __builtin_return_address(0));
}
