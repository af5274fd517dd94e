// Eight neighbouring numbers, in registers as f32: one access of 16 bytes in 16 bits, two in f32.
//
// A kernel comes in two forms: WHOLE where every row is whole eights at multiples of 16 bytes, as
// in all real models, else ragged, a number at a time. LN_EIGHTS chooses, alike for the whole grid.
#pragma once
#include "gpu.cuh"

#define LN_EIGHTS(condition, kernel, ...) \
  if (condition)                          \
    kernel<true>(__VA_ARGS__);            \
  else                                    \
    kernel<false>(__VA_ARGS__)

// Whether rows of n numbers that begin here, one behind the other, are whole eights.
template <typename... P>
LN_DEVICE bool whole_eights(i64 n, const P*... rows) {
  return n % 8 == 0 && ((size_t(rows) | ...) & 15) == 0;
}

LN_DEVICE void unpack(u32 pair, float* lower, float* upper, gpu_bf16) {
  *lower = __uint_as_float(pair << 16);
  *upper = __uint_as_float(pair & 0xffff0000u);
}
LN_DEVICE void unpack(u32 pair, float* lower, float* upper, gpu_f16) {
  *lower = widen(gpu_f16{(unsigned short)pair});
  *upper = widen(gpu_f16{(unsigned short)(pair >> 16)});
}

// What is done to each of eight numbers.
#define LN_EACH_OF_8 _Pragma("unroll") for (int i = 0; i < 8; i++)

struct Eight {
  float x[8];

  LN_DEVICE float& operator[](int i) { return x[i]; }
  LN_DEVICE float operator[](int i) const { return x[i]; }
  LN_DEVICE void operator+=(const Eight& other) { LN_EACH_OF_8 x[i] += other.x[i]; }
};

template <typename T>
LN_DEVICE Eight eight_of(const Chunk& chunk, T) {
  Eight y;
#pragma unroll
  for (int i = 0; i < 4; i++) unpack(chunk.words[i], &y.x[2 * i], &y.x[2 * i + 1], T());
  return y;
}
template <typename T>
LN_DEVICE Eight load_eight(const T* from) {
  return eight_of(load_chunk(from), T());
}
LN_DEVICE Eight load_eight(const float* from) {
  const Chunk chunks[2] = {load_chunk(from), load_chunk(from + 4)};
  Eight y;
  LN_EACH_OF_8 y[i] = __uint_as_float(chunks[i / 4].words[i % 4]);
  return y;
}

template <typename T>
LN_DEVICE void store_eight(T* to, const Eight& x) {
  store_chunk(
      to, {{pack<T>(x[0], x[1]), pack<T>(x[2], x[3]), pack<T>(x[4], x[5]), pack<T>(x[6], x[7])}});
}
LN_DEVICE void store_eight(float* to, const Eight& x) {
#pragma unroll
  for (int i = 0; i < 8; i += 4)
    store_chunk(to + i, {{__float_as_uint(x[i]), __float_as_uint(x[i + 1]),
                          __float_as_uint(x[i + 2]), __float_as_uint(x[i + 3])}});
}

// As they are after a store.
template <typename T>
LN_DEVICE Eight rounded(const Eight& x, T) {
  Eight y;
#pragma unroll
  for (int i = 0; i < 8; i += 2) unpack(pack<T>(x[i], x[i + 1]), &y.x[i], &y.x[i + 1], T());
  return y;
}
LN_DEVICE Eight rounded(const Eight& x, float) { return x; }

// The eight numbers from `at` on of a row of n; fewer at its end if it is ragged, none past it.
template <bool WHOLE>
struct Span {
  i64 at;
  int count;

  LN_DEVICE Span(i64 at_, i64 n) : at(at_), count(n - at_ < 8 ? int(n - at_) : 8) {}
  LN_DEVICE bool empty() const { return count <= 0; }

  // Zeros where the row has ended.
  template <typename T>
  LN_DEVICE Eight load(const T* row) const {
    Eight y{};
    if (WHOLE) {
      if (count > 0) y = load_eight(row + at);
    } else {
      LN_EACH_OF_8 if (i < count) y[i] = ::load(row[at + i]);
    }
    return y;
  }

  template <typename T>
  LN_DEVICE void store(T* row, const Eight& x) const {
    if (WHOLE) {
      if (count > 0) store_eight(row + at, x);
    } else {
      LN_EACH_OF_8 if (i < count)::store(row + at + i, x[i]);
    }
  }
};

// This thread's eight of n numbers.
template <bool WHOLE>
LN_DEVICE Span<WHOLE> own_eight(i64 n) {
  return Span<WHOLE>(global_thread() * 8, n);
}

// The same of a matrix whose rows have `columns` numbers; at least one thread for each.
template <bool WHOLE>
struct RowSpan : Span<WHOLE> {
  u32 row;

  LN_DEVICE static u32 across(i64 columns) { return u32((columns + 7) / 8); }
  LN_DEVICE RowSpan(u32 thread, i64 columns)
      : Span<WHOLE>(i64(thread % across(columns)) * 8, columns), row(thread / across(columns)) {}
};
