// The one list of device ops: the seam between Java and native code.
//
// Every op is a C function ln_<op>_<fwd|bwd>(device, ...). Addresses cross as 64-bit integers
// (0 = absent where the comment says "or 0"), dtypes as the codes below. All arrays are row-major,
// the last dimension contiguous. A batch is one packed row of M tokens: the documents stand one
// behind the other and bounds tell them apart, without padding (but see ln_attention_fwd).
//
// A function returns LN_OK or an error code; ln_last_error() holds the sentence. Native code never
// exits and never throws across this header. Every op gives bit-equal results between two runs with
// the same inputs and thread count. "Overwrites" and "adds to" say what happens to an output.
// `dtype` is the dtype of activations and frozen weights of the call: LN_F32 or LN_BF16, on CUDA
// also LN_F16.
// `w_dtype` is that of the frozen matrix: `dtype`, or a block type whose rows are whole blocks.
// Such a matrix is taken apart tile by tile as it is multiplied, never as a whole.
//
// The functions stand in ops/, a header for a topic. src/main/native/dispatch.cmake reads their
// prototypes (ended by ");") and writes the table of implementations from them.
#pragma once
#include <stdint.h>

// Storage types. The codes equal org.loranative.io.DType.
enum {
  LN_F32 = 0,
  LN_F16 = 1,
  LN_BF16 = 2,
  LN_I32 = 3,
  LN_U8 = 4,
  LN_Q8_0 = 8,
  LN_Q4_0 = 9,
  LN_Q4_1 = 10,
  LN_Q5_0 = 11,
  LN_Q5_1 = 12,
  LN_Q4_K = 13,
  LN_Q5_K = 14,
  LN_Q6_K = 15,
  LN_NF4 = 16,
  LN_F8_E4M3 = 17,
  LN_F8_E5M2 = 18,
  LN_MXFP4 = 19,
  LN_FP8 = 20
};

// NF4 (Dettmers et al. 2023, QLoRA; as bitsandbytes quantizes): a matrix of n numbers, n a multiple
// of 64, number i = code[bits i] scale[i / 64]. Its scales are quantized again: scale[j] =
// scale_code[index j] factor[j / 256] + scale_offset. Offsets in bytes:
//      0 f32 code[16]      64 f32 scale_code[256]    1088 f32 scale_offset   1096 i64 n
//   1104 u8 [n / 2]        the numbers' bits, the first of a pair in the high half
//        u8 [n / 64]       indices, padded to a multiple of 4
//        f32 [n / 16384, rounded up]  factors
enum { LN_NF4_HEADER_BYTES = 1104 };

// FP8: blocks of an f32 scale and 128 neighbours of a row in E4M3, which it multiplies. Checkpoints
// keep scales in tensors of their own (one for 128 x 128 numbers, for a row or for all); each
// block's copy stands before it, so that a matrix, and any row of it, is a row of blocks.

enum { LN_OK = 0, LN_INVALID = 1, LN_OUT_OF_MEMORY = 2, LN_UNSUPPORTED = 3, LN_FAILED = 4 };

enum { LN_SILU = 0, LN_GELU_TANH = 1, LN_GELU = 2, LN_QUICK_GELU = 3, LN_TANH = 4, LN_SIGMOID = 5 };

// What changes from step to step, in device memory (64 bytes, little-endian, written by Java's
// StepState before each run). Nothing of it is ever a launch argument, so that a captured plan
// stays true. Offsets in bytes.
//   0 u64 seed          8 u32 step (1 = first)       12 u32 micro_step
//  16 f32 learning_rate  20 f32 1 - beta1^t          24 f32 1 - beta2^t
//  28 f32 1 / labelled tokens of the whole optimizer batch
//  32 f32 loss_scale: the gradients of a step are so many times their value (1 but in f16)
enum { LN_STEP_BYTES = 64 };

// The sentence of this thread's last error.
const char* ln_last_error();

#include "ops/device.h"
#include "ops/experts.h"
#include "ops/images.h"
#include "ops/language.h"
#include "ops/linear.h"
#include "ops/optimizers.h"
#include "ops/recurrent.h"
