// Compiles cuda/*.cu with NVRTC when the jar is built; no GPU and no CUDA toolkit are needed.
//
//   kernelc LIBNVRTC OUT_DIR CSV FILE.cu...
//
// Writes OUT_DIR/<file>.sm_<arch>.cubin for the architectures we ship, <file>.compute_80.ptx for
// cards that come after them, and one CSV line for each kernel and architecture: registers, shared
// memory, spilled bytes. A spill fails the build. NVRTC is opened by name: its headers are not
// needed, and libcuda is not touched.
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

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
  *function = reinterpret_cast<F>(dlsym(library, name));
  if (!*function) {
    fprintf(stderr, "kernelc: NVRTC lacks %s\n", name);
    exit(1);
  }
}

Nvrtc open_nvrtc(const char* path) {
  void* library = dlopen(path, RTLD_NOW);
  if (!library) {
    fprintf(stderr, "kernelc: %s\n", dlerror());
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

// Lines of ptxas -v to CSV; returns the bytes spilled.
long report(const std::string& log, const std::string& arch, std::ostream& csv) {
  static const std::regex name("Compiling entry function '([^']+)'");
  static const std::regex spill("([0-9]+) bytes spill stores, ([0-9]+) bytes spill loads");
  static const std::regex used("Used ([0-9]+) registers(.*)");
  static const std::regex shared("([0-9]+) bytes smem");
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
      std::string registers = m[1], rest = m[2];
      std::smatch s;
      std::string bytes = std::regex_search(rest, s, shared) ? std::string(s[1]) : "0";
      csv << kernel << ',' << arch << ',' << registers << ',' << bytes << ',' << of_kernel << '\n';
    }
  }
  return spilled;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    fprintf(stderr, "usage: kernelc LIBNVRTC OUT_DIR CSV FILE.cu...\n");
    return 2;
  }
  Nvrtc nvrtc = open_nvrtc(argv[1]);
  std::string out = argv[2];
  std::ofstream csv(argv[3]);
  csv << "kernel,architecture,registers,static_shared_bytes,spilled_bytes\n";
  for (int i = 4; i < argc; i++) {
    std::string path = argv[i];
    std::string folder = path.substr(0, path.rfind('/'));
    std::string stem = path.substr(path.rfind('/') + 1);
    stem = stem.substr(0, stem.rfind('.'));
    std::string source = read_file(path), include = "--include-path=" + folder + "/include";
    for (const char* arch : {"sm_80", "sm_86", "sm_89", "sm_90", "sm_120", "compute_80"}) {
      std::string target = std::string("--gpu-architecture=") + arch;
      const char* options[] = {target.c_str(), include.c_str(), "--std=c++17", "-default-device",
                               "--ptxas-options=-v"};
      bool real = arch[0] == 's';
      Program program;
      if (nvrtc.create(&program, source.c_str(), path.c_str(), 0, nullptr, nullptr)) return 1;
      int status = nvrtc.compile(program, real ? 5 : 4, options);
      size_t size = 0;
      nvrtc.log_size(program, &size);
      std::string log(size, '\0');
      nvrtc.log(program, log.data());
      if (status) {
        fprintf(stderr, "kernelc: %s for %s:\n%s\n", path.c_str(), arch, log.c_str());
        return 1;
      }
      if (real ? nvrtc.cubin_size(program, &size) : nvrtc.ptx_size(program, &size)) return 1;
      std::string code(size, '\0');
      if (real ? nvrtc.cubin(program, code.data()) : nvrtc.ptx(program, code.data())) return 1;
      write_file(out + "/" + stem + "." + arch + (real ? ".cubin" : ".ptx"), code);
      if (real && report(log, arch, csv) > 0) {
        fprintf(stderr, "kernelc: %s spills registers on %s\n%s\n", path.c_str(), arch,
                log.c_str());
        return 1;
      }
      nvrtc.destroy(&program);
    }
  }
  return 0;
}
