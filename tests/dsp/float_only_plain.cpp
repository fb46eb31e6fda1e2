// SPDX-License-Identifier: MIT
// Compiled as C++14 without standard headers: every voice type's recurrence over float.
#define TUTTI_LANE_FLOAT_ONLY
#include "voices/ambient_pad_kernel.h"
#include "voices/drum_kernel.h"
#include "voices/fm_kernel.h"
#include "voices/subtractive_kernel.h"
#include "voices/torchsynth_voice_kernel.h"

namespace tutti {
namespace voices {
template struct Subtractive<float>;
template struct Fm<float>;
template struct AmbientPad<float>;
template struct Drum<float>;
template struct TorchsynthVoice<float>;
} // namespace voices
} // namespace tutti

void every_form(float* fields, tutti::voices::Context& context, float* out);
void every_form(float* fields, tutti::voices::Context& context, float* out) {
    using namespace tutti::voices;
    const Slots<float> rows[2] = {Slots<float>(fields), Slots<float>(fields)};
    Subtractive<float>::run<2>(rows, context, 0, 16, false, false, {out, out});
    Fm<float>::run<1>(rows, context, 0, 16, false, false, {out, out});
    AmbientPad<float>::run<1>(rows, context, 0, 16, false, false, {out, out});
    Drum<float>::run<1>(rows, context, 0, 16, false, false, {out, out});
    TorchsynthVoice<float>::run<1>(rows, context, 0, 16, false, false, {out, out});
}
