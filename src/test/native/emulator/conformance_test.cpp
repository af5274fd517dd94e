// Holds the kernels of conformance.cu against conformance.txt (see there). Prints "N passed, N
// failed". Argument: the path of conformance.txt.
#include <stdio.h>
#include <string.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "shadow.h"

namespace {

int passed, failed;

// A launch, and what is expected of it.
struct Launch {
  std::string kernel;
  size_t shared_bytes = 0;
  unsigned threads = 32;
  std::vector<unsigned*> buffers;
  std::vector<size_t> words;
  std::map<std::pair<int, size_t>, unsigned> expected;
  std::vector<int> otherwise_zeros;

  void expect(int buffer, size_t at, unsigned value) {
    unsigned actual = buffers[size_t(buffer)][at];
    if (actual == value) {
      passed++;
      return;
    }
    failed++;
    printf("%s buffer %d word %zu: %08x, expected %08x\n", kernel.c_str(), buffer, at, actual,
           value);
  }

  void run() {
    if (kernel.empty()) return;
    std::vector<void*> arguments;
    for (unsigned*& buffer : buffers) arguments.push_back(&buffer);
    emu::launch(emu::find(kernel.c_str()), dim3(1), dim3(threads), shared_bytes, arguments.data());
    for (int buffer : otherwise_zeros)
      for (size_t i = 0; i < words[size_t(buffer)]; i++) expected.insert({{buffer, i}, 0});
    for (const auto& e : expected) expect(e.first.first, e.first.second, e.second);
  }
};

// Two images of 4 x 4 pixels, numbered from 1 on: what 16 patches hold is what Triton's tutorial
// "TMA im2col mode" (Gluon, 09) says that a card copies. `corner`: where the box of places lies.
void patches(int corner, const int (&from)[6], const int (&expected)[16]) {
  const uint64_t sizes[] = {64, 4, 4, 2}, strides[] = {128, 512, 2048};
  const int corners[] = {corner, corner};
  const uint32_t every[] = {1, 1, 1, 1};
  auto* image = static_cast<uint16_t*>(emu::shadow_allocate(4096));
  for (int i = 0; i < 2048; i++) image[i] = uint16_t(i / 64 + 1);
  auto* at = static_cast<int*>(emu::shadow_allocate(sizeof from));
  memcpy(at, from, sizeof from);
  auto* out = static_cast<uint32_t*>(emu::shadow_allocate(64));
  alignas(64) char map[128];
  if (emu::encode_patch_map(map, 4, uint64_t(image), sizes, strides, corners, corners, 64, 16,
                            every, 3))
    failed++;
  void* arguments[] = {map, &at, &out};
  emu::launch(emu::find("conformance_patches"), dim3(1), dim3(32), 3200, arguments);
  for (int i = 0; i < 16; i++) {
    if (int(out[i]) == expected[i]) {
      passed++;
      continue;
    }
    failed++;
    printf("conformance_patches, corner %d, pixel %d: %u, expected %d\n", corner, i, out[i],
           expected[i]);
  }
}

void all_patches() {
  const int whole[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  patches(0, {0, 0, 0, 0, 0, 0}, whole);
  patches(-1, {0, -1, -1, 0, 0, 0}, {0, 0, 0, 0, 0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11});
  patches(-1, {0, -1, -1, 0, 1, 1}, whole);
  patches(0, {0, 1, 3, 0, 0, 0}, {8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23});
}

}  // namespace

int main(int, char** argv) {
  std::ifstream file(argv[1]);
  Launch launch;
  for (std::string text; std::getline(file, text);) {
    std::istringstream line(text);
    std::string what;
    int buffer;
    size_t at;
    unsigned word;
    line >> what;
    if (what == "kernel" || what == "warpgroup") {
      launch.run();
      launch = Launch();
      launch.threads = what == "kernel" ? 32 : 128;
      line >> launch.kernel >> launch.shared_bytes;
      for (size_t n; line >> n;) {
        launch.words.push_back(n);
        launch.buffers.push_back(static_cast<unsigned*>(emu::shadow_allocate(4 * n)));
        memset(launch.buffers.back(), 0, 4 * n);
      }
    } else if (what == "zeros" && line >> buffer) {
      launch.otherwise_zeros.push_back(buffer);
    } else if (what == "set" || what == "expect") {
      line >> buffer >> at;
      for (line >> std::hex; line >> word; at++) {
        if (what == "set")
          launch.buffers[size_t(buffer)][at] = word;
        else
          launch.expected[{buffer, at}] = word;
      }
    }
  }
  launch.run();
  all_patches();
  if (emu::faults()) failed++, printf("%s\n", emu::first_fault());
  printf("%d passed, %d failed\n", passed, failed);
  return failed || !passed ? 1 : 0;
}
