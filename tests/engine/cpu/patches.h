// SPDX-License-Identifier: MIT
// Patches for tests: one for each module, and drawn ones.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "profiling/bank_harness.h"

namespace tutti::harness {

struct NamedPatch {
    std::string name;
    PatchValues patch;
};

inline std::vector<NamedPatch> module_patches() {
    std::vector<NamedPatch> all;
    const auto add = [&](const char* name) -> PatchValues& {
        all.push_back({name, PatchValues()});
        return all.back().patch;
    };
    add("saw");
    add("pulse").set("osc1_wave", 1).set("osc1_width", 0.3);
    add("triangle").set("osc1_wave", 2);
    add("sine").set("osc1_wave", 3);
    add("saw, cutoff by envelope").set("filter_env", 3).set("cutoff", 400);
    add("saw, vibrato").route(v::source_lfo1, "pitch", 0.5);
    add("two, ring, sub, noise")
        .set("osc2_level", 0.6)
        .set("osc2_fine", 7)
        .set("ring_level", 0.4)
        .set("sub_level", 0.5)
        .set("sub_wave", 1)
        .set("noise_level", 0.2);
    add("sub sine, pink").set("sub_level", 0.5).set("noise_level", 0.2).set("noise_color", 1);
    add("sync")
        .set("osc_sync", 1)
        .set("osc2_level", 1)
        .set("osc1_level", 0)
        .set("osc2_semitone", 7)
        .route(v::source_envelope2, "osc2_semitone", 12);
    add("sync pulse").set("osc_sync", 1).set("osc2_level", 1).set("osc2_wave", 1).set("osc2_semitone", 5);
    add("band").set("filter_type", 2).set("resonance", 0.6);
    add("high").set("filter_type", 3).route(v::source_lfo2, "resonance", 0.5);
    add("notch").set("filter_type", 4).route(v::source_lfo1, "cutoff", 2);
    add("ladder").set("filter_type", 5).set("resonance", 0.8).set("drive", 12).set("filter_env", 2);
    add("audio-rate cutoff").set("filter_fm", 2).set("osc2_wave", 3).set("osc2_octave", 1);
    add("ladder, audio-rate cutoff").set("filter_type", 5).set("filter_fm", 2).set("resonance", 0.7);
    add("no filter").set("filter_type", 0);
    add("width, level and pan move")
        .set("osc1_wave", 1)
        .route(v::source_lfo1, "osc1_width", 0.4)
        .route(v::source_lfo2, "level", 0.3)
        .route(v::source_random, "pan", 1)
        .route(v::source_envelope2, "pan", -0.5);
    add("lfo waves")
        .set("lfo1_wave", 6)
        .set("lfo2_wave", 5)
        .set("lfo2_rate", 30)
        .set("lfo1_rate", 11)
        .set("lfo1_delay", 0.005)
        .set("lfo1_fade", 0.01)
        .route(v::source_lfo1, "cutoff", 2)
        .route(v::source_lfo2, "osc1_fine", 50)
        .route(v::source_lfo1, "lfo2_rate", 1);
    return all;
}

inline PatchValues random_patch(std::mt19937& random) {
    PatchValues patch;
    std::uniform_real_distribution<double> unit(0.0, 1.0);
    for (int i = 0; i < patch.type->parameter_count; ++i) {
        const Parameter& p = patch.type->parameters[i];
        if (unit(random) < 0.5) continue;
        double value = p.curve == Curve::exponential ? p.minimum * std::pow(double(p.maximum) / p.minimum, unit(random))
                                                     : p.minimum + (double(p.maximum) - p.minimum) * unit(random);
        if (p.unit == Unit::choice || p.unit == Unit::toggle) value = std::floor(value + 0.5);
        patch.values[static_cast<std::size_t>(i)] = static_cast<float>(value);
    }
    const int routes = static_cast<int>(unit(random) * 5.0);
    for (int r = 0; r < routes; ++r) {
        int target = 0;
        do
            target = static_cast<int>(unit(random) * patch.type->parameter_count);
        while (!patch.type->parameters[target].modulatable);
        const Parameter& p = patch.type->parameters[target];
        const double span = p.curve == Curve::exponential ? 2.0 : 0.3 * (double(p.maximum) - p.minimum);
        patch.routes.push_back(
            {static_cast<v::Source>(1 + static_cast<int>(unit(random) * (static_cast<int>(v::source_count) - 1.001))),
             static_cast<unsigned char>(target), static_cast<float>(span * (unit(random) - 0.5))});
    }
    return patch;
}

// Notes that begin, glide, are bent, released and stopped at drawn frames, over `frames`; the same for the same seed.
// Slots 0..slots-1; those whose bit is not in `keep` get nothing (they stay idle).
inline void drawn_events(TestBank& bank, int slots, int frames, std::uint32_t seed, std::uint64_t keep = ~0ull,
                         std::int64_t from = 0) {
    struct Event {
        std::int64_t frame;
        int slot;
        int kind;
        std::uint32_t draw;
    };
    std::vector<Event> events;
    for (int slot = 0; slot < slots; ++slot) {
        std::mt19937 random(seed * 977u + static_cast<std::uint32_t>(slot));
        std::int64_t frame = from + static_cast<std::int64_t>(random() % 200);
        bool sounding = false;
        while (frame < from + frames) {
            const int kind = sounding ? static_cast<int>(random() % 5) : 0;
            if ((keep >> slot & 1u) != 0) events.push_back({frame, slot, kind, static_cast<std::uint32_t>(random())});
            sounding = kind != 4;
            frame += 1 + static_cast<std::int64_t>(random() % 300);
        }
    }
    std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.frame < b.frame; });
    for (const Event& e : events) {
        const float unit = static_cast<float>(e.draw >> 8) / 16777216.0f;
        switch (e.kind) {
        case 0: {
            Note note;
            note.pitch = 30.0f + 70.0f * unit;
            note.random = 2.0f * unit - 1.0f;
            note.velocity = 0.3f + 0.7f * unit;
            note.pan = unit - 0.5f;
            note.seed = e.draw;
            note.gain = 0.2f;
            note.step = (e.draw & 7u) == 0 ? 0.05f : 0.0f;
            note.envelopes[0] = Line::fall(0.0f, 1.0f, 6.0);
            note.envelopes[1] = Line::fall(1.0f, 0.2f, 20.0);
            bank.start(e.frame, e.slot, note);
            break;
        }
        case 1: // another pitch
            bank.write(e.frame, e.slot, v::input_pitch, {40.0f + 40.0f * unit, 0.0f});
            break;
        case 2: // release
            bank.write(e.frame, e.slot, v::envelope_field(0), {0.8f, 0.9f, 0.0f, 0.3f, 0.95f, 0.0f});
            break;
        case 3: // expression
            bank.write(e.frame, e.slot, v::input_gain, {0.3f * unit, unit - 0.5f});
            break;
        default:
            bank.stop(e.frame, e.slot);
        }
    }
}

} // namespace tutti::harness
