// Typed launches: arguments are converted to the kernel's own parameter types, taken from the
// header that it shares with its launcher, so a drift between the two is a compile error.
#pragma once
#include <tuple>
#include <type_traits>
#include <utility>

#include "composed/backend.h"
#include "cuda/driver.h"
#include "types.h"

namespace ln {

template <typename To, typename From>
To kernel_argument(From value) {
  if constexpr (std::is_pointer_v<To>)
    return reinterpret_cast<To>(value);  // device addresses cross the seam as integers
  else
    return static_cast<To>(value);
}

template <typename Signature>
struct Launch;

template <typename... P>
struct Launch<void(P...)> {
  template <typename... A>
  static int run(Device* device, const char* name, Grid grid, unsigned threads, unsigned shared,
                 A... arguments) {
    static_assert(sizeof...(A) == sizeof...(P), "a launch gives another number of arguments");
    std::tuple<P...> values{kernel_argument<P>(arguments)...};
    return std::apply(
        [&](auto&... value) {
          void* pointers[] = {(void*)&value...};
          return cuda_launch(device, name, grid, threads, shared, pointers);
        },
        values);
  }
};

// Blocks of `threads` that cover n elements.
inline Grid cover(int64_t n, int64_t threads) { return {(n + threads - 1) / threads, 1}; }

#define LN_LAUNCH(device, kernel, grid, threads, shared, ...) \
  ln::Launch<decltype(kernel)>::run(device, #kernel, grid, threads, shared, __VA_ARGS__)

// The kernel's instance for a dtype; LN_LAUNCH_16_BIT for kernels that have none in f32.
#define LN_LAUNCH_16_BIT(device, dtype, kernel, grid, threads, shared, ...)                  \
  ((dtype) == LN_BF16 ? LN_LAUNCH(device, kernel##_bf16, grid, threads, shared, __VA_ARGS__) \
                      : LN_LAUNCH(device, kernel##_f16, grid, threads, shared, __VA_ARGS__))
#define LN_LAUNCH_TYPED(device, dtype, kernel, grid, threads, shared, ...)   \
  ((dtype) == LN_F32                                                         \
       ? LN_LAUNCH(device, kernel##_f32, grid, threads, shared, __VA_ARGS__) \
       : LN_LAUNCH_16_BIT(device, dtype, kernel, grid, threads, shared, __VA_ARGS__))

}  // namespace ln
