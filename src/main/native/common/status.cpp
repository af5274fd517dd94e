#include <stdarg.h>
#include <stdio.h>

#include "common/device.h"
#include "lora_ops.h"

namespace ln {

static thread_local char last_error[512] = "no error";

int fail(int code, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(last_error, sizeof last_error, format, arguments);
  va_end(arguments);
  return code;
}

}  // namespace ln

const char* ln_last_error() { return ln::last_error; }

#include "exports.inc"
