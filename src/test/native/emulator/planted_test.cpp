// Runs each planted kernel sound and faulty, under several schedules: the first must pass in
// silence, the second must be caught by name. Prints "N passed, N failed".
#include <stdio.h>
#include <string.h>

#include "shadow.h"

namespace {

int passed, failed;

struct Plant {
  const char* kernel;
  unsigned blocks, threads, shared_bytes;
  const char* said;  // part of the report
};

const Plant kPlants[] = {
    {"planted_barrier", 1, 64, 256, "shared byte"},
    {"planted_syncwarp", 1, 32, 128, "shared byte"},
    {"planted_write_after_read", 1, 64, 256, "race on shared byte"},
    {"planted_wait", 1, 64, 1024, "a wait is missing"},
    {"planted_shared_bounds", 1, 64, 256, "of shared memory, which has 256"},
    {"planted_device_bounds", 2, 64, 0, "device memory out of bounds"},
    {"planted_blocks", 4, 32, 0, "race on device memory"},
    {"planted_shuffle", 1, 32, 0, "takes no part"},
    {"planted_divergence", 1, 64, 0, "divergent barrier"},
    {"planted_unwritten", 1, 64, 256, "which nobody wrote"},
    {"planted_fragment", 1, 32, 512, "of shared memory, which has 512"},
};

void run(const Plant& p, int fault, uint64_t seed) {
  emu::set_schedule(seed);
  emu::forget_faults();
  size_t out_bytes = size_t(p.blocks) * p.threads * 4, in_bytes = 1024;
  void* in = emu::shadow_allocate(in_bytes);
  void* out = emu::shadow_allocate(out_bytes);
  memset(in, 0, in_bytes);
  memset(out, 0, out_bytes);
  bool has_input = !strcmp(p.kernel, "planted_wait");
  void* with_input[] = {&in, &out, &fault};
  void* without[] = {&out, &fault};
  emu::launch(emu::find(p.kernel), dim3(p.blocks), dim3(p.threads), p.shared_bytes,
              has_input ? with_input : without);
  bool caught = emu::faults() > 0;
  bool named = caught && strstr(emu::first_fault(), p.said) && strstr(emu::first_fault(), p.kernel);
  bool right = fault ? named : !caught;
  right ? passed++ : failed++;
  if (!right)
    printf("%s fault %d seed %d: %s\n", p.kernel, fault, int(seed),
           caught ? emu::first_fault() : "nothing was reported");
}

}  // namespace

int main() {
  if (!freopen("/dev/null", "w", stderr)) return 1;  // the reports are what is tested
  for (const Plant& p : kPlants)
    for (uint64_t seed : {0, 1, 2, 3, 4})
      for (int fault : {0, 1}) run(p, fault, seed);
  printf("%d passed, %d failed\n", passed, failed);
  return failed ? 1 : 0;
}
