// A whole plan as one CUDA graph: captured once, launched each step at the cost of one launch.
#include "cuda/launch.h"

namespace ln {
namespace cuda {

int ln_capture_begin(int64_t device) {
  // Relaxed: a kernel met for the first time may be looked up in its module meanwhile.
  constexpr int kRelaxed = 2;
  CudaState& cuda = *of(device)->cuda;
  int code = cuda.driver->capture_begin(cuda.stream, kRelaxed);
  return cuda_check(of(device), code, "the plan cannot be captured");
}

int ln_capture_end(int64_t device, int64_t* graph) {
  const CudaState& cuda = *of(device)->cuda;
  void *captured = nullptr, *instance = nullptr;
  int code = cuda.driver->capture_end(cuda.stream, &captured);
  if (!code) code = cuda.driver->graph_instantiate(&instance, captured, 0);
  if (captured) cuda.driver->graph_destroy(captured);
  *graph = reinterpret_cast<int64_t>(instance);
  return cuda_check(of(device), code, "the plan cannot be captured");
}

int ln_capture_launch(int64_t device, int64_t graph) {
  const CudaState& cuda = *of(device)->cuda;
  int code = cuda.driver->graph_launch(ptr<void>(graph), cuda.stream);
  return cuda_check(of(device), code, "the captured plan cannot be launched");
}

int ln_capture_free(int64_t device, int64_t graph) {
  const CudaState& cuda = *of(device)->cuda;
  int code = cuda.driver->stream_wait(cuda.stream);
  if (!code) code = cuda.driver->graph_instance_destroy(ptr<void>(graph));
  return cuda_check_freed(of(device), code, "the captured plan cannot be freed");
}

}  // namespace cuda
}  // namespace ln
