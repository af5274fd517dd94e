// Streams, events and graphs of the emulated driver. Work that is asked for waits in queues and
// runs when somebody waits for it, in an order drawn by seed among what streams and events allow:
// where an event is missing, some order shows it.
#pragma once
#include <stdint.h>

#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace emu {

// How far each stream has got, as a piece of work knows it: one that knows n of stream s comes
// after the first n pieces of s.
typedef std::map<int, long> Clock;

// Device bytes that a copy reads or writes.
struct Range {
  uintptr_t from, to;
  bool written;
};

// One piece of work.
struct Task {
  std::function<int()> run;  // a driver's code
  std::vector<Range> ranges;
  int stream = 0;
  long number = 0;  // of its stream, from 1
  Clock after;      // what must have run before
  bool done = false;
};

struct Event {
  Clock recorded;
};

struct Graph {
  std::vector<Task> nodes;
};

struct Stream {
  int id = 0;
  long count = 0;  // tasks so far
  Clock waits;     // what its next task comes after, beside those of the host
  std::unique_ptr<Graph> capture;
  const void* context = nullptr;  // the driver's
};

Stream* stream_create();
void stream_destroy(Stream* s);
// Appends work to a stream, or to the graph that it captures.
void enqueue(Stream* s, std::function<int()> run, std::vector<Range> ranges);
void record(Event* e, Stream* s);
void wait_event(Stream* s, const Event* e);
// Runs work until all of a stream (or up to an event) is done; returns the first failure so far.
int wait_for(Stream* s);
int wait_for(const Event* e);
int wait_for_all();
// The code of the first piece of work that failed: nothing runs after it.
int failure_so_far();
// Appends a captured graph's nodes.
void launch_graph(Stream* s, const Graph* g);

}  // namespace emu
