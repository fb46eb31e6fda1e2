// SPDX-License-Identifier: MIT
// Banks of voices without a stream: rows, tables and edits made by hand, for tests and benchmarks of backends.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <new>
#include <string_view>
#include <vector>

#include "engine/backend.h"
#include "voices/registry.h"

namespace tutti::harness {

using namespace tutti::engine;
namespace v = tutti::voices;

struct FreeAligned {
    void operator()(float* p) const noexcept { ::operator delete (p, std::align_val_t{64}); }
};

// A patch: parameter values in user units, by id.
struct PatchValues {
    const v::VoiceType* type = v::find_voice_type("subtractive");
    std::vector<float> values;
    std::vector<v::Route> routes;

    explicit PatchValues(std::string_view id = "subtractive") : type(v::find_voice_type(id)) {
        for (int i = 0; i < type->parameter_count; ++i)
            values.push_back(type->parameters[i].fallback);
    }
    int index(std::string_view id) const {
        for (int i = 0; i < type->parameter_count; ++i)
            if (id == type->parameters[i].id) return i;
        std::abort();
    }
    PatchValues& set(std::string_view id, double value) {
        values[static_cast<std::size_t>(index(id))] = static_cast<float>(value);
        return *this;
    }
    PatchValues& route(v::Source source, std::string_view target, double depth, v::Source via = v::source_none) {
        routes.push_back({source, static_cast<unsigned char>(index(target)), static_cast<float>(depth), via});
        return *this;
    }
};

// An envelope whose level is held: value, mul 1, add 0; or a straight line to `to` over `ticks`.
struct Line {
    float value = 1.0f, mul = 1.0f, add = 0.0f;
    static Line hold(float level) { return {level, 0.0f, level}; }
    static Line ramp(float from, float to, int ticks) { return {from, 1.0f, (to - from) / static_cast<float>(ticks)}; }
    // Exponential fall towards `to` with a time constant in ticks.
    static Line fall(float from, float to, double ticks) {
        const double keep = std::exp(-1.0 / ticks);
        return {from, static_cast<float>(keep), static_cast<float>(to * (1.0 - keep))};
    }
};

struct Note {
    float pitch = 69.0f, step = 0.0f, offset = 0.0f, gain = 1.0f, pan = 0.0f, velocity = 1.0f;
    float pressure = 0.0f, timbre = 0.0f, random = 0.0f, unison = 0.0f, unison_gain = 1.0f, lowpass = 1.0f;
    std::uint32_t seed = 1;
    Line envelopes[v::k_max_envelopes];
};

// A bank with its memory. Edits are given by absolute frame and kept in order.
class TestBank {
public:
    TestBank(const PatchValues& patch, int slots, double rate, int quality, int channels)
        : m_patch(patch), m_rows(static_cast<std::size_t>((slots + 15) / 16)) {
        const auto size = static_cast<std::size_t>(patch.type->field_count) * v::k_row_slots;
        m_fields.reset(static_cast<float*>(::operator new (size* m_rows.size() * sizeof(float), std::align_val_t{64})));
        std::fill_n(m_fields.get(), size * m_rows.size(), 0.0f);
        for (std::size_t i = 0; i < m_rows.size(); ++i)
            m_rows[i].fields = m_fields.get() + i * size;
        m_buses.resize(static_cast<std::size_t>(channels), std::vector<float>(64));
        m_bank.type = patch.type;
        m_bank.sample_rate = rate;
        m_bank.quality = quality;
        m_bank.channels = channels;
        m_bank.rows = m_rows.data();
        m_bank.row_count = static_cast<int>(m_rows.size());
        for (int c = 0; c < channels; ++c)
            m_bank.bus[c] = m_buses[static_cast<std::size_t>(c)].data();
        refresh();
    }

    PatchValues& patch() { return m_patch; }
    // Takes the patch's values: a new table version.
    void refresh() {
        const v::VoiceType& type = *m_patch.type;
        m_table.assign(static_cast<std::size_t>(v::part_input_count + type.parameter_count), 0.0f);
        m_table[v::part_tempo] = 2.0f;
        for (int i = 0; i < type.parameter_count; ++i) {
            const float value = m_patch.values[static_cast<std::size_t>(i)];
            m_table[static_cast<std::size_t>(v::part_input_count + i)] =
                type.parameters[i].curve == Curve::exponential ? std::log2(value) : value;
        }
        m_change = {0, ++m_version, m_table.data()};
        m_bank.tables = &m_change;
        m_bank.table_count = 1;
        m_bank.shape =
            type.shape(m_patch.values.data(), m_patch.routes.data(), static_cast<int>(m_patch.routes.size()));
        m_bank.routes = m_patch.routes.data();
        m_bank.route_count = static_cast<int>(m_patch.routes.size());
    }

