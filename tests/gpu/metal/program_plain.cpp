// SPDX-License-Identifier: MIT
// The device program's text as Metal's compiler gets it: address spaces, no library, no double, no name that is a word of Metal's.
#include TUTTI_METAL_PROGRAM
