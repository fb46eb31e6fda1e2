// SPDX-License-Identifier: MIT
#include "engine/stream/instance.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>

namespace tutti::engine {

namespace {

constexpr const char* k_sources[voices::source_count] = {
    "none",   "env1",   "env2",   "lfo1",   "lfo2",   "velocity", "key",        "pressure",
    "timbre", "random", "unison", "bend",   "wheel",  "breath",   "expression", "macro1",
    "macro2", "macro3", "macro4", "macro5", "macro6", "macro7",   "macro8"};

int find_parameter(const voices::VoiceType& type, std::string_view id) noexcept {
    for (int i = 0; i < type.parameter_count; ++i)
        if (id == type.parameters[i].id) return i;
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

std::vector<TempoLock> find_locks(const voices::VoiceType& type) {
    std::vector<TempoLock> locks;
    for (int i = 0; i < type.parameter_count; ++i) {
        const std::string id = type.parameters[i].id;
        if (id.size() < 6 || id.compare(id.size() - 5, 5, "_sync") != 0 || type.parameters[i].choice_count == 0)
            continue;
        TempoLock lock;
        lock.sync = i;
        lock.rate = find_parameter(type, id.substr(0, id.size() - 5) + "_rate");
        if (lock.rate < 0) continue;
        for (int c = 0; c < type.parameters[i].choice_count; ++c)
            lock.beats.push_back(beats_of(type.parameters[i].choices[c]));
        locks.push_back(std::move(lock));
    }
    return locks;
}

} // namespace

Result<std::unique_ptr<Instance>> Instance::make(const Patch& patch, const InstanceSpec& spec) {
    std::unique_ptr<Instance> instance(new Instance);
    instance->m_channels = spec.channels;
    instance->m_rate = spec.sample_rate;
    instance->m_type = spec.type;
    instance->m_gain = std::pow(10.0, patch.gain_db / 20.0);
    instance->m_bend_range = patch.bend_range;
    instance->m_glide_seconds = patch.glide_seconds;
    instance->m_mode = patch.mode;
    instance->m_priority = patch.priority;
    instance->m_quality = static_cast<int>(patch.quality);
    instance->m_bus.assign(static_cast<std::size_t>(spec.channels) * voices::k_block_frames, 0.0f);
    if (!patch.effects.empty()) {
        auto effects = EffectChain::create(patch.effects, spec.sample_rate, spec.channels);
        if (!effects) return effects.status();
        if (effects.value()->size() > 0) instance->m_effects = std::move(effects).value();
    }
    if (spec.type == nullptr) return instance;

    const voices::VoiceType& type = *spec.type;
    if (patch.voices < 1 || patch.voices > 512)
        return Status(Code::out_of_range,
                      "patch '" + patch.name + "' asks for " + std::to_string(patch.voices) + " voices",
                      "it was not loaded", "set voices to 1..512");
    std::vector<float> values(static_cast<std::size_t>(type.parameter_count));
    for (int i = 0; i < type.parameter_count; ++i)
        values[static_cast<std::size_t>(i)] = type.parameters[i].fallback;
    for (const auto& [id, value] : patch.parameters) {
        const int index = find_parameter(type, id);
        if (index < 0)
            return Status(Code::not_found, "voice type '" + std::string(type.id) + "' has no parameter '" + id + "'",
                          "patch '" + patch.name + "' was not loaded", "see: tutti patches describe");
        const Parameter& parameter = type.parameters[index];
        // The table holds floats: 0.0005 and 0.0005f are the same bound.
        const auto single = static_cast<float>(value);
        if (!(single >= parameter.minimum && single <= parameter.maximum))
            return Status(Code::out_of_range,
                          "parameter '" + id + "' is " + std::to_string(value) + ", outside " +
                              std::to_string(parameter.minimum) + ".." + std::to_string(parameter.maximum),
                          "patch '" + patch.name + "' was not loaded", "set it inside its range");
        values[static_cast<std::size_t>(index)] = single;
    }
    if (patch.routes.size() > voices::k_max_routes)
        return Status(Code::out_of_range,
                      "patch '" + patch.name + "' has " + std::to_string(patch.routes.size()) + " routes",
                      "it was not loaded", "use at most 16");
    for (const PatchRoute& from : patch.routes) {
        voices::Route route;
        int source = -1, via = voices::source_none;
        for (int s = 0; s < voices::source_count; ++s)
            if (from.source == k_sources[s]) source = s;
        if (source >= 0 && !from.via.empty()) {
            via = -1;
            for (int s = 0; s < voices::source_count; ++s)
                if (from.via == k_sources[s]) via = s;
        }
        if (source < 0 || via < 0)
            return Status(Code::not_found,
                          "there is no modulation source '" + (source < 0 ? from.source : from.via) + "'",
                          "patch '" + patch.name + "' was not loaded", "see: tutti patches describe");
        const int target = find_parameter(type, from.target);
        if (target < 0 || !type.parameters[target].modulatable)
            return Status(Code::not_found,
                          "'" + from.target + "' is no modulation target of '" + std::string(type.id) + "'",
                          "patch '" + patch.name + "' was not loaded", "see: tutti patches describe");
        route.source = static_cast<voices::Source>(source);
        route.target = static_cast<std::uint8_t>(target);
        route.depth = static_cast<float>(from.depth);
        route.via = static_cast<voices::Source>(via);
        instance->m_routes.push_back(route);
    }
    for (const PatchController& from : patch.controllers) {
        ControllerTarget to;
        const bool macro = from.target.size() == 6 && from.target.compare(0, 5, "macro") == 0 &&
                           from.target[5] >= '1' && from.target[5] <= '8';
        const int target = macro ? from.target[5] - '1' : find_parameter(type, from.target);
        if (target < 0 || from.number < 0 || from.number > 119)
            return Status(Code::not_found,
                          "controller " + std::to_string(from.number) + " moves '" + from.target + "', which '" +
                              std::string(type.id) + "' has not",
                          "patch '" + patch.name + "' was not loaded", "see: tutti patches describe");
        to.target = static_cast<std::uint32_t>(target);
        if (macro) {
            to.target += k_macro_target;
            to.from = static_cast<float>(from.from.value_or(0.0));
            to.to = static_cast<float>(from.to.value_or(1.0));
        } else {
            const Parameter& row = type.parameters[target];
            to.from = normalised_value(row, from.from ? static_cast<float>(*from.from) : row.minimum);
            to.to = normalised_value(row, from.to ? static_cast<float>(*from.to) : row.maximum);
        }
        instance->m_controllers[static_cast<std::size_t>(from.number)] = to;
    }
    int copies = 1;
    if (type.unison_parameter >= 0)
        copies = std::clamp(static_cast<int>(std::lround(values[static_cast<std::size_t>(type.unison_parameter)])), 1,
                            type.max_unison);
    instance->m_table.prepare(type, values.data(), spec.sample_rate);
    instance->m_voices.prepare(type, patch, spec.sample_rate, spec.seed, spec.part, copies);
    instance->m_locks = find_locks(type);
    instance->refresh_shape();
    return instance;
}

void Instance::attach(TimerWheel& wheel, VoiceCounts& counts) noexcept {
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
    bank.edits = edits.edits();
    bank.channels = m_channels;
    for (int c = 0; c < m_channels; ++c)
        bank.bus[c] = bus(c);
    return true;
}

void Instance::render_effects(std::int64_t frame, int frames) noexcept {
    if (!m_effects) return;
    // Nothing in and nothing left inside: the chain looks, and the bus stays as it is.
    const bool rests = m_bus_silent && m_effects->asleep();
    float* io[k_max_channels];
    for (int c = 0; c < m_channels; ++c)
        io[c] = bus(c) + frame % voices::k_block_frames;
    m_effects->render(io, frames, frame);
    m_bus_silent = rests;
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