    void start(std::int64_t frame, int slot, const Note& note) {
        std::vector<float> values(static_cast<std::size_t>(v::state_field(m_patch.type->envelope_count)));
        const float inputs[] = {note.pitch,
                                note.step,
                                note.offset,
                                note.gain,
                                note.pan,
                                note.velocity,
                                (note.pitch - 60.0f) / 12.0f,
                                note.pressure,
                                note.timbre,
                                note.random,
                                note.unison,
                                note.unison_gain,
                                0.0f,
                                0.0f,
                                note.lowpass};
        std::memcpy(values.data(), inputs, sizeof inputs);
        std::memcpy(&values[v::input_seed], &note.seed, 4);
        for (int e = 0; e < m_patch.type->envelope_count; ++e)
            std::memcpy(&values[static_cast<std::size_t>(v::envelope_field(e))], &note.envelopes[e], 12);
        m_events.push_back({frame, slot, Edit::start, 0, std::move(values)});
    }
    void write(std::int64_t frame, int slot, int first, std::vector<float> values) {
        m_events.push_back({frame, slot, Edit::write, first, std::move(values)});
    }
    void stop(std::int64_t frame, int slot) { m_events.push_back({frame, slot, Edit::stop, 0, {}}); }

    // Makes the edits of a step. Events must have been given in order of their frames.
    BankStep step(std::int64_t frame, int frames) {
        m_edits.clear();
        for (Row& row : m_rows)
            row.first_edit = row.last_edit = k_no_edit;
        while (m_next < m_events.size() && m_events[m_next].frame < frame + frames) {
            const Event& e = m_events[m_next++];
            Row& row = m_rows[static_cast<std::size_t>(e.slot / 16)];
            Edit edit;
            edit.offset = static_cast<std::uint8_t>(e.frame - frame);
            edit.lane = static_cast<std::uint8_t>(e.slot % 16);
            edit.kind = e.kind;
            edit.first = static_cast<std::uint8_t>(e.first);
            edit.count = static_cast<std::uint8_t>(e.values.size());
            edit.values = e.values.data();
            const auto index = static_cast<std::uint32_t>(m_edits.size());
            if (row.first_edit == k_no_edit)
                row.first_edit = index;
            else
                m_edits[row.last_edit].next = index;
            row.last_edit = index;
            m_edits.push_back(edit);
        }
        m_bank.edits = m_edits.data();
        return {&m_bank, {frame, frames}};
    }

    Bank& bank() { return m_bank; }
    const float* bus(int channel) const { return m_buses[static_cast<std::size_t>(channel)].data(); }

private:
    struct Event {
        std::int64_t frame;
        int slot;
        Edit::Kind kind;
        int first;
        std::vector<float> values;
    };
    PatchValues m_patch;
    std::unique_ptr<float[], FreeAligned> m_fields;
    std::vector<Row> m_rows;
    std::vector<std::vector<float>> m_buses;
    std::vector<float> m_table;
    TableChange m_change;
    std::uint32_t m_version = 0;
    std::deque<Event> m_events;
    std::size_t m_next = 0;
    std::vector<Edit> m_edits;
    Bank m_bank;
};

// Renders frames [from, from + frames) in blocks of 64, or of `sizes()` frames each, cut at multiples of 64.
template <class Sizes>
std::vector<float> render(Backend& backend, TestBank& bank, std::int64_t from, int frames, Sizes&& sizes,
                          int threads = 1, int channel = 0) {
    std::vector<float> out(static_cast<std::size_t>(frames));
    for (int at = 0; at < frames;) {
        const std::int64_t frame = from + at;
        const int room = 64 - static_cast<int>(frame % 64);
        int n = sizes();
        n = n < room ? n : room;
        n = n < frames - at ? n : frames - at;
        BankStep step = bank.step(frame, n);
        backend.render(&step, 1, threads);
        std::memcpy(&out[static_cast<std::size_t>(at)], bank.bus(channel) + frame % 64,
                    static_cast<std::size_t>(n) * 4);
        at += n;
    }
    return out;
}
inline std::vector<float> render(Backend& backend, TestBank& bank, std::int64_t from, int frames, int threads = 1,
                                 int channel = 0) {
    return render(
        backend, bank, from, frames, [] { return 64; }, threads, channel);
}

} // namespace tutti::harness
