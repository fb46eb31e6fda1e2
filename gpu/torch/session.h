// SPDX-License-Identifier: MIT
// What stands inside libtutti_torch behind its table. Functions throw; the table's own turn that into a reason.
#pragma once

#include "gpu/torch/interface.h"

namespace tutti::gpu {

struct TorchSession;
TorchSession* open_session(const char* device, int threads, bool pure); // [control]
void close_session(TorchSession* session);                              // [control]
void render_batch(TorchSession& session, const TorchBatch& batch);      // [device]

void fit_patch(TorchFit& fit);                               // [control]
void render_twin(const TorchTwin& twin);                     // [control]
double loss_gradient(const TorchFit& fit, double* gradient); // [control]
double eager_seconds(int voices, int frames, int threads);   // [control]

} // namespace tutti::gpu
