// What the library asks of the operating system: memory, mapped files, shared libraries, and what
// the machine is. posix.cpp answers; no other file includes a system's headers, so another system
// is another file beside it.
#pragma once
#include <stddef.h>

namespace ln::platform {

// Why the thread's last call that failed did.
const char* reason();

// Pages that hold zeros and cost nothing before they are touched. Null: see reason().
void* allocate_pages(size_t bytes);
bool free_pages(void* pages, size_t bytes);

// Maps a whole file read-only. Null: see reason(). Where the file shrinks under its reader, zeros
// are read and the file is remembered as cut.
const void* map_file(const char* path, size_t* bytes);
bool unmap_file(const void* file, size_t bytes);
bool was_cut(const void* file);
// Gives back the memory of whole pages within a mapped range; they are read again when touched.
bool forget_pages(const void* from, size_t bytes);

// A shared library by its name or path, kept open. Null: see reason().
void* open_library(const char* name);
// A function of it; null if the library has none of this name.
void* find_function(void* library, const char* name);

template <typename F>
bool bind(void* library, const char* name, F* function) {
  *function = reinterpret_cast<F>(find_function(library, name));
  return *function != nullptr;
}

unsigned process_id();
// Physical cores that this process may run on.
int physical_cores();

}  // namespace ln::platform
