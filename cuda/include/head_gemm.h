// A language model's head with the softmax begun behind its product: tiles and signatures.
#pragma once
#include "hopper.h"

// The large tile, with a warp's part turned: a group of 64 columns, half as many sums as of 32.
typedef TensorTile<128, 128, 32, 64, 3, 2> HeadTile;
typedef BroadTile HopperHeadTile;

// The largest logit of a row in a group of neighbouring columns, those that one warp makes, and the
// sum of exp(z - most) over them.
struct HeadGroup {
  float most, sum;
};

// What the product leaves beside C; its operands are as TensorGemmArguments says, of A B^T alone.
struct HeadArguments {
  HeadGroup* groups;         // [M, group_pitch]; the launch's first column begins the first
  float* at_label;           // [M]: the logit of each row's label
  const i32 *labels, *rows;  // labels[rows[row_offset + m]] is row m's
  i64 column0;               // of the vocabulary, that the launch's first column is
  i64 group_pitch;
  float softcap;
  u32 unused;  // no gap of any bits, which a recorder would take for half an address
};
LN_SIGNATURES_16_BIT(head_gemm, (TensorGemmArguments g, HeadArguments h))
LN_SIGNATURES_16_BIT(hopper_head_gemm, (const LN_CONSTANT MappedGemmArguments g, HeadArguments h))
