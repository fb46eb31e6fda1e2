// SPDX-License-Identifier: MIT
// What holds for every voice type: it sounds, it ends, it is finite, and every instruction set gives the same bits.
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <tutti/engine.h>
#include <tutti/tables.h>

#include "engine/cpu/isa.h"

using namespace tutti;

namespace {

struct Take {
    std::vector<float> left, right;
    int voices_left = 0;
};

void choose_isa(const char* name) {
#if defined(_WIN32)
    _putenv_s("TUTTI_ISA", name);
#else
    setenv("TUTTI_ISA", name, 1);
#endif
}

// A chord with a bend, released half-way, in pulls of uneven size.
Take play(const Patch& patch, const char* isa, double seconds = 1.0, int block = 61) {
    choose_isa(isa);
    auto engine = Engine::create({.threads = 1});
    choose_isa("");
    REQUIRE_MESSAGE(engine.ok(), isa);
    auto stream = (*engine)->open({.mode = Mode::offline, .parts = 1, .limiter = false}).value();
    REQUIRE_MESSAGE(stream->set_patch(0, patch, 0).ok(), patch.voice);
    auto sender = stream->make_sender().value();
    const int keys[] = {36, 38, 42, 49, 55, 60, 64, 67};
    const auto middle = static_cast<std::int64_t>(24000 * seconds);
    for (int i = 0; i < 8; ++i) {
        sender.post(Event::note_on(100 * i + 7, 0, keys[i], 0.3 + 0.08 * i));
        sender.post(Event::note_off(middle + 13 * i, 0, keys[i]));
    }
    sender.post(Event::midi(3000, 0, 0xe0, 0, 96));
    Take take;
    const auto frames = static_cast<std::size_t>(48000 * seconds);
    take.left.resize(frames);
    take.right.resize(frames);
    for (std::size_t at = 0; at < frames; at += static_cast<std::size_t>(block)) {
        float* out[] = {take.left.data() + at, take.right.data() + at};
        stream->pull(out, static_cast<int>(std::min<std::size_t>(static_cast<std::size_t>(block), frames - at)));
    }
    take.voices_left = stream->stats().voices;
    return take;
}

double rms(const std::vector<float>& x, std::size_t from, std::size_t to) {
    double sum = 0.0;
    for (std::size_t i = from; i < to; ++i)
        sum += static_cast<double>(x[i]) * x[i];
    return std::sqrt(sum / static_cast<double>(to - from));
}

bool finite(const std::vector<float>& x) {
    for (const float value : x)
        if (!std::isfinite(value)) return false;
    return true;
}

std::vector<Patch> patches() {
    std::vector<Patch> all;
    for (const TypeTable& table : voice_tables()) {
        Patch patch;
        patch.voice = std::string(table.id);
        if (table.id == "ambient_pad") patch.parameters = {{"env1_attack", 0.05}, {"env1_release", 0.2}};
        all.push_back(patch);
    }
    for (int algorithm = 1; algorithm <= 32; algorithm += 3) {
        Patch patch;
        patch.voice = "fm";
        patch.parameters = {{"algorithm", algorithm}, {"feedback", 6}, {"pitch_depth", 0.3}, {"op6_level", 90}};
        patch.routes = {{"velocity", "feedback", 2.0}, {"wheel", "op2_level", 20.0}, {"env2", "op4_level", 10.0}};
        all.push_back(patch);
    }
    // Hard sync in every tier and wave; products of two sources; what a drum's routes move for each voice.
    for (int wave = 0; wave < 4; ++wave)
        for (const Quality quality : {Quality::eco, Quality::standard, Quality::ultra}) {
            Patch sync;
            sync.quality = quality;
            sync.parameters = {
                {"osc_sync", 1}, {"osc2_wave", wave}, {"osc2_level", 1}, {"osc2_semitone", 7}, {"osc2_width", 0.3}};
            sync.routes = {
                {"env2", "osc2_semitone", 12.0}, {"lfo1", "pitch", 0.5, "env2"}, {"lfo2", "cutoff", 2.0, "velocity"}};
            all.push_back(sync);
        }
    Patch drum;
    drum.voice = "drum";
    drum.routes = {{"velocity", "drive", 0.7}, {"env1", "tune", 7.0}, {"env1", "drive", 0.5, "velocity"}};
    all.push_back(drum);
    Patch pad;
    pad.voice = "ambient_pad";
    pad.quality = Quality::ultra;
    pad.parameters = {{"env1_attack", 0.01}, {"noise_level", 0.5}, {"sub_level", 1.0}, {"octave_level", 0.0}};
    pad.routes = {{"lfo2", "cutoff", 2.0}, {"key", "detune", 10.0}};
    all.push_back(pad);
    return all;
}

} // namespace

