// Runs each planted kernel sound and faulty, under several schedules: the first must pass in
// silence, the second must be caught by name. Prints "N passed, N failed".
#include <stdio.h>
#include <string.h>

#include "shadow.h"
#include "streams.h"

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

void judge(const char* kernel, const char* said, int fault, uint64_t seed) {
  bool caught = emu::faults() > 0;
  bool named = caught && strstr(emu::first_fault(), said) && strstr(emu::first_fault(), kernel);
  bool right = fault ? named : !caught;
  right ? passed++ : failed++;
  if (!right)
    printf("%s fault %d seed %d: %s\n", kernel, fault, int(seed),
           caught ? emu::first_fault() : "nothing was reported");
}

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
  judge(p.kernel, p.said, fault, seed);
}

// A copy on one stream feeds a kernel on another; the event between is left out. In one of the two
// directions: the kernel reads what is copied in, or writes what is copied out.
void run_streams(bool inwards, int fault, uint64_t seed) {
  emu::set_schedule(seed);
  emu::forget_faults();
  float *device = static_cast<float*>(emu::shadow_allocate(128)),
        *other = static_cast<float*>(emu::shadow_allocate(128));
  static float host[32];
  uintptr_t at = reinterpret_cast<uintptr_t>(device);
  emu::Stream *compute = emu::stream_create(), *copies = emu::stream_create();
  emu::Event event;
  auto copy = [&] {
    auto in = [=] { return memcpy(device, host, 128), 0; };
    auto out = [=] { return memcpy(host, device, 128), 0; };
    if (inwards)
      emu::enqueue(copies, in, {{at, at + 128, true}});
    else
      emu::enqueue(copies, out, {{at, at + 128, false}});
  };
  auto kernel = [&] {
    auto body = [=] {
      const float* from = inwards ? device : other;
      float* to = inwards ? other : device;
      void* arguments[] = {&from, &to};
      emu::launch(emu::find("planted_event"), dim3(1), dim3(32), 0, arguments);
      return 0;
    };
    emu::enqueue(compute, body, {});
  };
  emu::Stream *first = inwards ? copies : compute, *second = inwards ? compute : copies;
  inwards ? copy() : kernel();
  if (!fault) {
    emu::record(&event, first);
    emu::wait_event(second, &event);
  }
  inwards ? kernel() : copy();
  emu::wait_for_all();
  emu::stream_destroy(compute);
  emu::stream_destroy(copies);
  judge("planted_event", "an event is missing", fault, seed);
}

}  // namespace

int main() {
  if (!freopen("/dev/null", "w", stderr)) return 1;  // the reports are what is tested
  for (const Plant& p : kPlants)
    for (uint64_t seed : {0, 1, 2, 3, 4})
      for (int fault : {0, 1}) run(p, fault, seed);
  for (bool inwards : {true, false})
    for (uint64_t seed : {0, 1, 2, 3, 4})
      for (int fault : {0, 1}) run_streams(inwards, fault, seed);
  printf("%d passed, %d failed\n", passed, failed);
  return failed ? 1 : 0;
}
