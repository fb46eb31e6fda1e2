// SPDX-License-Identifier: MIT
// A voice type and a backend for tests of the control side: plain code that keeps the border's word, one lane at a time.
#pragma once

#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include <tutti/engine.h>

#include "engine/backend.h"
#include "engine/stream/hooks.h"

namespace fake {

namespace voices = tutti::voices;
using tutti::Curve;
using tutti::Parameter;
using tutti::Unit;

enum : int {
    p_level,
    p_tone,
    p_wave,
    p_lfo1_rate,
    p_lfo1_sync,
    p_unison,
    p_attack,
    p_decay,
    p_sustain,
    p_release,
    p_count
};
inline const char* const k_waves[] = {"ramp", "square"};
inline const char* const k_syncs[] = {"off", "1/4", "1/8T"};
inline const Parameter k_parameters[p_count] = {
    {"level", "Level", "Amp", Unit::ratio, 0.0f, 2.0f, 1.0f, Curve::linear, 0.01f, nullptr, 0, true},
    {"tone", "Tone", "Filter", Unit::hertz, 20.0f, 20000.0f, 1000.0f, Curve::exponential, 0.01f, nullptr, 0, true},
    {"wave", "Wave", "Osc", Unit::choice, 0.0f, 1.0f, 0.0f, Curve::linear, 0.0f, k_waves, 2, false},
    {"lfo1_rate", "Rate", "LFO", Unit::hertz, 0.01f, 50.0f, 1.0f, Curve::exponential, 0.0f, nullptr, 0, true},
    {"lfo1_sync", "Sync", "LFO", Unit::choice, 0.0f, 2.0f, 0.0f, Curve::linear, 0.0f, k_syncs, 3, false},
    {"unison", "Unison", "Osc", Unit::none, 1.0f, 4.0f, 1.0f, Curve::linear, 0.0f, nullptr, 0, false},
    {"attack", "Attack", "Env", Unit::seconds, 0.0f, 10.0f, 0.01f, Curve::linear, 0.0f, nullptr, 0, false},
    {"decay", "Decay", "Env", Unit::seconds, 0.0f, 10.0f, 0.05f, Curve::linear, 0.0f, nullptr, 0, false},
    {"sustain", "Sustain", "Env", Unit::ratio, 0.0f, 1.0f, 0.6f, Curve::linear, 0.0f, nullptr, 0, false},
    {"release", "Release", "Env", Unit::seconds, 0.0f, 10.0f, 0.05f, Curve::linear, 0.0f, nullptr, 0, false},
};

inline void plan(const float* values, const voices::NoteInfo&, voices::EnvelopePlan* plans) noexcept {
    for (int e = 0; e < 2; ++e) {
        plans[e] = {};
        plans[e].stages[0] = {values[p_attack], 1.0f, e == 0 ? 0.0f : 2.0f};
        plans[e].stages[1] = {values[p_decay], values[p_sustain], 4.0f};
        plans[e].stages[2] = {values[p_release], 0.0f, 4.0f};
        plans[e].count = 3;
        plans[e].sustain = 1;
    }
}
inline std::uint64_t shape(const float* values, const voices::Route*, int) noexcept {
    return (values[p_wave] > 0.5f ? 1u : 0u) | (values[p_level] > 0.0f ? 2u : 0u);
}
inline int choke_group(int key) noexcept {
    return key == 42 || key == 44 || key == 46 ? 1 : 0;
}

// State after the inputs and two envelopes: level, slope (envelope 1 on this frame), phase, table gain, its slope.
enum : int { f_level = voices::state_field(2), f_slope, f_phase, f_gain, f_count };

inline const voices::VoiceType& type() {
    static const voices::VoiceType t = [] {
        voices::VoiceType v;
        v.id = "fake";
        v.name = "Fake";
        v.parameters = k_parameters;
        v.parameter_count = p_count;
        v.envelope_count = 2;
        v.amplitude_envelopes = 1;
        v.field_count = f_count;
        v.channels = 1;
        v.max_unison = 4;
        v.unison_parameter = p_unison;
        v.plan = plan;
        v.shape = shape;
        v.choke_group = choke_group;
        return v;
    }();
    return t;
}

// What the backend was handed, as it stood after the last step.
struct Probe {
    struct Lane {
        int slot;
        std::vector<float> fields;
        float pitch() const { return fields[voices::input_pitch]; }
        float level() const { return fields[f_level]; }
        float input(int i) const { return fields[static_cast<std::size_t>(i)]; }
    };
    struct BankView {
        std::vector<float> table;
        std::vector<Lane> lanes; // active ones, by slot
        float input(int i) const { return table[static_cast<std::size_t>(i)]; }
        float parameter(int i) const { return table[static_cast<std::size_t>(voices::part_input_count + i)]; }
    };
    std::vector<BankView> banks; // of the last step, as handed over
};

// Sums voices in slot order.
class FakeBackend : public tutti::engine::Backend {
public:
    explicit FakeBackend(Probe* probe = nullptr) : m_probe(probe) {}
    const char* name() const noexcept override { return "fake"; }
    void render(tutti::engine::BankStep* steps, int count, int) noexcept override {
        for (int s = 0; s < count; ++s)
            render_bank(*steps[s].bank, steps[s].step);
        if (m_probe == nullptr) return;
        m_probe->banks.clear();
        for (int s = 0; s < count; ++s)
            look(*steps[s].bank);
    }

private:
    void look(const tutti::engine::Bank& bank) {
        Probe::BankView view;
        const float* const table = bank.tables[bank.table_count - 1].table;
        view.table.assign(table, table + voices::part_input_count + bank.type->parameter_count);
        for (int r = 0; r < bank.row_count; ++r)
            for (int lane = 0; lane < 16; ++lane) {
                if (!(bank.rows[r].active >> lane & 1)) continue;
                Probe::Lane found{r * 16 + lane, {}};
                for (int f = 0; f < f_count; ++f)
                    found.fields.push_back(bank.rows[r].fields[f * 16 + lane]);
                view.lanes.push_back(std::move(found));
            }
        m_probe->banks.push_back(std::move(view));
    }
    static void render_bank(tutti::engine::Bank& bank, tutti::engine::Step step) noexcept {
        using namespace tutti::engine;
        const int first = static_cast<int>(step.frame % 64);
        for (int c = 0; c < bank.channels; ++c)
            for (int i = 0; i < step.frames; ++i)
                bank.bus[c][first + i] = 0.0f;
        for (int r = 0; r < bank.row_count; ++r) {
            Row& row = bank.rows[r];
            std::uint32_t edit = row.first_edit;
            int table = 0;
            for (int i = 0; i < step.frames; ++i) {
                const bool tick = (step.frame + i) % 16 == 0;
                if (tick)
                    for (int lane = 0; lane < 16; ++lane)
                        if (row.active >> lane & 1) advance(row, lane);
                for (; edit != k_no_edit && bank.edits[edit].offset == i; edit = bank.edits[edit].next)
                    apply(row, bank.edits[edit]);
                while (table + 1 < bank.table_count && bank.tables[table + 1].offset <= i)
                    ++table;
                const float* const values = bank.tables[table].table;
                const int left = 16 - static_cast<int>((step.frame + i) % 16);
                for (int lane = 0; lane < 16; ++lane) {
                    if (!(row.active >> lane & 1)) continue;
                    float* const f = row.fields + lane;
                    if (tick || f[f_slope * 16] == k_fresh) {
                        const float* const e = f + voices::envelope_field(0) * 16;
                        f[f_slope * 16] = (e[0] * e[16] + e[32] - f[f_level * 16]) / static_cast<float>(left);
                    }
                    const float sample = oscillate(bank, f, values);
                    for (int c = 0; c < bank.channels; ++c)
                        bank.bus[c][first + i] += sample;
                    f[f_level * 16] += f[f_slope * 16];
                }
            }
        }
    }
    static constexpr float k_fresh = 1e30f;
    // A tick: envelopes and pitch go on by their recurrences.
    static void advance(tutti::engine::Row& row, int lane) noexcept {
        float* const f = row.fields + lane;
        for (int e = 0; e < 2; ++e) {
            float* const v = f + voices::envelope_field(e) * 16;
            v[0] = v[0] * v[16] + v[32];
        }
        f[f_level * 16] = f[voices::envelope_field(0) * 16];
        f[voices::input_pitch * 16] += f[voices::input_pitch_step * 16];
        f[f_slope * 16] = k_fresh;
    }
    static void apply(tutti::engine::Row& row, const tutti::engine::Edit& edit) noexcept {
        using tutti::engine::Edit;
        float* const f = row.fields + edit.lane;
        if (edit.kind == Edit::stop) {
            row.active = static_cast<std::uint16_t>(row.active & ~(1u << edit.lane));
            return;
        }
        if (edit.kind == Edit::start) {
            row.active = static_cast<std::uint16_t>(row.active | 1u << edit.lane);
            for (int i = 0; i < f_count; ++i)
                f[i * 16] = 0.0f;
        }
        for (int i = 0; i < edit.count; ++i)
            f[(edit.first + i) * 16] = edit.values[i];
        f[f_level * 16] = f[voices::envelope_field(0) * 16];
        f[f_slope * 16] = k_fresh;
    }
    static float oscillate(const tutti::engine::Bank& bank, float* f, const float* table) noexcept {
        const float* const p = table + voices::part_input_count;
        const double pitch = static_cast<double>(f[voices::input_pitch * 16] + f[voices::input_offset * 16]) +
                             static_cast<double>(table[voices::part_bend]);
        const double hertz = 440.0 * std::exp2((pitch - 69.0) / 12.0);
        double phase = static_cast<double>(f[f_phase * 16]) + hertz / bank.sample_rate;
        phase -= std::floor(phase);
        f[f_phase * 16] = static_cast<float>(phase);
        const double wave = (bank.shape & 1) != 0 ? (phase < 0.5 ? 1.0 : -1.0) : std::sin(6.283185307179586 * phase);
        const double sum =
            wave * static_cast<double>(f[f_level * 16] * p[p_level] * f[voices::input_gain * 16] *
                                       f[voices::input_velocity * 16] * f[voices::input_unison_gain * 16]);
        return static_cast<float>(sum * (0.5 + 0.01 * static_cast<double>(p[p_tone])) * 0.1);
    }
    Probe* m_probe;
};

inline tutti::engine::Hooks hooks(bool manual = false, Probe* probe = nullptr) {
    tutti::engine::Hooks h;
    h.find_voice_type = [](std::string_view id) -> const voices::VoiceType* {
        return id == "fake" ? &type() : nullptr;
    };
    h.make_backend = [probe](const tutti::EngineConfig&,
                             int) -> tutti::Result<std::unique_ptr<tutti::engine::Backend>> {
        return std::unique_ptr<tutti::engine::Backend>(new FakeBackend(probe));
    };
    h.manual = manual;
    return h;
}

inline tutti::Patch patch() {
    tutti::Patch p;
    p.name = "Fake";
    p.voice = "fake";
    return p;
}

// An engine of fakes with one stream.
struct Rig {
    explicit Rig(const tutti::StreamConfig& config = {}, bool manual = false, Probe* probe = nullptr)
        : engine(tutti::engine::create_engine({}, hooks(manual, probe)).value()), stream(engine->open(config).value()) {
    }
    // Renders `frames` in pulls of `block`; [channel][frame].
    std::vector<std::vector<float>> render(int frames, int block = 512) {
        const auto channels = static_cast<std::size_t>(stream->config().channels);
        std::vector<std::vector<float>> out(channels, std::vector<float>(static_cast<std::size_t>(frames)));
        std::vector<float*> pointers(channels);
        for (int at = 0; at < frames; at += block) {
            for (std::size_t c = 0; c < channels; ++c)
                pointers[c] = out[c].data() + at;
            stream->pull(pointers.data(), std::min(block, frames - at));
        }
        return out;
    }
    std::unique_ptr<tutti::Engine> engine;
    std::shared_ptr<tutti::Stream> stream;
};

} // namespace fake
