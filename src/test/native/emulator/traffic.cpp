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
#include <map>
#include <set>
#include <string>
#include <vector>

#include "shadow.h"

namespace emu {

namespace {

struct Access {
  const void* code;
  int warp, lane, time;
  uintptr_t address;
  unsigned bytes;
  bool write, shared;

  bool with(const Access& a) const {
    return code == a.code && warp == a.warp && time == a.time && write == a.write &&
           shared == a.shared;
  }
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
std::map<std::pair<const void*, int>, int> times;  // of a place in the code, by thread
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

// One warp's access to shared memory: lanes in rising order.
void count_shared(Counts& counts, const Access* first, const Access* last) {
  unsigned widest = 4;
  for (const Access* a = first; a != last; a++) widest = std::max(widest, a->bytes);
  int lanes = widest >= 16 ? 8 : widest >= 8 ? 16 : 32;
  counts.shared++;
  for (int part = 0; part < 32; part += lanes) {
    std::set<uintptr_t> words[32];
    for (const Access* a = first; a != last; a++)
      if (a->lane >= part && a->lane < part + lanes)
        for (uintptr_t word = a->address / 4; word <= (a->address + a->bytes - 1) / 4; word++)
          words[word % 32].insert(word);
    size_t most = 0;
    for (const auto& bank : words) most = std::max(most, bank.size());
    counts.turns += long(most);
    counts.least_turns += most > 0;
  }
}

void count_device(Direction& counts, const Access* first, const Access* last) {
  std::set<uintptr_t> sectors, bytes;
  for (const Access* a = first; a != last; a++)
    for (uintptr_t byte = a->address; byte < a->address + a->bytes; byte++) {
      sectors.insert(byte / 32);
      bytes.insert(byte);
    }
  counts.requests++;
  counts.sectors += long(sectors.size());
  counts.least += long((bytes.size() + 31) / 32);
}

}  // namespace

const bool traffic_counted = path() != nullptr;

void count_access(const void* p, size_t n, bool write, bool shared, const void* code) {
  Fiber* f = current_fiber;
  int time = times[{code, f->index}]++;
  accesses.push_back(
      {code, f->index / 32, f->lane, time, uintptr_t(p), unsigned(n), write, shared});
}

void traffic_pass(const void* code) {
  if (path()) times[{code, current_fiber->index}]++;
}

// Rows of one 8 x 8 matrix of an ldmatrix: 16 bytes each, in one turn if no two share a bank.
void traffic_matrix(const char* kernel, const void* const (&rows)[8]) {
  if (!path()) return;
  Access parts[8];
  for (int i = 0; i < 8; i++) parts[i] = {nullptr, 0, i, 0, uintptr_t(rows[i]), 16, false, true};
  count_shared(report_at_end.kernels[kernel], parts, parts + 8);
}

void traffic_block_ends(const char* kernel) {
  if (!path()) return;
  std::sort(accesses.begin(), accesses.end(), [](const Access& a, const Access& b) {
    return std::tie(a.warp, a.code, a.time, a.write, a.shared, a.lane) <
           std::tie(b.warp, b.code, b.time, b.write, b.shared, b.lane);
  });
  Counts& counts = report_at_end.kernels[kernel];
  const Access *at = accesses.data(), *end = at + accesses.size();
  while (at != end) {
    const Access* next = at;
    while (next != end && next->with(*at)) next++;
    if (at->shared)
      count_shared(counts, at, next);
    else
      count_device(at->write ? counts.written : counts.read, at, next);
    at = next;
  }
  accesses.clear();
  times.clear();
}

}  // namespace emu
