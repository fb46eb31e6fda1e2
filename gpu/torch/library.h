// SPDX-License-Identifier: MIT
// libtutti_torch, opened when somebody asks for it: nothing of libtorch is in the process before.
#pragma once

#include <string>

#include <tutti/status.h>

#include "gpu/torch/interface.h"

namespace tutti::gpu {

// Looks in the folder that TUTTI_TORCH_LIBRARY names (a file will do), else beside the program and in ../lib/tutti of its folder. Opened
// once and kept. Errors: unsupported (the build has none, it cannot be loaded, it is another version's). [control]
Result<const TorchTable*> torch_library();
// True once torch_library() has opened it. [any]
bool torch_library_is_open() noexcept;

} // namespace tutti::gpu
