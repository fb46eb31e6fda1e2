// SPDX-License-Identifier: MIT
// What holds for every effect in the registry, whatever it does.
#include <limits>

#include <doctest/doctest.h>

#include "tests/engine/effects/support.h"

using namespace test;

namespace {

struct Change {
    std::size_t frame;
    int parameter; // -1: tempo
    float value;
};

// Renders with the parameter changes at their frames, in blocks of `block` frames (0: random sizes 1..200).
template <class Renderer, class Set>
Stereo in_blocks(Renderer& effect, Stereo s, const std::vector<Change>& changes, int block, std::uint32_t seed,
                 std::int64_t start, Set set) {
    Random random(seed);
    std::size_t change = 0;
    for (std::size_t at = 0; at < s.size();) {
        for (; change < changes.size() && changes[change].frame <= at; ++change)
            set(effect, changes[change]);
        std::size_t count = static_cast<std::size_t>(block > 0 ? block : 1 + random.below(200));
        count = std::min(count, s.size() - at);
        if (change < changes.size()) count = std::min(count, changes[change].frame - at);
        render(effect, s, at, count, start + static_cast<std::int64_t>(at));
        at += count;
    }
    return s;
}

void set_effect(Effect& effect, const Change& change) {
    if (change.parameter < 0)
        effect.set_tempo(change.value);
    else
        effect.set_parameter(change.parameter, change.value);
}

std::vector<Change> random_changes(const EffectType& type, std::size_t frames, std::uint32_t seed) {
    Random random(seed);
    std::vector<Change> changes;
    for (std::size_t at = 300; at < frames; at += static_cast<std::size_t>(200 + random.below(900))) {
        const int parameter = random.below(type.parameter_count + 1) - 1;
        const float place = 0.5f + 0.5f * random.bipolar();
        changes.push_back(
            {at, parameter,
             parameter < 0 ? 60.0f + 100.0f * place : value_from_normalised(type.parameters[parameter], place)});
    }
    return changes;
}

bool finite(const Stereo& s) {
    for (std::size_t i = 0; i < s.size(); ++i)
        if (!std::isfinite(s.left[i]) || !std::isfinite(s.right[i])) return false;
    return true;
}

} // namespace

TEST_CASE("the registry's tables are sound") {
    CHECK(effect_types().size() == 7);
    for (const EffectType& type : effect_types()) {
        CAPTURE(type.id);
        CHECK(find_effect_type(type.id) == &type);
        CHECK(type.parameter_count <= k_max_effect_parameters);
        CHECK(std::string(type.create()->type().id) == type.id);
        for (int i = 0; i < type.parameter_count; ++i) {
            const Parameter& row = type.parameters[i];
            CAPTURE(row.id);
            CHECK(type.find(row.id) == i);
            CHECK(row.minimum < row.maximum);
            CHECK(row.fallback >= row.minimum);
            CHECK(row.fallback <= row.maximum);
            if (row.curve == Curve::exponential) CHECK(row.minimum > 0.0f);
            if (row.unit == Unit::choice) CHECK(static_cast<float>(row.choice_count) == row.maximum + 1.0f);
        }
    }
    CHECK(find_effect_type("flanger") == nullptr);
}

TEST_CASE("any split into blocks gives the same bits, with parameters moving") {
    for (const double rate : {8000.0, 44100.0, 192000.0})
        for (const EffectType& type : effect_types())
            for (const std::int64_t start : {std::int64_t{0}, std::int64_t{7}}) {
                CAPTURE(type.id);
                CAPTURE(rate);
                const Stereo input = noise(20000, 0.9f);
                const auto changes = random_changes(type, input.size(), 5);
                const auto whole = make(type.id, rate);
                const Stereo expected = in_blocks(*whole, input, changes, 1 << 20, 0, start, set_effect);
                for (const int block : {1, 3, 16, 64, 0, 0}) {
                    CAPTURE(block);
                    const auto effect = make(type.id, rate);
                    CHECK(in_blocks(*effect, input, changes, block, 77, start, set_effect) == expected);
                }
                CHECK(finite(expected));
            }
}

