// What each PTX wrapper must give, as literal numbers read out of the PTX manual's figures, not
// computed by the emulator's formulas. Prints "N passed, N failed".
#include <stdio.h>
#include <string.h>

#include "shadow.h"

namespace {

int passed, failed;

void expect(const char* what, int lane, unsigned actual, unsigned expected) {
  if (actual == expected) {
    passed++;
    return;
  }
  failed++;
  printf("%s lane %d: %08x, expected %08x\n", what, lane, actual, expected);
}

template <typename T>
T* memory(size_t n) {
  T* p = static_cast<T*>(emu::shadow_allocate(n * sizeof(T)));
  memset(p, 0, n * sizeof(T));
  return p;
}

void run(const char* kernel, size_t shared_bytes, void** arguments) {
  emu::launch(emu::find(kernel), dim3(1), dim3(32), shared_bytes, arguments);
}

// Low half is the first number; ties go to even; overflow to infinity.
void pack() {
  struct Row {
    float low, high;
    unsigned bf16, f16;
  };
  const Row table[] = {{1.0f, -2.0f, 0xc0003f80u, 0xc0003c00u},
                       {1.00390625f, 1.01171875f, 0x3f823f80u, 0x3c0c3c04u},
                       {1.00048828125f, 1.00146484375f, 0x3f803f80u, 0x3c023c00u},  // f16's ties
                       {0.0f, -0.0f, 0x80000000u, 0x80000000u},
                       {65504.0f, 65520.0f, 0x47804780u, 0x7c007bffu},
                       {3.4e38f, 5.9604645e-8f, 0x33807f80u, 0x00017c00u}};
  float* in = memory<float>(64);
  unsigned *bf16 = memory<unsigned>(32), *f16 = memory<unsigned>(32);
  int rows = sizeof table / sizeof table[0];
  for (int i = 0; i < rows; i++) {
    in[2 * i] = table[i].low;
    in[2 * i + 1] = table[i].high;
  }
  void* arguments[] = {&in, &bf16, &f16};
  run("conformance_pack", 0, arguments);
  for (int i = 0; i < rows; i++) {
    expect("pack bf16", i, bf16[i], table[i].bf16);
    expect("pack f16", i, f16[i], table[i].f16);
  }
}

void convert() {
  struct Row {
    unsigned half;
    float exponent;
    unsigned widened, power;  // ex2.approx is exact at whole numbers
  };
  const Row table[] = {{0x3c00u, 0.0f, 0x3f800000u, 0x3f800000u},
                       {0xc500u, 3.0f, 0xc0a00000u, 0x41000000u},
                       {0x0001u, -10.0f, 0x33800000u, 0x3a800000u},
                       {0x7bffu, -1000.0f, 0x477fe000u, 0x00000000u},
                       {0x7c00u, -INFINITY, 0x7f800000u, 0x00000000u}};
  unsigned* half = memory<unsigned>(32);
  float *exponent = memory<float>(32), *widened = memory<float>(32), *power = memory<float>(32);
  int rows = sizeof table / sizeof table[0];
  for (int i = 0; i < rows; i++) {
    half[i] = table[i].half;
    exponent[i] = table[i].exponent;
  }
  void* arguments[] = {&half, &exponent, &widened, &power};
  run("conformance_convert", 0, arguments);
  for (int i = 0; i < rows; i++) {
    unsigned bits;
    memcpy(&bits, &widened[i], 4);
    expect("widen f16", i, bits, table[i].widened);
    memcpy(&bits, &power[i], 4);
    expect("ex2", i, bits, table[i].power);
  }
}

void copy() {
  unsigned *in = memory<unsigned>(128), *out = memory<unsigned>(128);
  for (unsigned i = 0; i < 128; i++) in[i] = 1000 + i;
  void* arguments[] = {&in, &out};
  run("conformance_copy", 512, arguments);
  expect("cp.async", 0, out[0], 1000);
  expect("cp.async", 15, out[63], 1063);
  expect("cp.async, zero fill", 16, out[64], 0);
  expect("cp.async, zero fill", 31, out[127], 0);
}

void store() {
  unsigned* out = memory<unsigned>(128);
  void* arguments[] = {&out};
  run("conformance_store", 512, arguments);
  expect("st.shared.v4", 0, out[0], 16);
  expect("st.shared.v4", 0, out[3], 316);
  expect("st.shared.v4", 16, out[65], 100);
  expect("st.shared.v4", 31, out[126], 215);
}

void load() {
  unsigned *plain = memory<unsigned>(128), *transposed = memory<unsigned>(128);
  void* arguments[] = {&plain, &transposed};
  run("conformance_load", 512, arguments);
  struct Row {
    int lane, matrix;
    unsigned plain, transposed;  // high half: the second number
  };
  const Row table[] = {{0, 0, 0x00010000u, 0x00080000u},   // row 0: 0, 1; column 0: 0, 8
                       {1, 0, 0x00030002u, 0x00180010u},   // row 0: 2, 3; column 0: 16, 24
                       {4, 0, 0x00090008u, 0x00090001u},   // row 1: 8, 9; column 1: 1, 9
                       {14, 0, 0x001d001cu, 0x002b0023u},  // row 3: 28, 29; column 3: 35, 43
                       {31, 0, 0x003f003eu, 0x003f0037u},  // row 7: 62, 63; column 7: 55, 63
                       {0, 1, 0x00410040u, 0x00480040u},   // the second matrix begins at 64
                       {31, 3, 0x00ff00feu, 0x00ff00f7u}};
  for (const Row& r : table) {
    expect("ldmatrix", r.lane, plain[4 * r.lane + r.matrix], r.plain);
    expect("ldmatrix.trans", r.lane, transposed[4 * r.lane + r.matrix], r.transposed);
  }
}

// One element of A and one of B at a time; the product must appear at one place of C. Three and
// five as 16-bit numbers are given.
void multiply(const char* kernel, unsigned three, unsigned five) {
  struct Row {
    int a_lane, a_register, a_high;  // where A(row, k) lies
    int b_lane, b_register, b_high;  // where B(k, column) lies
    int c_lane, c_register;          // where C(row, column) lies
  };
  const Row table[] = {
      {0, 0, 0, 0, 0, 0, 0, 0},     // A(0, 0), B(0, 0), C(0, 0)
      {14, 0, 1, 26, 0, 1, 15, 0},  // A(3, 5), B(5, 6), C(3, 6)
      {17, 3, 0, 5, 1, 0, 16, 3},   // A(12, 10), B(10, 1), C(12, 1)
      {29, 1, 0, 13, 0, 0, 29, 3},  // A(15, 2), B(2, 3), C(15, 3)
      {7, 2, 1, 31, 1, 1, 7, 1},    // A(1, 15), B(15, 7), C(1, 7)
  };
  for (const Row& r : table) {
    unsigned *a = memory<unsigned>(128), *b = memory<unsigned>(64);
    float* c = memory<float>(128);
    a[4 * r.a_lane + r.a_register] = r.a_high ? three << 16 : three;
    b[2 * r.b_lane + r.b_register] = r.b_high ? five << 16 : five;
    c[4 * r.c_lane + r.c_register] = 0.5f;
    void* arguments[] = {&a, &b, &c};
    run(kernel, 0, arguments);
    for (int i = 0; i < 128; i++) {
      unsigned bits;
      memcpy(&bits, &c[i], 4);
      bool here = i == 4 * r.c_lane + r.c_register;
      expect(kernel, i / 4, bits, here ? 0x41780000u : 0u);  // 15.5
    }
  }
}

}  // namespace

int main() {
  pack();
  copy();
  store();
  load();
  convert();
  multiply("conformance_multiply_bf16", 0x4040u, 0x40a0u);
  multiply("conformance_multiply_f16", 0x4200u, 0x4500u);
  if (emu::faults()) failed++, printf("%s\n", emu::first_fault());
  printf("%d passed, %d failed\n", passed, failed);
  return failed ? 1 : 0;
}
