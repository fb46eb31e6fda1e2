// SPDX-License-Identifier: MIT
// torchsynth_voice in a batch, every voice stored: real-time factor, or the sound itself for a comparison.
//
//     bench_torchsynth VOICES SECONDS THREADS [REPEATS]            one JSON line; parameters drawn from a counter
//     bench_torchsynth --render PARAMETERS OUT [INSTRUCTION_SET]   PARAMETERS: float32 [voices][78]; OUT: float32 [voices][176400]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "gpu/batch/voice_batch.h"
#include "voices/torchsynth_voice.h"

using namespace tutti;
namespace ts = voices::torchsynth_voice;

namespace {

constexpr double k_rate = 44100.0;

std::vector<gpu::BatchVoice> voices_of(const std::vector<float>& values) {
    std::vector<gpu::BatchVoice> all(values.size() / ts::k_parameters);
    for (std::size_t i = 0; i < all.size(); ++i)
        all[i] = {69.0f, 1.0f, static_cast<std::uint32_t>(i + 1), values.data() + i * ts::k_parameters};
    return all;
}

int render(const char* from, const char* to, const char* isa) {
    std::FILE* file = std::fopen(from, "rb");
    if (file == nullptr) return std::fprintf(stderr, "cannot read %s\n", from), 1;
    std::vector<float> values;
    float value = 0.0f;
    while (std::fread(&value, sizeof value, 1, file) == 1)
        values.push_back(value);
    std::fclose(file);
    const auto all = voices_of(values);
    auto batch = gpu::VoiceBatch::make(ts::k_type, static_cast<int>(all.size()), k_rate, 2, isa);
    if (!batch) return std::fprintf(stderr, "%s\n", batch.status().message().c_str()), 1;
    const int frames = 176400;
    std::vector<float> out(all.size() * static_cast<std::size_t>(frames));
    (*batch)->render(all.data(), frames, out.data(), frames);
    file = std::fopen(to, "wb");
    if (file == nullptr) return std::fprintf(stderr, "cannot write %s\n", to), 1;
    const bool whole = std::fwrite(out.data(), sizeof(float), out.size(), file) == out.size();
    return std::fclose(file) == 0 && whole ? 0 : 1;
}

// Values spread over each parameter's range by a multiplicative counter: repeatable, and no library's generator.
std::vector<float> drawn(int voices) {
    std::vector<float> values;
    std::uint32_t state = 12345;
    for (int i = 0; i < voices * ts::k_parameters; ++i) {
        const Parameter& p = ts::k_table[i % ts::k_parameters];
        state = state * 747796405u + 2891336453u;
        const float place = static_cast<float>(state >> 8) * (1.0f / 16777216.0f);
        values.push_back(p.minimum + (p.maximum - p.minimum) * place);
    }
    return values;
}

int measure(int voices, double seconds, int threads, int repeats) {
    const auto values = drawn(voices);
    const auto all = voices_of(values);
    auto batch = gpu::VoiceBatch::make(ts::k_type, voices, k_rate, threads);
    if (!batch) return std::fprintf(stderr, "%s\n", batch.status().message().c_str()), 1;
    const int frames = static_cast<int>(seconds * k_rate);
    std::vector<float> out(static_cast<std::size_t>(voices) * static_cast<std::size_t>(frames));
    std::vector<double> took;
    for (int i = 0; i <= repeats; ++i) { // the first one warms up
        const auto begin = std::chrono::steady_clock::now();
        (*batch)->render(all.data(), frames, out.data(), frames, true);
        if (i > 0) took.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    }
    std::sort(took.begin(), took.end());
    const double median = took[took.size() / 2];
    std::printf(
        "{\"bench\": \"torchsynth_voice\", \"voices\": %d, \"seconds\": %g, \"threads\": %d, \"median_s\": %.4f, "
        "\"best_s\": %.4f, \"times_real_time\": %.0f, \"times_real_time_best\": %.0f}\n",
        voices, seconds, threads, median, took[0], voices * seconds / median, voices * seconds / took[0]);
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    if (argc >= 4 && std::strcmp(argv[1], "--render") == 0) return render(argv[2], argv[3], argc > 4 ? argv[4] : "");
    if (argc < 4) return std::fprintf(stderr, "usage: bench_torchsynth VOICES SECONDS THREADS [REPEATS]\n"), 2;
    const int voices = std::atoi(argv[1]), threads = std::atoi(argv[3]), repeats = argc > 4 ? std::atoi(argv[4]) : 5;
    const double seconds = std::atof(argv[2]);
    if (voices < 1 || threads < 1 || repeats < 1 || !(seconds > 0.0)) return 2;
    return measure(voices, seconds, threads, repeats);
}
