#include "streams.h"

#include <list>
#include <mutex>

#include "cuda_emu.h"
#include "shadow.h"

namespace emu {

uint64_t schedule();  // scheduler.cpp

namespace {

std::recursive_mutex mutex;
std::list<Task> waiting;
std::vector<Task> copies;  // that have run, for the check build
Clock host;                // what the host has waited for: comes before all that is asked next
Clock done;
int streams, failure;
uint64_t random_state;

void merge(Clock* into, const Clock& other) {
  for (auto [stream, n] : other)
    if ((*into)[stream] < n) (*into)[stream] = n;
}

bool reached(const Clock& wanted) {
  for (auto [stream, n] : wanted)
    if (done[stream] < n) return false;
  return true;
}

bool comes_before(const Task& first, const Task& second) {
  auto known = second.after.find(first.stream);
  return known != second.after.end() && known->second >= first.number;
}

// Copies that no event orders with a task: its kernels must not touch what they touch.
std::vector<Range> unordered(const Task& task) {
  std::vector<Range> ranges;
  auto add = [&](const Task& copy) {
    if (copy.ranges.empty() || copy.stream == task.stream) return;
    if (comes_before(copy, task) || comes_before(task, copy)) return;
    ranges.insert(ranges.end(), copy.ranges.begin(), copy.ranges.end());
  };
  for (const Task& copy : copies) add(copy);
  for (const Task& copy : waiting) add(copy);
  return ranges;
}

void run_one(std::list<Task>::iterator task) {
  std::vector<Range> others = unordered(*task);
  shadow_unordered(others.data(), others.size());
  for (const Range& mine : task->ranges)
    for (const Range& other : others)
      if (mine.from < other.to && other.from < mine.to && (mine.written || other.written))
        report("two copies on different streams touch the same bytes: an event is missing");
  int code = failure ? 0 : task->run();  // after a failure nothing runs any more
  shadow_unordered(nullptr, 0);
  if (code && !failure) failure = code;
  done[task->stream] = task->number;
  if (!task->ranges.empty()) {
    task->run = nullptr;
    copies.push_back(std::move(*task));
  }
  waiting.erase(task);
}

// With seed 0 work runs in the order in which it was asked for.
void run_until(const Clock& wanted) {
  while (!reached(wanted)) {
    std::vector<std::list<Task>::iterator> ready;
    for (auto t = waiting.begin(); t != waiting.end(); ++t)
      if (reached(t->after)) ready.push_back(t);
    size_t chosen = 0;
    if (schedule()) {
      if (!random_state) random_state = schedule() * 0x9E3779B97F4A7C15ull | 1;
      random_state ^= random_state << 13;
      random_state ^= random_state >> 7;
      random_state ^= random_state << 17;
      chosen = size_t(random_state >> 33) % ready.size();
    }
    run_one(ready[chosen]);
  }
  merge(&host, wanted);
  // Copies that everything to come is ordered after are of no interest any more.
  std::vector<Task> still;
  for (Task& c : copies)
    if (host[c.stream] < c.number) still.push_back(std::move(c));
  copies.swap(still);
}

void append(Stream* s, Task task) {
  task.stream = s->id;
  task.number = ++s->count;
  task.after = host;
  merge(&task.after, s->waits);
  task.after[s->id] = s->count - 1;
  s->waits = task.after;
  s->waits[s->id] = s->count;
  waiting.push_back(std::move(task));
}

int result() { return failure ? failure : faults() ? 719 : 0; }

}  // namespace

Stream* stream_create() {
  std::lock_guard<std::recursive_mutex> lock(mutex);
  Stream* s = new Stream;
  s->id = ++streams;
  return s;
}

void stream_destroy(Stream* s) {
  wait_for(s);
  delete s;
}

void enqueue(Stream* s, std::function<int()> run, std::vector<Range> ranges) {
  std::lock_guard<std::recursive_mutex> lock(mutex);
  Task task;
  task.run = std::move(run);
  task.ranges = std::move(ranges);
  if (s->capture)
    s->capture->nodes.push_back(std::move(task));
  else
    append(s, std::move(task));
}

void record(Event* e, Stream* s) {
  std::lock_guard<std::recursive_mutex> lock(mutex);
  e->recorded = s->waits;
  e->recorded[s->id] = s->count;
}

void wait_event(Stream* s, const Event* e) {
  std::lock_guard<std::recursive_mutex> lock(mutex);
  merge(&s->waits, e->recorded);
}

int wait_for(Stream* s) {
  std::lock_guard<std::recursive_mutex> lock(mutex);
  run_until({{s->id, s->count}});
  return result();
}

int wait_for(const Event* e) {
  std::lock_guard<std::recursive_mutex> lock(mutex);
  run_until(e->recorded);
  return result();
}

int wait_for_all() {
  std::lock_guard<std::recursive_mutex> lock(mutex);
  Clock all;
  for (const Task& t : waiting)
    if (all[t.stream] < t.number) all[t.stream] = t.number;
  run_until(all);
  return result();
}

int failure_so_far() {
  std::lock_guard<std::recursive_mutex> lock(mutex);
  return failure;
}

void launch_graph(Stream* s, const Graph* g) {
  std::lock_guard<std::recursive_mutex> lock(mutex);
  for (const Task& node : g->nodes) append(s, node);
}

}  // namespace emu
