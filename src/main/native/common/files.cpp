#include "common/device.h"
#include "lora_ops.h"
#include "platform/platform.h"

using namespace ln;

int ln_file_map(const char* path, int64_t* address, int64_t* bytes) {
  size_t size;
  const void* file = platform::map_file(path, &size);
  if (!file) return fail(LN_FAILED, "%s cannot be mapped: %s", path, platform::reason());
  *address = reinterpret_cast<int64_t>(file);
  *bytes = int64_t(size);
  return LN_OK;
}

int ln_file_check(int64_t address) {
  return platform::was_cut(ptr<void>(address)) ? fail(LN_FAILED, "a mapped file was cut off")
                                               : LN_OK;
}

int ln_file_unmap(int64_t address, int64_t bytes) {
  if (platform::unmap_file(ptr<void>(address), size_t(bytes))) return LN_OK;
  return fail(LN_FAILED, "a file could not be unmapped: %s", platform::reason());
}

int ln_file_release(int64_t address, int64_t bytes) {
  if (platform::forget_pages(ptr<void>(address), size_t(bytes))) return LN_OK;
  return fail(LN_FAILED, "pages of a file could not be released: %s", platform::reason());
}
