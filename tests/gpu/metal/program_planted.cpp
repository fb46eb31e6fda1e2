// SPDX-License-Identifier: MIT
// Red control: a pointer to the thread's own memory where the device's is asked for.
#include TUTTI_METAL_PROGRAM

void planted(thread float* own);
void planted(thread float* own) {
    tutti::voices::Slots<float> fields(own);
    (void)fields;
}
