// Matrix products through oneDNN; cpu/gemm.cpp is its only user.
#pragma once
#include <stdint.h>

#include "common/device.h"
#include "common/gemm.h"

namespace ln {

int onednn_gemm(Device* device, const Gemm& g);

Gemms* gemms_open(int threads);
void gemms_close(Gemms* gemms);
int64_t gemms_scratch_bytes(const Gemms* gemms);

}  // namespace ln
