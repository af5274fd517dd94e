// Launches written down instead of run (LN_EMU_RECORD names the file): real launchers over models
// of any size, in seconds. Device memory is addresses that nobody can touch.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include <string>

#include "cuda_emu.h"

namespace emu {

bool recording();

// Addresses for n bytes; null if there are none.
void* reserve(size_t n);
bool give_up(void* p, size_t n);

// What is wrong with a kernel's arguments, empty if nothing is: a device address that lies in no
// allocation, or that 16-byte loads cannot read. `inside` says whether an address is allocated.
std::string wrong_argument(const Kernel* kernel, void** arguments, bool (*inside)(uintptr_t));

// Lines of CSV: a kernel with its grid, threads, shared bytes and whether it is captured, and
// "wait", where the host waited for what stands before it.
void record_launch(const Kernel* kernel, dim3 grid, unsigned threads, size_t shared_bytes,
                   bool captured);
void record_wait();

}  // namespace emu
