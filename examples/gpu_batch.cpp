// SPDX-License-Identifier: MIT
// A data set of sounds: hundreds of voices of one type, each with parameters of its own, rendered apart in one call. See
// docs/examples/gpu_batch.md.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <tutti/tables.h>

#include "gpu/batch/voice_batch.h"

int main(int argc, char** argv) {
    const int voices = argc > 1 ? std::atoi(argv[1]) : 256;
    if (voices < 1 || voices > 65536) {
        std::fprintf(stderr, "usage: gpu_batch [VOICES, 1 to 65536]\n");
        return 2;
    }
    constexpr double k_rate = 44100.0;
    constexpr int k_frames = 44100;
    const tutti::TypeTable* const table = tutti::voice_table("torchsynth_voice");
    auto batch = tutti::gpu::VoiceBatch::make("torchsynth_voice", voices, k_rate, 1);
    if (table == nullptr || !batch) {
        std::fprintf(stderr, "%s\n", batch.status().message().c_str());
        return 1;
    }
    // Every parameter drawn from its range by a counter: the same sounds on every machine.
    const std::size_t width = table->parameters.size();
    std::vector<float> values;
    std::uint32_t draw = 12345;
    for (std::size_t i = 0; i < static_cast<std::size_t>(voices) * width; ++i) {
        const tutti::Parameter& p = table->parameters[i % width];
        draw = draw * 747796405u + 2891336453u;
        values.push_back(p.minimum + (p.maximum - p.minimum) * static_cast<float>(draw >> 8) * (1.0f / 16777216.0f));
    }
    std::vector<tutti::gpu::BatchVoice> notes(static_cast<std::size_t>(voices));
    for (std::size_t i = 0; i < notes.size(); ++i)
        notes[i] = {.key = 36.0f + static_cast<float>(i % 49),
                    .velocity = 1.0f,
                    .seed = static_cast<std::uint32_t>(i + 1),
                    .values = values.data() + i * width};

    std::vector<float> sound(static_cast<std::size_t>(voices) * k_frames); // [voice][frame]
    (*batch)->render(notes.data(), k_frames, sound.data(), k_frames, true);
    int heard = 0;
    for (int v = 0; v < voices; ++v) {
        float peak = 0.0f;
        for (int i = 0; i < k_frames; ++i)
            peak =
                std::fmax(peak, std::fabs(sound[static_cast<std::size_t>(v) * k_frames + static_cast<std::size_t>(i)]));
        if (!(peak <= 1.001f)) return 1; // too loud, or not a number
        heard += peak > 0.01f ? 1 : 0;
    }
    std::printf("%d sounds of 1 s, %d of them above -40 dBFS\n", voices, heard);
    return heard * 2 > voices ? 0 : 1;
}
