// Which keys a query sees: what every attention kernel agrees on.
#pragma once
#include "attention.h"
#include "ptx.cuh"

// The keys [first, end) that query m sees. Both grow with m, so that tiles of queries see runs of
// keys and the other way round. Past the last query: none. bounds: see ln_attention_fwd.
struct Visible {
  i32 first, end;

  LN_DEVICE Visible(i32 m, const i32* bounds, const AttentionArguments& a) {
    if (m >= a.M) {
      first = end = i32(a.keys);
    } else if (a.k_group > 0) {
      first = m / i32(a.q_group) * i32(a.k_group);
      end = first + i32(a.k_group) - (bounds ? bounds[m / i32(a.q_group)] : 0);
    } else {
      i32 by_window = a.window > 0 && a.window <= m ? m - i32(a.window) + 1 : 0;
      first = bounds[m] > by_window ? bounds[m] : by_window;
      end = m + 1;
    }
  }
  LN_DEVICE bool sees(i32 j) const { return first <= j && j < end; }
};

// The first query that may see key j.
LN_DEVICE i32 first_query(i32 j, const AttentionArguments& a) {
  return a.k_group > 0 ? j / i32(a.k_group) * i32(a.q_group) : j;
}
