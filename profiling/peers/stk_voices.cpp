// SPDX-License-Identifier: MIT
// Work W on the Synthesis ToolKit: BlitSaw, BiQuad resonance and ADSR a voice, ticked in blocks of 64 frames.
// usage: PROGRAM VOICES SECONDS [FILE of raw floats HZ: the bare saw alone]; prints the level of the sum.

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stk/ADSR.h>
#include <stk/BiQuad.h>
#include <stk/BlitSaw.h>
#include <vector>

namespace {
struct Voice {
    stk::BlitSaw saw;
    stk::BiQuad filter;
    stk::ADSR level;
};
} // namespace

int main(int count, char** values) {
    const int voices = count > 1 ? std::atoi(values[1]) : 500;
    const double seconds = count > 2 ? std::atof(values[2]) : 5.0;
    const int frames = 64;
    stk::Stk::setSampleRate(48000.0);
    if (count > 4) {
        stk::BlitSaw saw(std::atof(values[4]));
        std::FILE* out = std::fopen(values[3], "wb");
        for (long i = 0; i < std::lround(seconds * 48000.0); ++i) {
            const float value = static_cast<float>(0.5 * saw.tick());
            std::fwrite(&value, sizeof value, 1, out);
        }
        return std::fclose(out);
    }
    std::vector<std::unique_ptr<Voice>> all;
    for (int i = 0; i < voices; ++i) {
        all.push_back(std::make_unique<Voice>());
        all.back()->saw.setFrequency(55.0 * std::pow(2.0, (i % 60) / 12.0));
        all.back()->filter.setResonance(std::fmin(400.0 + 10.0 * (i % 400), 8000.0), 0.98, true);
        all.back()->level.setAllTimes(0.01, 0.2, 0.7, 0.3);
        all.back()->level.keyOn();
    }
    double energy = 0.0;
    const long blocks = std::lround(seconds * 48000.0 / frames);
    for (long b = 0; b < blocks; ++b) {
        double sum[frames] = {};
        for (auto& voice : all)
            for (int i = 0; i < frames; ++i)
                sum[i] += voice->filter.tick(voice->saw.tick()) * voice->level.tick();
        for (double value : sum)
            energy += value * value * 0.25 / voices / voices;
    }
    std::printf("{\"rms\": %.6f}\n", std::sqrt(energy / (static_cast<double>(blocks) * frames)));
}
