// SPDX-License-Identifier: MIT
// Must not compile: a standard header in a recurrence.
#define TUTTI_LANE_FLOAT_ONLY
#include "voices/subtractive_kernel.h"

#include <cmath>
