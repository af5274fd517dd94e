// The entry points of oneDNN's users, for files that know nothing of oneDNN.
#pragma once
#include <stdint.h>

#include "common/device.h"
#include "common/gemm.h"

namespace ln {

int onednn_gemm(Device* device, const Gemm& g);

// A convolution of lora_ops.h. Weights are put into the layout that the primitive likes, in
// scratch.
struct Conv {
  int64_t B, H, W, I, OH, OW, O, kernel, stride, pad;
  int32_t dtype;
  bool bias, backward;

  bool operator==(const Conv& c) const;
};
// Forward: from = x, to = y. Backward: from = dy, to = dx; no bias.
int onednn_conv(Device* device, const Conv& c, int64_t from, int64_t w, int64_t bias, int64_t to);

OneDnn* onednn_open(int threads);
void onednn_close(OneDnn* dnn);
int64_t onednn_scratch_bytes(const OneDnn* dnn);

}  // namespace ln
