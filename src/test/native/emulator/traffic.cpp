// Bank conflicts and sectors, counted from the addresses of each warp access: what lanes of a warp
// do at the same place of the code for the same time counts as one. On when LN_EMU_TRAFFIC names
// the file that takes the counts, a line a kernel, when the process ends.
//
// Shared memory has 32 banks of 4 bytes. An access of 16 bytes a lane is made by 8 lanes at a time,
// of 8 bytes by 16, else by all 32; each part takes as many turns as the most different words that
// meet in a bank. Device memory is moved in sectors of 32 bytes.
//                                    CUDA C++ Best Practices Guide, "Device memory accesses"
#include <stdio.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "shadow.h"

namespace emu {

namespace {

// What a lane does. Lanes of a warp that are at the same place for the same time move together.
struct Access {
  uint64_t key;  // warp, place in the code, time, kind; and lane
  uintptr_t address;
  unsigned bytes;

  int lane() const { return int(key & 31); }
  bool write() const { return key >> 5 & 1; }
  bool shared() const { return key >> 6 & 1; }
  bool with(const Access& a) const { return key >> 5 == a.key >> 5; }
};

struct Direction {
  long requests = 0, sectors = 0, least = 0;
};
struct Counts {
  long shared = 0, turns = 0, least_turns = 0;
  Direction read, written;
};

const char* path() {
  static const char* const value = getenv("LN_EMU_TRAFFIC");
  return value;
}

std::vector<Access> accesses;

// How often each thread of the block has been at each place in the code.
struct Places {
  std::unordered_map<const void*, unsigned> numbers;
  std::vector<std::array<uint32_t, 1024>> times;

  unsigned number(const void* code) {
    auto [at, fresh] = numbers.try_emplace(code, unsigned(times.size()));
    if (fresh) times.emplace_back().fill(0);
    return at->second;
  }
  void forget(int threads) {
    for (auto& place : times) std::fill_n(place.begin(), threads, 0);
  }
} places;

struct Report {
  std::map<std::string, Counts> kernels;

  ~Report() {
    if (!path()) return;
    FILE* out = fopen(path(), "w");
    if (!out) return;
    fputs(
        "kernel,shared_accesses,bank_conflicts,read_requests,read_sectors,least_read_sectors,"
        "write_requests,write_sectors,least_write_sectors\n",
        out);
    for (const auto& [name, c] : kernels)
      fprintf(out, "%s,%ld,%ld,%ld,%ld,%ld,%ld,%ld,%ld\n", name.c_str(), c.shared,
              c.turns - c.least_turns, c.read.requests, c.read.sectors, c.read.least,
              c.written.requests, c.written.sectors, c.written.least);
    fclose(out);
  }
} report_at_end;

Counts& counts_of(const char* kernel) {
  static const char* last = nullptr;
  static Counts* counts = nullptr;
  if (kernel != last) {
    counts = &report_at_end.kernels[kernel];
    last = kernel;
  }
  return *counts;
}

// One warp's access to shared memory: lanes in rising order.
void count_shared(Counts& counts, const Access* first, const Access* last) {
  static std::vector<uintptr_t> words[32];  // of each bank
  unsigned widest = 4;
  for (const Access* a = first; a != last; a++) widest = std::max(widest, a->bytes);
  int lanes = widest >= 16 ? 8 : widest >= 8 ? 16 : 32;
  counts.shared++;
  for (int part = 0; part < 32; part += lanes) {
    for (auto& bank : words) bank.clear();
    size_t most = 0;
    for (const Access* a = first; a != last; a++)
      if (a->lane() >= part && a->lane() < part + lanes)
        for (uintptr_t word = a->address / 4; word <= (a->address + a->bytes - 1) / 4; word++) {
          auto& bank = words[word % 32];
          if (std::find(bank.begin(), bank.end(), word) == bank.end()) bank.push_back(word);
          most = std::max(most, bank.size());
        }
    counts.turns += long(most);
    counts.least_turns += most > 0;
  }
}

void count_device(Direction& counts, const Access* first, const Access* last) {
  static std::vector<std::pair<uintptr_t, uintptr_t>> ranges;
  ranges.clear();
  for (const Access* a = first; a != last; a++)
    ranges.emplace_back(a->address, a->address + a->bytes);
  std::sort(ranges.begin(), ranges.end());
  uintptr_t bytes = 0, sectors = 0, end = 0, sectors_end = 0;
  for (const auto& [from, to] : ranges) {
    if (to <= end) continue;
    bytes += to - std::max(from, end);
    sectors += (to + 31) / 32 - std::max(from / 32, sectors_end);
    end = to;
    sectors_end = (to + 31) / 32;
  }
  counts.requests++;
  counts.sectors += long(sectors);
  counts.least += long((bytes + 31) / 32);
}

}  // namespace

const bool traffic_counted = path() != nullptr;

void count_access(const void* p, size_t n, bool write, bool shared, const void* code) {
  Fiber* f = current_fiber;
  uint64_t place = places.number(code);
  uint64_t time = places.times[place][size_t(f->index)]++;
  uint64_t warp = uint64_t(f->index / 32);
  uint64_t key = ((warp << 16 | place) << 32 | time) << 7;
  accesses.push_back({key | uint64_t(shared) << 6 | uint64_t(write) << 5 | uint64_t(f->lane),
                      uintptr_t(p), unsigned(n)});
}

void traffic_pass(const void* code) {
  if (path()) places.times[places.number(code)][size_t(current_fiber->index)]++;
}

// Rows of one 8 x 8 matrix of an ldmatrix: 16 bytes each, in one turn if no two share a bank.
void traffic_matrix(const char* kernel, const void* const (&rows)[8]) {
  if (!path()) return;
  Access parts[8];
  for (unsigned i = 0; i < 8; i++) parts[i] = {i, uintptr_t(rows[i]), 16};
  count_shared(counts_of(kernel), parts, parts + 8);
}

void traffic_block_ends(const char* kernel) {
  if (!path()) return;
  std::sort(accesses.begin(), accesses.end(),
            [](const Access& a, const Access& b) { return a.key < b.key; });
  Counts& counts = counts_of(kernel);
  const Access *at = accesses.data(), *end = at + accesses.size();
  while (at != end) {
    const Access* next = at;
    while (next != end && next->with(*at)) next++;
    if (at->shared())
      count_shared(counts, at, next);
    else
      count_device(at->write() ? counts.written : counts.read, at, next);
    at = next;
  }
  accesses.clear();
  places.forget(current_block->thread_count);
}

}  // namespace emu
