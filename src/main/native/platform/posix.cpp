// POSIX, and what Linux alone tells of processors.
//
// A page behind the new end of a mapped file raises SIGBUS, on whichever thread touches it. For a
// file of ours the handler puts zeros in the place of what is missing, so that the reader goes on,
// and remembers it; the reader asks (was_cut) before it uses what it computed. Other addresses go
// to the handler that was there before, the JVM's.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <set>
#include <utility>

#include "platform/platform.h"

namespace ln::platform {
namespace {

thread_local char why[256] = "no error";

bool failed(const char* sentence) {
  snprintf(why, sizeof why, "%s", sentence);
  return false;
}

bool succeeded(int status) { return status == 0 || failed(strerror(errno)); }

// A handler may take no lock: a fixed table of atomics. A file beyond it is mapped without a guard.
struct Mapped {
  std::atomic<uintptr_t> begin{0}, end{0};
  std::atomic<bool> cut{false};
};

constexpr int kMostFiles = 1024;
Mapped files[kMostFiles];
std::mutex changing;
struct sigaction before;
uintptr_t page_size;

Mapped* holding(const void* address) {
  auto at = reinterpret_cast<uintptr_t>(address);
  for (Mapped& f : files)
    if (f.begin <= at && at < f.end) return &f;
  return nullptr;
}

void on_bus_error(int number, siginfo_t* info, void* context) {
  if (Mapped* file = holding(info->si_addr)) {
    uintptr_t page = reinterpret_cast<uintptr_t>(info->si_addr) / page_size * page_size;
    void* zeros = mmap(reinterpret_cast<void*>(page), file->end - page, PROT_READ,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (zeros != MAP_FAILED) {
      file->cut = true;
      return;
    }
  }
  if (before.sa_flags & SA_SIGINFO)
    before.sa_sigaction(number, info, context);
  else
    signal(SIGBUS, SIG_DFL);  // the access is repeated and ends the process
}

void guard(const void* file, size_t bytes) {
  std::lock_guard<std::mutex> lock(changing);
  if (!page_size) {
    page_size = uintptr_t(sysconf(_SC_PAGESIZE));
    struct sigaction ours = {};
    ours.sa_sigaction = on_bus_error;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigemptyset(&ours.sa_mask);
    sigaction(SIGBUS, &ours, &before);
  }
  for (Mapped& f : files) {
    if (f.end) continue;
    f.cut = false;
    f.begin = reinterpret_cast<uintptr_t>(file);
    f.end = f.begin + bytes;
    return;
  }
}

void unguard(const void* address) {
  std::lock_guard<std::mutex> lock(changing);
  if (Mapped* file = holding(address)) {
    file->end = 0;
    file->begin = 0;
  }
}

}  // namespace

const char* reason() { return why; }

void* allocate_pages(size_t bytes) {
  size_t size = bytes ? bytes : 1;
  void* pages = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) {
    failed(strerror(errno));
    return nullptr;
  }
  madvise(pages, size, MADV_HUGEPAGE);
  return pages;
}

bool free_pages(void* pages, size_t bytes) { return succeeded(munmap(pages, bytes ? bytes : 1)); }

const void* map_file(const char* path, size_t* bytes) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (!succeeded(file < 0 ? -1 : fstat(file, &status))) {
    if (file >= 0) close(file);
    return nullptr;
  }
  *bytes = size_t(status.st_size);
  void* mapped = *bytes ? mmap(nullptr, *bytes, PROT_READ, MAP_PRIVATE, file, 0) : MAP_FAILED;
  if (mapped == MAP_FAILED) failed(*bytes ? strerror(errno) : "it is empty");
  close(file);
  if (mapped == MAP_FAILED) return nullptr;
  guard(mapped, *bytes);
  return mapped;
}

bool unmap_file(const void* file, size_t bytes) {
  unguard(file);
  return succeeded(munmap(const_cast<void*>(file), bytes));
}

bool was_cut(const void* file) {
  const Mapped* mapped = holding(file);
  return mapped && mapped->cut;
}

bool forget_pages(const void* from, size_t bytes) {
  uintptr_t page = uintptr_t(sysconf(_SC_PAGESIZE)), at = reinterpret_cast<uintptr_t>(from);
  uintptr_t first = (at + page - 1) / page * page, end = (at + bytes) / page * page;
  return first >= end ||
         succeeded(madvise(reinterpret_cast<void*>(first), end - first, MADV_DONTNEED));
}

void* open_library(const char* name) {
  void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (!library) failed(dlerror());
  return library;
}

void* find_function(void* library, const char* name) { return dlsym(library, name); }

unsigned process_id() { return unsigned(getpid()); }

int physical_cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
    return int(sysconf(_SC_NPROCESSORS_ONLN));
  std::set<std::pair<int, int>> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    int id[2] = {-1, cpu};  // a CPU that tells nothing counts as a core of its own
    const char* names[2] = {"physical_package_id", "core_id"};
    for (int i = 0; i < 2; i++) {
      char path[128];
      snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/%s", cpu, names[i]);
      if (FILE* file = fopen(path, "r")) {
        int value;
        if (fscanf(file, "%d", &value) == 1) id[i] = value;
        fclose(file);
      }
    }
    cores.insert({id[0], id[1]});
  }
  return cores.empty() ? 1 : int(cores.size());
}

}  // namespace ln::platform
