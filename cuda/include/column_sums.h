// Sums over rows of [N, C]: a block has the eights of kChannels side by side, kDown rows at a time.
#pragma once
#include "types.h"

struct ColumnTile {
  static constexpr int kThreads = 256, kAcross = 8, kChannels = kAcross * 8;
  static constexpr int kDown = kThreads / kAcross, kPitch = kDown + 1;
  static constexpr int kSharedBytes = kChannels * kPitch * 4;
};
