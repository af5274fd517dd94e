// Files mapped read-only, and what happens when one shrinks under its reader.
//
// A page behind the new end of a file raises SIGBUS, on whichever thread touches it. For a file of
// ours the handler puts zeros in the place of what is missing, so that the reader goes on, and
// remembers it; the reader asks (ln_file_check) before it uses what it computed. Other addresses go
// to the handler that was there before, the JVM's.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <mutex>

#include "common/device.h"
#include "lora_ops.h"

namespace ln {
namespace {

// A handler may take no lock: a fixed table of atomics. A file beyond it is mapped without a guard.
struct Mapped {
  std::atomic<int64_t> begin{0}, end{0};
  std::atomic<bool> missing{false};
};

constexpr int MOST_FILES = 1024;
Mapped files[MOST_FILES];
std::mutex changing;
struct sigaction before;
int64_t page_size;

Mapped* holding(int64_t address) {
  for (Mapped& f : files)
    if (f.begin <= address && address < f.end) return &f;
  return nullptr;
}

void on_bus_error(int number, siginfo_t* info, void* context) {
  int64_t address = reinterpret_cast<int64_t>(info->si_addr);
  if (Mapped* file = holding(address)) {
    int64_t page = address / page_size * page_size;
    void* zeros = mmap(reinterpret_cast<void*>(page), size_t(file->end - page), PROT_READ,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (zeros != MAP_FAILED) {
      file->missing = true;
      return;
    }
  }
  if (before.sa_flags & SA_SIGINFO)
    before.sa_sigaction(number, info, context);
  else
    signal(SIGBUS, SIG_DFL);  // the access is repeated and ends the process
}

void guard(int64_t address, int64_t bytes) {
  std::lock_guard<std::mutex> lock(changing);
  if (!page_size) {
    page_size = sysconf(_SC_PAGESIZE);
    struct sigaction ours = {};
    ours.sa_sigaction = on_bus_error;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigemptyset(&ours.sa_mask);
    sigaction(SIGBUS, &ours, &before);
  }
  for (Mapped& f : files) {
    if (f.end) continue;
    f.missing = false;
    f.begin = address;
    f.end = address + bytes;
    return;
  }
}

void unguard(int64_t address) {
  std::lock_guard<std::mutex> lock(changing);
  if (Mapped* file = holding(address)) {
    file->end = 0;
    file->begin = 0;
  }
}

}  // namespace
}  // namespace ln

using namespace ln;

int ln_file_map(const char* path, int64_t* address, int64_t* bytes) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return fail(LN_FAILED, "%s cannot be opened: %s", path, strerror(errno));
  struct stat status;
  if (fstat(file, &status) != 0 || status.st_size == 0) {
    close(file);
    return fail(LN_FAILED, "%s cannot be read or is empty", path);
  }
  void* p = mmap(nullptr, size_t(status.st_size), PROT_READ, MAP_PRIVATE, file, 0);
  close(file);
  if (p == MAP_FAILED) return fail(LN_FAILED, "%s cannot be mapped: %s", path, strerror(errno));
  *address = reinterpret_cast<int64_t>(p);
  *bytes = status.st_size;
  guard(*address, *bytes);
  return LN_OK;
}

int ln_file_check(int64_t address) {
  Mapped* file = holding(address);
  return file && file->missing ? fail(LN_FAILED, "a mapped file was cut off") : LN_OK;
}

int ln_file_unmap(int64_t address, int64_t bytes) {
  unguard(address);
  if (munmap(ptr<void>(address), size_t(bytes)) != 0)
    return fail(LN_FAILED, "a file could not be unmapped: %s", strerror(errno));
  return LN_OK;
}

int ln_file_release(int64_t address, int64_t bytes) {
  int64_t page = sysconf(_SC_PAGESIZE), from = (address + page - 1) / page * page;
  int64_t end = (address + bytes) / page * page;
  if (from < end && madvise(ptr<void>(from), size_t(end - from), MADV_DONTNEED) != 0)
    return fail(LN_FAILED, "pages of a file could not be released: %s", strerror(errno));
  return LN_OK;
}
