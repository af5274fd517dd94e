// The planted kernels' signatures are their own: nobody launches them but planted_test.cpp.
#pragma once
#include "types.h"
