// What the emulator tells the shadow memory of the check build; nothing in the fast build.
#pragma once
#include <stdlib.h>

#include "cuda_emu.h"
#include "streams.h"

namespace emu {

// Bytes on either side of shared memory that belong to it alone, so that an overrun is known as
// one.
constexpr size_t kSharedMargin = 8192;

#ifdef LN_EMU_CHECK
void shadow_launch();
void shadow_block();
// What copies on other streams touch while the next kernel runs, with no event between.
void shadow_unordered(const Range* ranges, size_t n);
void shadow_copy_issued(void* to, const void* from, int bytes, int from_bytes);
void shadow_copy_landed(void* to, int bytes);
void shadow_read_by(Fiber* f, const void* p, size_t n);
// A box of bulk_copy.cuh: written by nobody in particular, and there for all who wait for it.
void shadow_box_issued(void* to, int bytes);
void shadow_box_landed(void* to, int bytes);
void* shadow_allocate(size_t n);
bool shadow_free(void* p, size_t n);
// traffic.cpp: what a thread reads or writes at a place in the code, the 8 rows of a matrix that
// ldmatrix reads, and the end of a block.
extern const bool traffic_counted;
void count_access(const void* p, size_t n, bool write, bool shared, const void* code);
inline void traffic_access(const void* p, size_t n, bool write, bool shared, const void* code) {
  if (traffic_counted) count_access(p, n, write, shared, code);
}
void traffic_pass(const void* code);  // nothing, this time
void traffic_matrix(const char* kernel, const void* const (&rows)[8]);
void traffic_block_ends(const char* kernel);
#else
inline void traffic_matrix(const char*, const void* const (&)[8]) {}
inline void traffic_block_ends(const char*) {}
inline void shadow_launch() {}
inline void shadow_block() {}
inline void shadow_unordered(const Range*, size_t) {}
inline void shadow_copy_issued(void*, const void*, int, int) {}
inline void shadow_copy_landed(void*, int) {}
inline void shadow_read_by(Fiber*, const void*, size_t) {}
inline void shadow_box_issued(void*, int) {}
inline void shadow_box_landed(void*, int) {}
inline void* shadow_allocate(size_t n) { return aligned_alloc(256, (n + 255) / 256 * 256); }
inline bool shadow_free(void* p, size_t) { return free(p), true; }
#endif

}  // namespace emu
