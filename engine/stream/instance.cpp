// SPDX-License-Identifier: MIT
#include "engine/stream/instance.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>

namespace tutti::engine {

namespace {

// The parameter "<stem>_rate".
int find_rate(const voices::VoiceType& type, std::string_view stem) noexcept {
    for (int i = 0; i < type.parameter_count; ++i) {
        const std::string_view id = type.parameters[i].id;
        if (id.size() == stem.size() + 5 && id.substr(0, stem.size()) == stem && id.substr(stem.size()) == "_rate")
            return i;
    }
    return -1;
}

// "1/4" is a quarter note, "1/8T" or "1/8t" its triplet, "1/8D", "1/8." dotted, "2/1" two whole notes; else 0.
double beats_of(std::string_view name) noexcept {
    const std::size_t slash = name.find('/');
    if (slash == std::string_view::npos) return 0.0;
    double over = 0.0, under = 0.0;
    for (std::size_t i = 0; i < slash; ++i)
        if (name[i] >= '0' && name[i] <= '9') over = over * 10.0 + (name[i] - '0');
    std::size_t i = slash + 1;
    for (; i < name.size() && name[i] >= '0' && name[i] <= '9'; ++i)
        under = under * 10.0 + (name[i] - '0');
    if (over <= 0.0 || under <= 0.0) return 0.0;
    double beats = 4.0 * over / under;
    for (; i < name.size(); ++i) {
        if (name[i] == 'T' || name[i] == 't') return beats * 2.0 / 3.0;
        if (name[i] == 'D' || name[i] == 'd' || name[i] == '.') return beats * 1.5;
    }
    return beats;
}

Vector<TempoLock> find_locks(const voices::VoiceType& type) {
    Vector<TempoLock> locks;
    for (int i = 0; i < type.parameter_count; ++i) {
        const std::string_view id = type.parameters[i].id;
        if (id.size() < 6 || id.substr(id.size() - 5) != "_sync" || type.parameters[i].choice_count == 0) continue;
        TempoLock lock;
        lock.sync = i;
        lock.rate = find_rate(type, id.substr(0, id.size() - 5));
        if (lock.rate < 0) continue;
        for (int c = 0; c < type.parameters[i].choice_count; ++c)
            lock.beats.push_back(beats_of(type.parameters[i].choices[c]));
        locks.push_back(std::move(lock));
    }
    return locks;
}

} // namespace

Result<std::unique_ptr<Instance>> Instance::make(const PatchImage& patch, const InstanceSpec& spec) {
    std::unique_ptr<Instance> instance(new Instance);
    instance->m_channels = spec.channels;
    instance->m_rate = spec.sample_rate;
    instance->m_type = patch.type;
    instance->m_gain = std::pow(10.0, patch.gain_db / 20.0);
    instance->m_sends[0] = patch.sends[0];
    instance->m_sends[1] = patch.sends[1];
    instance->m_bend_range = patch.bend_range;
    instance->m_glide_seconds = patch.glide_seconds;
    instance->m_mode = patch.mode;
    instance->m_priority = patch.priority;
    instance->m_quality = static_cast<int>(patch.quality);
    instance->m_alignment.prepare(spec.channels);
    instance->m_bus.assign(static_cast<std::size_t>(spec.channels) * voices::k_block_frames, 0.0f);
    if (patch.effect_count > 0) {
        auto effects = EffectChain::create(std::span(patch.effects, static_cast<std::size_t>(patch.effect_count)),
                                           spec.sample_rate, spec.channels);
        if (!effects) return effects.status();
        if (effects.value()->size() > 0) instance->m_effects = std::move(effects).value();
    }
    if (patch.type == nullptr) return instance;

    const voices::VoiceType& type = *patch.type;
    instance->m_routes.assign(patch.routes, patch.routes + patch.route_count);
    std::copy(std::begin(patch.controllers), std::end(patch.controllers), instance->m_controllers.begin());
    int copies = 1;
    if (type.unison_parameter >= 0)
        copies = std::clamp(static_cast<int>(std::lround(patch.values[type.unison_parameter])), 1, type.max_unison);
    instance->m_table.prepare(type, patch.values, spec.sample_rate);
    instance->m_voices.prepare(type, patch, spec.sample_rate, spec.seed, spec.part, copies);
    instance->m_locks = find_locks(type);
    instance->refresh_shape();
    return instance;
}

void Instance::attach(TimerWheel& wheel, VoiceCounts& counts, std::int64_t frame) noexcept {
    m_alignment.begin(frame);
    if (m_type != nullptr) m_voices.attach(wheel, counts, m_table);
}

void Instance::begin_step(std::int64_t frame) noexcept {
    if (m_type == nullptr) return;
    m_sounded = m_voices.notes() > 0;
    m_table.begin_step(frame);
    m_voices.begin_step(frame);
    if (m_table.shape_stale() && frame % voices::k_block_frames == 0) refresh_shape();
}

void Instance::refresh_shape() noexcept {
    if (m_type == nullptr) return;
    m_table.shape_taken();
    m_shape = m_type->shape != nullptr
                  ? m_type->shape(m_table.shape_values(), m_routes.data(), static_cast<int>(m_routes.size()))
                  : 0;
}

bool Instance::fill_bank(Bank& bank) noexcept {
    EditList& edits = m_voices.edits();
    if (m_type == nullptr || (!m_sounded && edits.edit_count() == 0)) {
        if (!m_bus_silent) std::fill(m_bus.begin(), m_bus.end(), 0.0f);
        m_bus_silent = true;
        return false;
    }
    m_bus_silent = false;
    bank.type = m_type;
    bank.shape = m_shape;
    bank.sample_rate = m_rate;
    bank.routes = m_routes.data();
    bank.route_count = static_cast<int>(m_routes.size());
    bank.quality = m_quality;
    bank.tables = m_table.changes();
    bank.table_count = m_table.change_count();
    bank.rows = edits.rows();
    bank.row_count = edits.row_count();
    bank.rows_used = m_voices.rows_used();
    bank.edits = edits.edits();
    bank.channels = m_channels;
    for (int c = 0; c < m_channels; ++c)
        bank.bus[c] = bus(c);
    return true;
}

void Instance::render_effects(std::int64_t frame, int frames) noexcept {
    float* io[k_max_channels];
    for (int c = 0; c < m_channels; ++c)
        io[c] = bus(c) + frame % voices::k_block_frames;
    m_effects->render(io, frames, frame);
    m_bus_silent = false;
}

void Instance::align(const LongestLatency& longest, std::int64_t frame, int frames) noexcept {
    if (!m_alignment.due(longest, latency(), frame, !m_bus_silent)) return;
    float* io[k_max_channels];
    for (int c = 0; c < m_channels; ++c)
        io[c] = bus(c) + frame % voices::k_block_frames;
    m_alignment.render(io, m_channels, frames, frame, longest, latency(), !m_bus_silent);
    m_bus_silent = false;
}

void Instance::follow_tempo(double beats_per_second, std::int64_t frame) noexcept {
    for (const TempoLock& lock : m_locks) {
        const auto choice = static_cast<std::size_t>(std::lround(m_table.values()[lock.sync]));
        const double beats = choice < lock.beats.size() ? lock.beats[choice] : 0.0;
        m_table.override_value(
            lock.rate, beats > 0.0 ? beats_per_second / beats : std::numeric_limits<double>::quiet_NaN(), frame);
    }
}

} // namespace tutti::engine
