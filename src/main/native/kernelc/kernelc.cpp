// Compiles cuda/*.cu with NVRTC when the jar is built; no GPU and no CUDA toolkit are needed.
//
//   kernelc LIBNVRTC OUT_DIR CSV ARCHITECTURES FILE.cu...
//
// ARCHITECTURES are numbers with commas between, such as 86,90,ptx. Writes
// OUT_DIR/<file>.sm_86.cubin for 86, <file>.compute_80.ptx for ptx (cards that come after those
// with a cubin compile it; it is what the compile for 80 makes on its way), and one CSV line for
// each kernel and architecture: registers, threads and shared memory of a block, spilled bytes,
// occupancy. A spill fails the build. NVRTC is opened by name: its headers are not needed, and
// libcuda is not touched.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "block_gemm.h"
#include "gated_delta.h"
#include "head_gemm.h"
#include "hopper.h"
#include "hopper_attention.h"
#include "platform/platform.h"
#include "tiled_attention.h"

namespace {

typedef struct _nvrtcProgram* Program;

struct Nvrtc {
  int (*create)(Program*, const char*, const char*, int, const char* const*, const char* const*);
  int (*compile)(Program, int, const char* const*);
  int (*destroy)(Program*);
  int (*log_size)(Program, size_t*);
  int (*log)(Program, char*);
  int (*cubin_size)(Program, size_t*);
  int (*cubin)(Program, char*);
  int (*ptx_size)(Program, size_t*);
  int (*ptx)(Program, char*);
};

template <typename F>
void bind(void* library, const char* name, F* function) {
  if (ln::platform::bind(library, name, function)) return;
  fprintf(stderr, "kernelc: NVRTC lacks %s\n", name);
  exit(1);
}

Nvrtc open_nvrtc(const char* path) {
  void* library = ln::platform::open_library(path);
  if (!library) {
    fprintf(stderr, "kernelc: %s\n", ln::platform::reason());
    exit(1);
  }
  Nvrtc n;
  bind(library, "nvrtcCreateProgram", &n.create);
  bind(library, "nvrtcCompileProgram", &n.compile);
  bind(library, "nvrtcDestroyProgram", &n.destroy);
  bind(library, "nvrtcGetProgramLogSize", &n.log_size);
  bind(library, "nvrtcGetProgramLog", &n.log);
  bind(library, "nvrtcGetCUBINSize", &n.cubin_size);
  bind(library, "nvrtcGetCUBIN", &n.cubin);
  bind(library, "nvrtcGetPTXSize", &n.ptx_size);
  bind(library, "nvrtcGetPTX", &n.ptx);
  return n;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// A kernel's instances: threads and dynamic shared bytes of a block.
struct Block {
  std::string prefix;
  int threads, shared_bytes;
};

template <typename Tile>
Block gemm(const char* size) {
  return {size, Tile::kThreads, Tile::kSharedBytes};
}

// The kernels whose occupancy depends on their tile; all others use little shared memory.
std::vector<Block> tiled_blocks() {
  std::vector<Block> blocks;
  for (const char* family : {"tensor_gemm_nt_", "tensor_gemm_nn_", "tensor_gemm_tn_",
                             "tensor_conv_fwd_", "tensor_conv_bwd_"})
    for (const Block& b : {gemm<LargeTile>("large"), gemm<SmallTile>("small"),
                           gemm<TallTile>("tall"), gemm<WideTile>("wide")})
      blocks.push_back({family + b.prefix + "_", b.threads, b.shared_bytes});
  blocks.push_back(gemm<TallTile>("tensor_gemm_pair_"));
  blocks.push_back(gemm<HeadTile>("head_gemm_"));
  blocks.push_back(gemm<HopperHeadTile>("hopper_head_gemm_"));
  for (const char* family : {"block_gemm_nt_", "block_gemm_nn_"})
    for (const Block& b : {gemm<LargeBlockTile>("large"), gemm<SmallBlockTile>("small")})
      blocks.push_back({family + b.prefix + "_", b.threads, b.shared_bytes});
  for (const std::string way : {"nt_", "nn_"}) {
    blocks.push_back({"expert_gemm_" + way, SmallTile::kThreads, SmallTile::kSharedBytes});
    blocks.push_back(
        {"expert_block_gemm_" + way, SmallBlockTile::kThreads, SmallBlockTile::kSharedBytes});
  }
  blocks.push_back({"expert_gradient_tn_", SmallTile::kThreads, SmallTile::kSharedBytes});
  for (const char* walk :
       {"delta_rule_fwd_", "delta_rule_again_", "delta_rule_back_", "cached_delta_rule_"})
    blocks.push_back(gemm<DeltaTile>(walk));
  blocks.push_back(gemm<DeltaPairs>("delta_rule_pairs_"));
  for (const char* way : {"gated_gemm_fwd_", "gated_gemm_bwd_"})
    blocks.push_back({way, LargeTile::kThreads, LargeTile::kSharedBytes});
  for (const char* family : {"hopper_gated_fwd_", "hopper_gated_bwd_", "hopper_gemm_nt_",
                             "hopper_gemm_nn_", "hopper_conv_fwd_", "hopper_conv_bwd_",
                             "hopper_mapped_conv_fwd_", "hopper_mapped_conv_bwd_"})
    for (const Block& b : {gemm<BroadTile>("broad"), gemm<SquareTile>("square")})
      blocks.push_back({family + b.prefix + "_", b.threads, b.shared_bytes});
  auto attention = [&blocks](const std::string& head, int threads, int fwd, int dq, int dkv) {
    blocks.push_back({"tiled_attention_fwd_" + head + "_", threads, fwd});
    blocks.push_back({"tiled_attention_dq_" + head + "_", threads, dq});
    blocks.push_back({"tiled_attention_dkv_" + head + "_", threads, dkv});
  };
#define LN_HEAD(head)                                                                 \
  attention(#head, AttentionTile##head::kThreads, AttentionTile##head::kForwardBytes, \
            AttentionTile##head::kQueryBytes, AttentionTile##head::kKeyBytes)
  LN_HEAD(64);
  LN_HEAD(96);
  LN_HEAD(128);
  LN_HEAD(160);
  LN_HEAD(256);
  LN_HEAD(512);
#define LN_HOPPER_HEAD(head)                                                                     \
  typedef WarpgroupAttentionTile##head Hopper##head;                                             \
  blocks.push_back(                                                                              \
      {"hopper_attention_fwd_" #head "_", Hopper##head::kThreads, Hopper##head::kForwardBytes}); \
  blocks.push_back(                                                                              \
      {"hopper_attention_dq_" #head "_", Hopper##head::kThreads, Hopper##head::kQueryBytes});    \
  blocks.push_back(                                                                              \
      {"hopper_attention_dkv_" #head "_", Hopper##head::kThreads, Hopper##head::kKeyBytes})
  LN_HOPPER_HEAD(64);
  LN_HOPPER_HEAD(96);
  LN_HOPPER_HEAD(128);
  LN_HOPPER_HEAD(256);
  return blocks;
}

// What a multiprocessor holds (CUDA C++ programming guide, "Compute capabilities").
struct Multiprocessor {
  const char* architecture;
  int warps, blocks, shared_bytes;
};
constexpr Multiprocessor kMultiprocessors[] = {
    {"sm_80", 64, 32, 164 << 10}, {"sm_86", 48, 16, 100 << 10},  {"sm_89", 48, 24, 100 << 10},
    {"sm_90", 64, 32, 228 << 10}, {"sm_100", 64, 32, 228 << 10}, {"sm_103", 64, 32, 228 << 10},
    {"sm_120", 48, 24, 100 << 10}};

// Share of a multiprocessor's warps that fit at once, in percent.
int occupancy(const std::string& architecture, int registers, int threads, int shared_bytes) {
  for (const Multiprocessor& sm : kMultiprocessors) {
    if (architecture != sm.architecture) continue;
    int warps = threads / 32;
    int per_warp = (registers * 32 + 255) / 256 * 256;
    int blocks = std::min(sm.warps / warps, sm.blocks);
    blocks = std::min(blocks, 65536 / per_warp / warps);
    blocks = std::min(blocks, sm.shared_bytes / (shared_bytes + 1024));  // 1 KB is the system's
    return blocks * warps * 100 / sm.warps;
  }
  return 0;
}

// Threads of a block as the source's instance lists and launch bounds say.
int threads_of(const std::string& source, const std::string& kernel) {
  std::string stem = std::regex_replace(kernel, std::regex("_(f32|bf16|f16)$"), "");
  std::smatch m;
  if (std::regex_search(source, m,
                        std::regex("INSTANCES\\w*\\(\\s*\\((\\d+)[^)]*\\),\\s*" + stem + ",")) ||
      std::regex_search(source, m, std::regex("launch_bounds__\\((\\d+)\\)\\s*" + stem + "\\(")))
    return std::stoi(m[1]);
  return 256;
}

// Lines of ptxas -v to CSV; returns the bytes spilled.
long report(const std::string& log, const std::string& source, const std::string& arch,
            std::ostream& csv) {
  static const std::vector<Block> tiled = tiled_blocks();
  static const std::regex name("Compiling entry function '([^']+)'");
  static const std::regex spill("([0-9]+) bytes spill stores, ([0-9]+) bytes spill loads");
  static const std::regex used("Used ([0-9]+) registers");
  std::istringstream lines(log);
  std::string line, kernel;
  long spilled = 0, of_kernel = 0;
  std::smatch m;
  while (std::getline(lines, line)) {
    if (std::regex_search(line, m, name)) {
      kernel = m[1];
      of_kernel = 0;
    } else if (std::regex_search(line, m, spill)) {
      of_kernel = std::stol(m[1]) + std::stol(m[2]);
      spilled += of_kernel;
    } else if (std::regex_search(line, m, used)) {
      int registers = std::stoi(m[1]);
      Block block{"", 0, 0};
      for (const Block& b : tiled)
        if (kernel.compare(0, b.prefix.size(), b.prefix) == 0) block = b;
      if (!block.threads) block.threads = threads_of(source, kernel);
      csv << kernel << ',' << arch << ',' << registers << ',' << block.threads << ','
          << block.shared_bytes << ',' << of_kernel << ','
          << occupancy(arch, registers, block.threads, block.shared_bytes) << '\n';
    }
  }
  return spilled;
}

std::string stem_of(const std::string& path) {
  std::string stem = path.substr(path.rfind('/') + 1);
  return stem.substr(0, stem.rfind('.'));
}

// How early a file's turn comes: those that take NVRTC longest, as measured, whatever their size
// (hopper_attention.cu half a minute, hopper.cu and the others 5 to 25 s an architecture; of
// all else none takes 10 s).
size_t turn(const std::string& path) {
  static const std::vector<std::string> slowest = {
      "hopper_attention", "tiled_attention", "hopper",        "tensor_gemm",       "norms",
      "tensor_conv",      "block_gemm_nt",   "block_gemm_nn", "expert_block_gemm", "experts"};
  return std::find(slowest.begin(), slowest.end(), stem_of(path)) - slowest.begin();
}

// Files of kernels that Hopper alone has: empty for all others.
bool is_of_hopper(const std::string& path) { return stem_of(path).compare(0, 6, "hopper") == 0; }

// One file for one architecture.
struct Job {
  std::string path, arch;
  bool ptx_too;  // keep the PTX that a compile for 80 makes
  std::string error, csv;

  void run(const Nvrtc& nvrtc, const std::string& out) {
    std::string folder = path.substr(0, path.rfind('/'));
    std::string stem = stem_of(path);
    std::string source = read_file(path), include = "--include-path=" + folder + "/include";
    // What only Hopper has needs its own target, whose code runs on 9.0 and nowhere else.
    std::string target = "--gpu-architecture=" + arch + (arch == "sm_90" ? "a" : "");
    const char* options[] = {target.c_str(), include.c_str(), "--std=c++17", "-default-device",
                             "--ptxas-options=-v"};
    bool real = arch[0] == 's';
    Program program;
    if (nvrtc.create(&program, source.c_str(), path.c_str(), 0, nullptr, nullptr)) {
      error = path + ": NVRTC takes no program";
      return;
    }
    int status = nvrtc.compile(program, real ? 5 : 4, options);
    size_t size = 0;
    nvrtc.log_size(program, &size);
    std::string log(size, '\0');
    nvrtc.log(program, log.data());
    if (!status) status = real ? nvrtc.cubin_size(program, &size) : nvrtc.ptx_size(program, &size);
    std::string code(size, '\0');
    if (!status)
      status = real ? nvrtc.cubin(program, code.data()) : nvrtc.ptx(program, code.data());
    std::string ptx;
    if (!status && ptx_too) status = nvrtc.ptx_size(program, &size);
    if (!status && ptx_too) {
      ptx.resize(size);
      status = nvrtc.ptx(program, ptx.data());
    }
    nvrtc.destroy(&program);
    if (status) {
      error = path + " for " + arch + ":\n" + log;
      return;
    }
    write_file(out + "/" + stem + "." + arch + (real ? ".cubin" : ".ptx"), code);
    if (ptx_too) write_file(out + "/" + stem + ".compute_80.ptx", ptx);
    std::ostringstream lines;
    if (real && report(log, source, arch, lines) > 0)
      error = path + " spills registers on " + arch + "\n" + log;
    csv = lines.str();
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    fprintf(stderr, "usage: kernelc LIBNVRTC OUT_DIR CSV ARCHITECTURES FILE.cu...\n");
    return 2;
  }
  Nvrtc nvrtc = open_nvrtc(argv[1]);
  std::vector<std::string> architectures;
  std::istringstream list(argv[4]);
  for (std::string arch; std::getline(list, arch, ',');) architectures.push_back(arch);
  auto asked = [&](const char* arch) {
    return std::find(architectures.begin(), architectures.end(), arch) != architectures.end();
  };
  bool both = asked("80") && asked("ptx");
  std::vector<Job> jobs;
  for (int i = 5; i < argc; i++)
    for (const std::string& arch : architectures)
      if (arch != "ptx")
        jobs.push_back({argv[i], "sm_" + arch, both && arch == "80", "", ""});
      else if (!both)
        jobs.push_back({argv[i], "compute_80", false, "", ""});
  // The longest first, so that no thread is left alone with one at the end.
  auto order = [](const Job& job) {
    size_t place = job.arch == "sm_90" || !is_of_hopper(job.path) ? turn(job.path) : ~size_t{0};
    return std::make_tuple(place, -static_cast<long>(read_file(job.path).size()), job.path,
                           job.arch);
  };
  std::sort(jobs.begin(), jobs.end(),
            [&](const Job& a, const Job& b) { return order(a) < order(b); });
  std::atomic<size_t> next{0};
  std::vector<std::thread> workers;
  for (unsigned t = 0; t < std::max(1u, std::thread::hardware_concurrency()); t++)
    workers.emplace_back([&] {
      for (size_t i; (i = next++) < jobs.size();) jobs[i].run(nvrtc, argv[2]);
    });
  for (std::thread& worker : workers) worker.join();
  std::ofstream csv(argv[3]);
  csv << "kernel,architecture,registers,threads,shared_bytes,spilled_bytes,occupancy_percent\n";
  int failed = 0;
  for (const Job& job : jobs) {
    csv << job.csv;
    if (job.error.empty()) continue;
    fprintf(stderr, "kernelc: %s\n", job.error.c_str());
    failed = 1;
  }
  return failed;
}
