// Fibers, barriers and collectives of the CUDA emulator.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "cuda_emu.h"
#include "shadow.h"
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace emu {

LN_EMU_THREAD Fiber* current_fiber;
LN_EMU_THREAD Block* current_block;
Kernel* registry;

static uint64_t schedule_seed;
static std::atomic<long> fault_count{0};
static const Kernel* running;

void set_schedule(uint64_t seed) { schedule_seed = seed; }
uint64_t schedule() { return schedule_seed; }
bool random_schedule() { return schedule_seed != 0; }
const char* running_kernel() { return running->name; }
long faults() { return fault_count.load(); }

static char first_fault_text[600];
const char* first_fault() { return first_fault_text; }
void forget_faults() { fault_count = 0; }

const Kernel* find(const char* name) {
  for (const Kernel* k = registry; k; k = k->next)
    if (!strcmp(k->name, name)) return k;
  return nullptr;
}

void report(const char* format, ...) {
  long n = ++fault_count;
  if (n > 5) return;
  char text[400], line[600];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (current_fiber && current_block)
    snprintf(line, sizeof line, "kernel %s block (%u,%u,%u) thread %d: %s", running->name,
             current_block->index.x, current_block->index.y, current_block->index.z,
             current_fiber->index, text);
  else
    snprintf(line, sizeof line, "%s", text);
  fprintf(stderr, "emulator: %s\n", line);
  if (n == 1) memcpy(first_fault_text, line, sizeof line);
}

// ---- fibers -------------------------------------------------------------------------------------

// Saves the callee-saved registers and the stack pointer at *save, goes on at `to`.
extern "C" void emu_switch(void** save, void* to);
asm(R"(.text
.globl emu_switch
.type emu_switch,@function
emu_switch:
  push %rbp
  push %rbx
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp,(%rdi)
  mov %rsi,%rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbx
  pop %rbp
  ret
.size emu_switch,.-emu_switch
)");

namespace {

constexpr size_t kStackBytes = 64 << 10;
constexpr int kMaxThreads = 1024;

// One OS thread's fibers and the block they run.
struct Worker {
  Block block;
  std::vector<Fiber> fibers{kMaxThreads};
  char* stacks = static_cast<char*>(mmap(nullptr, kStackBytes* kMaxThreads, PROT_READ | PROT_WRITE,
                                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  void* own_stack_pointer = nullptr;
  void* own_fake_stack = nullptr;
  const void* own_bottom = nullptr;
  size_t own_size = 0;
  void** arguments = nullptr;
  char* shared = nullptr;
  size_t shared_capacity = 0;
  uint64_t random = 1;

  ~Worker() {
    munmap(stacks, kStackBytes * kMaxThreads);
    free(shared);
  }
};

LN_EMU_THREAD Worker* worker;

}  // namespace

uint32_t draw() {
  uint64_t x = worker->random;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  worker->random = x;
  return uint32_t(x >> 32);
}

namespace {

// Switches to a fiber, or back to the worker's own stack if `to` is null.
void jump(void** save, Fiber* to, bool ends = false) {
  Fiber* from = current_fiber;
#if defined(__SANITIZE_ADDRESS__)
  void** fake = from ? &from->fake_stack : &worker->own_fake_stack;
  if (to)
    __sanitizer_start_switch_fiber(ends ? nullptr : fake, to->stack, kStackBytes);
  else
    __sanitizer_start_switch_fiber(ends ? nullptr : fake, worker->own_bottom, worker->own_size);
#else
  (void)ends;
#endif
  current_fiber = to;
  emu_switch(save, to ? to->stack_pointer : worker->own_stack_pointer);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(from ? from->fake_stack : worker->own_fake_stack, nullptr,
                                  nullptr);
#endif
  current_fiber = from;
}

Fiber* lowest(Warp* w) { return w->lane[__builtin_ctz(w->runnable)]; }

// A warp runs as far as it can before another does; with a seed, warps and lanes are drawn.
Fiber* next_fiber(Warp* here) {
  Block* b = current_block;
  if (schedule_seed == 0) {
    if (here && here->runnable) return lowest(here);
    for (int i = 0; i < b->warp_count; i++)
      if (b->warp[i].runnable) return lowest(&b->warp[i]);
    return nullptr;
  }
  int first = int(draw() % unsigned(b->warp_count));
  if (here && here->runnable && draw() % 4) first = int(here - b->warp);
  for (int i = 0; i < b->warp_count; i++) {
    Warp* w = &b->warp[(first + i) % b->warp_count];
    if (!w->runnable) continue;
    int turn = int(draw() & 31);
    uint32_t turned = w->runnable >> turn | (turn ? w->runnable << (32 - turn) : 0);
    return w->lane[(__builtin_ctz(turned) + turn) & 31];
  }
  return nullptr;
}

[[noreturn]] void deadlock() {
  report("deadlock: %d of %d threads at __syncthreads, %d have ended, the others wait for copies",
         current_block->at_barrier, current_block->thread_count, current_block->done);
  abort();
}

void wait_for_others() {
  Fiber* me = current_fiber;
  Fiber* next = next_fiber(me->warp);
  if (!next) deadlock();
  if (next != me) jump(&me->stack_pointer, next);
}

void fiber_main() {
#if defined(__SANITIZE_ADDRESS__)
  const void* bottom;
  size_t size;
  __sanitizer_finish_switch_fiber(nullptr, &bottom, &size);
  if (!worker->own_bottom) {
    worker->own_bottom = bottom;
    worker->own_size = size;
  }
#endif
  running->invoke(running->function, worker->arguments);
  Fiber* me = current_fiber;
  Block* b = current_block;
  me->warp->alive &= ~(1u << me->lane);
  me->warp->runnable &= ~(1u << me->lane);
  b->done++;
  for (int i = 0; i < me->copy_count; i++)
    if (me->copies[i].group >= 0) {
      report("ends with a cp.async in flight that no wait covered");
      break;
    }
  if (!me->warp->products.empty()) report("ends with products in flight that no wait covered");
  if (b->at_barrier) report("ends while %d threads wait at __syncthreads", b->at_barrier);
  Fiber* next = next_fiber(me->warp);
  if (!next && b->done != b->thread_count) deadlock();
  void* nowhere;
  jump(&nowhere, next, true);
  __builtin_unreachable();
}

void prepare(Fiber* f, int i) {
  f->stack = worker->stacks + kStackBytes * size_t(i);
#if defined(__SANITIZE_ADDRESS__)
  // The fiber before ended without unwinding its frames.
  __asan_unpoison_memory_region(f->stack, kStackBytes);
#endif
  // Staggered, so that the stacks do not all fall into the same cache sets.
  uintptr_t top = uintptr_t(f->stack) + kStackBytes - 64 - size_t(i % 61) * 192;
  void** s = reinterpret_cast<void**>(top & ~uintptr_t(15));
  *--s = nullptr;
  *--s = reinterpret_cast<void*>(&fiber_main);
  for (int k = 0; k < 6; k++) *--s = nullptr;
  f->stack_pointer = s;
}

void run_block(dim3 grid, dim3 threads, size_t shared_bytes, long index, void** arguments) {
  Worker& w = *worker;
  Block& b = w.block;
  current_block = &b;
  w.arguments = arguments;
  b = Block();
  b.grid = grid;
  b.threads = threads;
  b.index = dim3(unsigned(index % grid.x), unsigned(index / grid.x % grid.y),
                 unsigned(index / grid.x / grid.y));
  b.thread_count = int(threads.x * threads.y * threads.z);
  b.warp_count = b.thread_count / 32;
#if defined(LN_EMU_CHECK)
  size_t margin = kSharedMargin;  // so that the shadow knows an overrun
#else
  size_t margin = 0;  // exact sizes, so that AddressSanitizer sees one
#endif
  size_t capacity = (shared_bytes + 2 * margin + 255) / 128 * 128;
  if (w.shared_capacity != capacity || !w.shared) {
    free(w.shared);
    w.shared = static_cast<char*>(aligned_alloc(128, capacity));
    w.shared_capacity = capacity;
#if defined(__SANITIZE_ADDRESS__)
    __asan_poison_memory_region(w.shared + shared_bytes, capacity - shared_bytes);
#endif
  }
  b.shared = w.shared + margin;
  b.shared_bytes = shared_bytes;
  b.number = index;
  shadow_block();
  memset(b.shared, 0xff, shared_bytes);  // NaN in every format: what is never written shows
  for (int i = 0; i < b.warp_count; i++) {
    b.warp[i].alive = b.warp[i].runnable = ~0u;
    b.warp[i].in_warpgroup = i % 4;
  }
  for (int i = 0; i < b.thread_count; i++) {
    Fiber* f = &w.fibers[size_t(i)];
    f->index = i;
    f->lane = i & 31;
    f->copy_count = f->committed = 0;
    f->warp = &b.warp[i / 32];
    f->warp->lane[f->lane] = f;
    unsigned u = unsigned(i);
    f->thread = dim3(u % threads.x, u / threads.x % threads.y, u / threads.x / threads.y);
    prepare(f, i);
  }
  w.random = (schedule_seed * 0x9E3779B97F4A7C15ull + uint64_t(index) * 0xD1B54A32D192ED03ull) | 1;
  current_fiber = nullptr;
  jump(&w.own_stack_pointer, next_fiber(nullptr));
  current_fiber = nullptr;
  traffic_block_ends(running->name);
}

}  // namespace

void launch(const Kernel* kernel, dim3 grid, dim3 threads, size_t shared_bytes, void** arguments) {
  static std::mutex one_at_a_time;
  std::lock_guard<std::mutex> lock(one_at_a_time);
  running = kernel;
  shadow_launch();
  if (!worker) worker = new Worker;  // lives as long as its OS thread's launches: to the end
  long blocks = long(grid.x) * grid.y * grid.z;
  for (long i = 0; i < blocks; i++) {
    // With a seed, blocks run in another order too.
    long index = schedule_seed % 2 ? blocks - 1 - i : i;
    run_block(grid, threads, shared_bytes, index, arguments);
  }
}

// ---- barriers and collectives -------------------------------------------------------------------

void barrier(const void* site) {
  Block* b = current_block;
  Fiber* me = current_fiber;
  if (b->at_barrier == 0)
    b->barrier_site = site;
  else if (b->barrier_site != site)
    report("divergent barrier: threads of a block meet at different __syncthreads");
  if (b->done) report("__syncthreads after %d threads of the block have ended", b->done);
  me->warp->runnable &= ~(1u << me->lane);
  if (++b->at_barrier == b->thread_count - b->done) {
    b->at_barrier = 0;
    b->epoch++;
    for (int i = 0; i < b->warp_count; i++) {
      if (b->warp[i].arrived) report("a barrier completes while a collective is half arrived");
      b->warp[i].runnable = b->warp[i].alive;
    }
    if (schedule_seed == 0) return;
  }
  wait_for_others();
}

void rest() {
  Fiber* me = current_fiber;
  me->warp->runnable &= ~(1u << me->lane);
  wait_for_others();
}

void wake(Fiber* f) { f->warp->runnable |= 1u << f->lane; }

void collective(uint32_t mask, int kind, void* argument, void (*compute)(Warp*)) {
  Fiber* me = current_fiber;
  Warp* w = me->warp;
  uint32_t bit = 1u << me->lane;
  if (!w->arrived) {
    w->mask = mask;
    w->kind = kind;
    if (mask & ~w->alive) report("a collective names lanes %08x that have ended", mask & ~w->alive);
  } else if (w->kind != kind || w->mask != mask) {
    report("divergent warp: lanes meet in different collectives");
  }
  if (!(mask & bit)) report("a lane is not named in the mask of its own collective");
  w->argument[me->lane] = argument;
  w->arrived |= bit;
  if (w->arrived == (w->mask & w->alive)) {
    compute(w);
    w->arrived = 0;
    w->runnable |= w->mask & w->alive;
    return;
  }
  w->runnable &= ~bit;
  wait_for_others();
}

// What lanes give and get stands side by side in the warp: their stacks are far from one another.
uint32_t shuffle(uint32_t mask, uint32_t value, int source) {
  Fiber* me = current_fiber;
  me->warp->given[me->lane] = value;
  me->warp->source[me->lane] = source & 31;
  collective(mask, kShuffle, nullptr, [](Warp* w) {
    for (int lane = 0; lane < 32; lane++) {
      if (!(w->mask >> lane & 1)) continue;
      if (w->mask >> w->source[lane] & 1) {
        w->got[lane] = w->given[w->source[lane]];
      } else {
        report("a shuffle reads lane %d, which takes no part", w->source[lane]);
        w->got[lane] = ~0u;
      }
    }
  });
  return me->warp->got[me->lane];
}

void from_lanes(float* x, float value, const uint32_t* index, int count, int lanes) {
  Fiber* me = current_fiber;
  memcpy(&me->warp->given[me->lane], &value, 4);
  collective(~0u, kShuffle, nullptr, [](Warp* w) { memcpy(w->got, w->given, sizeof w->got); });
  const uint32_t group = me->lane & ~(lanes - 1);
  for (int i = 0; i < count; i++)
    memcpy(&x[i], &me->warp->got[group | (index[i] & (lanes - 1))], 4);
}

}  // namespace emu
