// SPDX-License-Identifier: MIT
// The compiled device programs that this build carries.
#pragma once

#include <cstddef>

namespace tutti::gpu {

struct CudaImage {
    int unit;         // place of the voice type; -1: what is common
    int architecture; // 90; PTX: the least
    bool ptx;
    const unsigned char* begin;
    const unsigned char* end;
};
// None: the build had no compiler for them. [any]
const CudaImage* cuda_images(int& count) noexcept;

} // namespace tutti::gpu
