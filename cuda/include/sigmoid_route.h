// The choice of experts by sigmoids: signatures. A warp for a token.
#pragma once
#include "experts.h"

// Words of eight bytes alone but for the last: padding would hold whatever lay there.
struct SigmoidRouteArguments {
  i64 M, E, k, groups, top_groups;
  i32 normalize;
  float scale;
};
LN_SIGNATURES(sigmoid_route_fwd, (const T* logits, const float* bias, float* weights, i32* chosen,
                                  SigmoidRouteArguments r))
LN_SIGNATURES(sigmoid_route_bwd, (const float* dweights, const T* logits, const i32* chosen,
                                  T* dlogits, SigmoidRouteArguments r))
