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
void* shadow_allocate(size_t n);
void shadow_free(void* p, size_t n);
#else
inline void shadow_launch() {}
inline void shadow_block() {}
inline void shadow_unordered(const Range*, size_t) {}
inline void shadow_copy_issued(void*, const void*, int, int) {}
inline void shadow_copy_landed(void*, int) {}
inline void shadow_read_by(Fiber*, const void*, size_t) {}
inline void* shadow_allocate(size_t n) { return aligned_alloc(256, (n + 255) / 256 * 256); }
inline void shadow_free(void* p, size_t) { free(p); }
#endif

}  // namespace emu