TEST_CASE("every voice type sounds, stays finite and is the same in every instruction set with a fused multiply-add") {
    for (const Patch& patch : patches()) {
        CAPTURE(patch.voice);
        const Take reference = play(patch, "scalar");
        CHECK(finite(reference.left));
        CHECK(finite(reference.right));
        CHECK(rms(reference.left, 4800, 24000) > 1e-3);
        for (const engine::Isa isa : {engine::Isa::avx2, engine::Isa::avx512}) {
            if (!engine::isa_supported(isa)) continue;
            const Take other = play(patch, engine::isa_name(isa), 1.0, 64);
            CAPTURE(engine::isa_name(isa));
            CHECK(other.left == reference.left);
            CHECK(other.right == reference.right);
        }
    }
}

TEST_CASE("drum: a route to drive or tune is heard") {
    Patch plain;
    plain.voice = "drum";
    const Take still = play(plain, "");
    for (const char* target : {"drive", "tune"}) {
        CAPTURE(target);
        Patch routed = plain;
        routed.routes = {{"velocity", target, 0.8}};
        const Take moved = play(routed, "");
        std::vector<float> difference(still.left.size());
        for (std::size_t i = 0; i < difference.size(); ++i)
            difference[i] = moved.left[i] - still.left[i];
        CHECK(rms(difference, 0, difference.size()) > 0.01 * rms(still.left, 0, still.left.size()));
        // A route that a closed wheel scales to nothing gives the plain sound; drive goes by another way, within rounding.
        routed.routes = {{"velocity", target, 0.8, "wheel"}};
        const Take closed = play(routed, "");
        for (std::size_t i = 0; i < difference.size(); ++i)
            difference[i] = closed.left[i] - still.left[i];
        CHECK(rms(difference, 0, difference.size()) < 1e-5 * rms(still.left, 0, still.left.size()));
    }
}

TEST_CASE("a released voice ends: its slot is free and nothing is heard") {
    for (const TypeTable& table : voice_tables()) {
        Patch patch;
        patch.voice = std::string(table.id);
        CAPTURE(patch.voice);
        const Take take = play(patch, "", 9.0, 512);
        CHECK(take.voices_left == 0);
        CHECK(rms(take.left, take.left.size() - 4800, take.left.size()) == 0.0);
    }
}

TEST_CASE("fm: an operator alone on algorithm 32 is a sine at the key's pitch") {
    Patch patch;
    patch.voice = "fm";
    patch.parameters = {{"algorithm", 32}, {"feedback", 0}};
    for (const char* other : {"op2_level", "op3_level", "op4_level", "op5_level", "op6_level"})
        patch.parameters[other] = 0;
    patch.parameters["op1_level3"] = 99;
    patch.parameters["op1_level2"] = 99;
    choose_isa("");
    auto engine = Engine::create().value();
    auto stream = engine->open({.channels = 1, .mode = Mode::offline, .parts = 1, .limiter = false}).value();
    REQUIRE(stream->set_patch(0, patch, 0).ok());
    auto sender = stream->make_sender().value();
    sender.post(Event::note_on(0, 0, 69, 1.0));
    std::vector<float> sound(48000 + 24000);
    for (std::size_t at = 0; at < sound.size(); at += 4000) {
        float* out[] = {sound.data() + at};
        stream->pull(out, 4000);
    }
    // Least squares against 440 Hz over a second: what is left is distortion and noise.
    double s = 0, c = 0, total = 0;
    for (int i = 0; i < 48000; ++i) {
        const double x = sound[static_cast<std::size_t>(24000 + i)],
                     w = 2.0 * 3.14159265358979323846 * 440.0 * i / 48000.0;
        s += x * std::sin(w);
        c += x * std::cos(w);
        total += x * x;
    }
    const double tone = (s * s + c * c) / 24000.0;
    CHECK(tone > 0.0);
    CHECK(10.0 * std::log10((total - tone) / tone) < -90.0); // the sine polynomial's error is below -130 dB
}