TEST_CASE("red control: a change applied one frame late is seen") {
    const Stereo input = noise(4000, 0.9f);
    for (const EffectType& type : effect_types()) {
        if (std::string(type.id) == "limiter") continue; // its release does not show in 16 frames of noise
        CAPTURE(type.id);
        const int mix = type.find("mix") >= 0 ? type.find("mix") : type.find("low-gain");
        const auto early = make(type.id);
        const auto late = make(type.id);
        // 1,600 is a tick: a change before its first frame is taken at once, one after it at the next tick.
        const Stereo a = in_blocks(*early, input, {{1600, mix, 0.9f}}, 64, 0, 0, set_effect);
        const Stereo b = in_blocks(*late, input, {{1601, mix, 0.9f}}, 64, 0, 0, set_effect);
        CHECK(!(a == b));
    }
}

TEST_CASE("fault 19: samples that are not finite in an effect: they count as zeros and leave nothing behind") {
    const float wrong[] = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                           -std::numeric_limits<float>::infinity(), 1e30f};
    for (const EffectType& type : effect_types()) {
        CAPTURE(type.id);
        Stereo clean = noise(6000, 0.5f);
        Stereo broken = clean;
        for (std::size_t i = 1000; i < 1100; ++i) {
            clean.left[i] = clean.right[i + 7] = 0.0f;
            broken.left[i] = wrong[i % 4];
            broken.right[i + 7] = wrong[(i + 1) % 4];
        }
        const auto a = make(type.id);
        const auto b = make(type.id);
        render(*a, clean);
        render(*b, broken);
        CHECK(clean == broken);
        CHECK(finite(broken));
    }
}

TEST_CASE("fault 25: NaN as a parameter of an effect: NaN and unknown indexes keep the old value, others are clamped") {
    for (const EffectType& type : effect_types()) {
        const auto effect = make(type.id);
        for (int i = 0; i < type.parameter_count; ++i) {
            effect->set_parameter(i, std::numeric_limits<float>::quiet_NaN());
            CHECK(effect->parameter(i) == type.parameters[i].fallback);
            effect->set_parameter(i, 1e9f);
            CHECK(effect->parameter(i) == type.parameters[i].maximum);
            effect->set_parameter(i, -1e9f);
            CHECK(effect->parameter(i) == type.parameters[i].minimum);
        }
        effect->set_parameter(-1, 1.0f);
        effect->set_parameter(99, 1.0f);
    }
}

TEST_CASE("every corner of every table is stable at every rate") {
    for (const double rate : {8000.0, 48000.0, 192000.0})
        for (const EffectType& type : effect_types())
            for (std::uint32_t seed = 1; seed <= 12; ++seed) {
                CAPTURE(type.id);
                CAPTURE(rate);
                CAPTURE(seed);
                Random random(seed);
                const auto effect = make(type.id, rate);
                for (int i = 0; i < type.parameter_count; ++i)
                    effect->set_parameter(i, random.below(2) == 0 ? type.parameters[i].minimum
                                                                  : type.parameters[i].maximum);
                effect->reset();
                Stereo s = noise(30000, 1.0f, seed);
                render(*effect, s);
                CHECK(finite(s));
                // The equaliser's four bands of +18 dB on one spot are the loudest: 72 dB.
                CHECK(peak(s.left) < 8000.0f);
            }
}

TEST_CASE("mix 0 passes the input bit for bit, after the reported latency") {
    for (const EffectType& type : effect_types()) {
        if (type.find("mix") < 0) continue;
        CAPTURE(type.id);
        const auto effect = make(type.id, 48000.0, {{"mix", 0.0f}});
        const Stereo input = noise(3000, 0.5f);
        Stereo s = input;
        render(*effect, s);
        const auto latency = static_cast<std::size_t>(effect->latency_frames());
        bool same = true;
        for (std::size_t i = latency; i < s.size(); ++i)
            same = same && s.left[i] == input.left[i - latency] && s.right[i] == input.right[i - latency];
        CHECK(same);
    }
}

