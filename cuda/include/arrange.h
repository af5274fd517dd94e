// Numbers put elsewhere: signatures. A thread for eight neighbours, blocks of 256.
#pragma once
#include "types.h"

// A window [rows, columns] from (top, left) on in each of B matrices [R, C].
struct WindowArguments {
  i64 B, R, C, top, left, rows, columns;
};
// Tokens [B, H / p, W / p, p p C] of pixels [B, H, W, C].
struct PatchArguments {
  i64 B, H, W, C, p;
  i32 channels_first, inverse;
};
LN_SIGNATURES(crop, (const T* x, T* y, WindowArguments w, i32 shared))
LN_SIGNATURES(pad, (const T* x, T* y, WindowArguments w))
LN_SIGNATURES(patchify, (const T* x, T* y, PatchArguments s))
