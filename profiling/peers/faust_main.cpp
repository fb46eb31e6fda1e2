// SPDX-License-Identifier: MIT
// Faust architecture file: many instances of one generated class, each computed for 64 frames and summed.
// usage: PROGRAM VOICES SECONDS [FILE.wav of the bare sum, float]; prints the level of the sum.

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

#define FAUSTFLOAT float

struct Meta {
    void declare(const char*, const char*) {}
};

/// Keeps the address of each control by its label; everything else a user interface does is ignored.
struct UI {
    std::map<std::string, float*> zones;
    void add(const char* label, float* zone) { zones[label] = zone; }
    void openTabBox(const char*) {}
    void openHorizontalBox(const char*) {}
    void openVerticalBox(const char*) {}
    void closeBox() {}
    void declare(float*, const char*, const char*) {}
    void addButton(const char* label, float* zone) { add(label, zone); }
    void addCheckButton(const char* label, float* zone) { add(label, zone); }
    void addHorizontalSlider(const char* label, float* zone, float, float, float, float) { add(label, zone); }
    void addVerticalSlider(const char* label, float* zone, float, float, float, float) { add(label, zone); }
    void addNumEntry(const char* label, float* zone, float, float, float, float) { add(label, zone); }
    void addHorizontalBargraph(const char*, float*, float, float) {}
    void addVerticalBargraph(const char*, float*, float, float) {}
};

struct dsp {
    virtual ~dsp() = default;
};

// clang-format off
<<includeIntrinsic>>
<<includeclass>>
    // clang-format on
    struct Generated; // ends what the formatter takes the placeholders for

int main(int count, char** values) {
    const int voices = count > 1 ? std::atoi(values[1]) : 1000;
    const double seconds = count > 2 ? std::atof(values[2]) : 5.0;
    const int rate = 48000, frames = 64;
#if defined(__SSE2__)
    _mm_setcsr(_mm_getcsr() | 0x8040U);
#endif
    std::vector<std::unique_ptr<mydsp>> all;
    for (int i = 0; i < voices; ++i) {
        all.push_back(std::make_unique<mydsp>());
        all.back()->init(rate);
        UI ui;
        all.back()->buildUserInterface(&ui);
        const auto set = [&](const char* label, double value) {
            const auto zone = ui.zones.find(label);
            if (zone != ui.zones.end()) *zone->second = static_cast<float>(value);
        };
        set("frequency", voices == 1 && count > 4 ? std::atof(values[4]) : 55.0 * std::pow(2.0, (i % 60) / 12.0));
        set("cutoff", std::fmin(400.0 + 10.0 * (i % 400), 8000.0));
        set("gain", 0.5 / voices);
        set("gate", 1.0);
    }
    std::FILE* out = count > 3 ? std::fopen(values[3], "wb") : nullptr;
    double energy = 0.0;
    const long blocks = std::lround(seconds * rate / frames);
    for (long b = 0; b < blocks; ++b) {
        float sum[frames] = {}, one[frames];
        float* channel = one;
        for (auto& voice : all) {
            voice->compute(frames, nullptr, &channel);
            for (int i = 0; i < frames; ++i)
                sum[i] += one[i];
        }
        for (float value : sum)
            energy += static_cast<double>(value) * value;
        if (out) std::fwrite(sum, sizeof(float), frames, out);
    }
    if (out) std::fclose(out);
    std::printf("{\"rms\": %.6f}\n", std::sqrt(energy / (static_cast<double>(blocks) * frames)));
}