TEST_CASE("after the reported tail the output is below -120 dBFS") {
    for (const double rate : {8000.0, 48000.0})
        for (const EffectType& type : effect_types()) {
            CAPTURE(type.id);
            CAPTURE(rate);
            auto effect = make(type.id, rate);
            if (std::string(type.id) == "reverb") effect = make(type.id, rate, {{"decay", 0.8f}});
            if (std::string(type.id) == "equalizer")
                effect = make(type.id, rate,
                              {{"peak1-gain", 12.0f}, {"peak1-q", 8.0f}, {"low-cut", 40.0f}, {"low-gain", 6.0f}});
            Stereo s = noise(4000, 0.7f);
            const auto tail =
                static_cast<std::size_t>(effect->tail_frames()) + static_cast<std::size_t>(effect->latency_frames());
            s.left.resize(4000 + tail + 4000);
            s.right.resize(s.left.size());
            render(*effect, s);
            CHECK(peak(s.left, 4000 + tail) < 1e-6f);
            CHECK(peak(s.right, 4000 + tail) < 1e-6f);
            CHECK(tail < static_cast<std::size_t>(30.0 * rate));
        }
}

TEST_CASE("a mono effect is the mean of the stereo one fed the same on both sides") {
    for (const EffectType& type : effect_types()) {
        CAPTURE(type.id);
        const auto mono = make(type.id, 48000.0, {}, 1);
        const auto stereo = make(type.id);
        Stereo s = noise(5000, 0.4f);
        s.right = s.left;
        std::vector<float> one = s.left;
        render(*stereo, s);
        float* const io[1] = {one.data()};
        mono->render(io, 5000, 0);
        bool same = true;
        for (std::size_t i = 0; i < one.size(); ++i)
            same = same && one[i] == 0.5f * (s.left[i] + s.right[i]);
        CHECK(same);
    }
}

TEST_CASE("reset forgets everything") {
    for (const EffectType& type : effect_types()) {
        CAPTURE(type.id);
        const Stereo input = noise(4000, 0.5f, 3);
        const auto fresh = make(type.id);
        const auto used = make(type.id);
        Stereo s = noise(7000, 0.9f, 9);
        render(*used, s);
        used->reset();
        Stereo a = input;
        Stereo b = input;
        render(*fresh, a);
        render(*used, b);
        CHECK(a == b);
    }
}

TEST_CASE("prepare refuses what it cannot do") {
    for (const EffectType& type : effect_types()) {
        const auto effect = type.create();
        CHECK(effect->prepare(7999.0, 2).code() == Code::out_of_range);
        CHECK(effect->prepare(192001.0, 2).code() == Code::out_of_range);
        CHECK(effect->prepare(std::numeric_limits<double>::quiet_NaN(), 2).code() == Code::out_of_range);
        CHECK(effect->prepare(48000.0, 3).code() == Code::out_of_range);
        CHECK(effect->prepare(44100.5, 2).ok());
    }
}

TEST_CASE("a change of gain makes no step") {
    // A 100 Hz sine changes by at most 0.0131 of its level from frame to frame at 48 kHz; a step would stand out.
    for (const EffectType& type : effect_types()) {
        CAPTURE(type.id);
        for (const char* name : {"mix", "output", "make-up", "low-gain"}) {
            const int index = type.find(name);
            if (index < 0) continue;
            CAPTURE(name);
            const auto effect = make(type.id);
            Stereo s = sine(48000, 48000.0, 100.0, 0.1);
            render(*effect, s, 0, 24000, 0);
            effect->set_parameter(index, type.parameters[index].minimum);
            render(*effect, s, 24000, 4800, 24000);
            effect->set_parameter(index, type.parameters[index].fallback);
            render(*effect, s, 28800, 19200, 28800);
            float before = 0.0f;
            float during = 0.0f;
            for (std::size_t i = 1; i < s.size(); ++i) {
                const float step = std::fabs(s.left[i] - s.left[i - 1]);
                if (i > 12000 && i < 24000) before = std::max(before, step);
                if (i >= 24000) during = std::max(during, step);
            }
            // The level may rise by what the parameter asks (the dry signal comes back by at most a factor of 3).
            CHECK(during < 3.0f * before + 1e-4f);
        }
    }
}
