#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

namespace emu {

namespace {

// Device memory is asked for from here on, far from everything else, so that an address of it is
// known among a kernel's arguments.
constexpr uintptr_t kFirst = uintptr_t(1) << 44, kLast = kFirst << 1;
constexpr size_t kAlignment = 2 << 20;

FILE* file() {
  static FILE* f = [] {
    const char* path = getenv("LN_EMU_RECORD");
    FILE* opened = path ? fopen(path, "w") : nullptr;
    if (opened) fprintf(opened, "kernel,x,y,z,threads,shared_bytes,captured\n");
    return opened;
  }();
  return f;
}

}  // namespace

bool recording() { return file() != nullptr; }

void* reserve(size_t n) {
  static uintptr_t next = kFirst;
  void* wanted = reinterpret_cast<void*>(next);
  void* p = mmap(wanted, n, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) return nullptr;
  if (p != wanted) return munmap(p, n), nullptr;
  next += (n + 2 * kAlignment - 1) / kAlignment * kAlignment;  // with a gap behind
  return p;
}

bool give_up(void* p, size_t n) { return munmap(p, n) == 0; }

std::string wrong_argument(const Kernel* kernel, void** arguments, bool (*inside)(uintptr_t)) {
  size_t number = 0;
  for (const std::vector<char>& bytes : kernel->keep(arguments)) {
    for (size_t at = 0; at + 8 <= bytes.size(); at += 8) {
      uintptr_t address;
      memcpy(&address, bytes.data() + at, 8);
      if (address < kFirst || address >= kLast) continue;
      bool there = inside(address);
      if (there && address % 16 == 0) continue;
      char text[200];
      snprintf(text, sizeof text, "argument %zu of %s, byte %zu, %s", number, kernel->name, at,
               there ? "is no multiple of 16" : "lies in no allocation");
      return text;
    }
    number++;
  }
  return "";
}

void record_launch(const Kernel* kernel, dim3 grid, unsigned threads, size_t shared_bytes,
                   bool captured) {
  fprintf(file(), "%s,%u,%u,%u,%u,%zu,%d\n", kernel->name, grid.x, grid.y, grid.z, threads,
          shared_bytes, captured);
}

void record_wait() {
  fprintf(file(), "wait\n");
  fflush(file());
}

}  // namespace emu
