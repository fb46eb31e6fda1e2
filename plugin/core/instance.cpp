// SPDX-License-Identifier: MIT
// The life of an instance: the stream, the offline bounce, what tick() does.
#include "plugin/core/instance.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "plugin/core/shared_engine.h"

namespace tutti::plugin {

Instance::Instance() : m_values(static_cast<std::size_t>(ParameterList::get().size())), m_reached(m_values.size()) {
    const auto& all = ParameterList::get().all();
    static_assert(k_words * 64 >= 1024, "room for the tables to grow");
    for (const ParameterInfo& info : all)
        m_rows.push_back(
            {info.row, info.kind, static_cast<std::int16_t>(info.table), static_cast<std::int16_t>(info.index)});
    for (auto& slot : m_controllers)
        slot.store(-1, std::memory_order_relaxed);
    for (auto& place : m_effect_places)
        place.store(-1, std::memory_order_relaxed);
    m_last_controller.fill(-1);
    for (auto& rpn : m_rpn)
        rpn = {127, 127};
    adopt(m_document, false);
    m_clean = sounding_patch(m_document).to_json();
}

Instance::~Instance() {
    release();
}

Status Instance::prepare(double sample_rate, int max_frames) {
    release();
    const std::lock_guard lock(m_mutex);
    Result<std::shared_ptr<Engine>> engine = shared_engine();
    if (!engine) return engine.status();
    StreamConfig config;
    config.sample_rate = sample_rate;
    config.mode = m_document.settings.mode;
    config.look_ahead_blocks = m_document.settings.look_ahead_blocks;
    config.soft_start = m_soft_start;
    config.max_frames = std::clamp(max_frames, 16, 65536);
    Result<std::shared_ptr<Stream>> stream = engine.value()->open(config);
    if (!stream) return stream.status();
    Result<Sender> audio = stream.value()->make_sender();
    if (!audio) return audio.status();
    Result<Sender> keyboard = stream.value()->make_sender();
    if (!keyboard) return keyboard.status();
    m_engine = std::move(engine).value();
    m_stream = std::move(stream).value();
    m_sender = std::move(audio).value();
    m_keyboard = std::move(keyboard).value();
    m_max_frames = config.max_frames;
    m_scratch.assign(2 * static_cast<std::size_t>(m_max_frames), 0.0f);
    m_rate = sample_rate;
    m_frame = 0;
    m_ramp_count = 0;
    m_transport_known = false;
    m_transport = {};
    if (m_offline.load(std::memory_order_relaxed)) m_stream->set_bounce(true);
    for (auto& word : m_to_engine)
        word.store(0, std::memory_order_relaxed); // the patch brings every value
    Status status = apply();
    if (!status) {
        m_sender = {};
        m_keyboard = {};
        m_stream.reset();
        return status;
    }
    apply_tuning();
    for (const TuningMessage& message : m_tuned)
        tune(message, k_asap);
    apply_mpe();
    m_latency = m_stream->latency_frames();
    return {};
}

void Instance::release() {
    const std::lock_guard lock(m_mutex);
    m_sender = {};
    m_keyboard = {};
    m_stream.reset();
    m_engine.reset();
    for (auto& half : m_keys)
        half.store(0, std::memory_order_relaxed);
}

void Instance::set_offline(bool on) noexcept {
    m_offline.store(on, std::memory_order_relaxed);
    const std::lock_guard lock(m_mutex);
    if (m_stream != nullptr) m_stream->set_bounce(on);
}

double Instance::release_seconds() const noexcept {
    const int voice = m_voice.load(std::memory_order_relaxed);
    double release = 0.0, decay = 0.0;
    for (std::size_t i = 0; i < m_rows.size(); ++i) {
        const Row& row = m_rows[i];
        if (row.kind != ParameterKind::voice || row.table != voice || row.row->unit != Unit::seconds) continue;
        const auto seconds = static_cast<double>(m_values[i].load(std::memory_order_relaxed));
        const std::string_view id = row.row->id;
        if (id.find("release") != std::string_view::npos) release = std::max(release, seconds);
        if (id.find("decay") != std::string_view::npos) decay += seconds;
    }
    return release > 0.0 ? release : decay;
}

std::int64_t Instance::tail_frames() const noexcept {
    const std::lock_guard lock(m_mutex);
    if (m_stream == nullptr) return 0;
    return static_cast<std::int64_t>(std::ceil(release_seconds() * m_rate)) + m_stream->tail_frames();
}

void Instance::play_key(int key, double velocity) {
    if (key < 0 || key > 127) return;
    const std::lock_guard lock(m_mutex);
    auto& half = m_keys[key >= 64 ? 1 : 0];
    const std::uint64_t bit = std::uint64_t{1} << (key & 63);
    if (velocity > 0.0) {
        half.fetch_or(bit, std::memory_order_relaxed);
        m_keyboard.post(Event::note_on(k_asap, 0, key, velocity));
    } else {
        half.fetch_and(~bit, std::memory_order_relaxed);
        m_keyboard.post(Event::note_off(k_asap, 0, key));
    }
}

void Instance::process_offline(float* const* out, int channels, int frames, std::span<const BlockEvent> events,
                               const HostTransport* transport) {
    {
        const std::lock_guard lock(m_mutex);
        take_tunings(true);
    }
    for (const BlockEvent& event : events) {
        if (event.kind != BlockEvent::Kind::midi || (event.status & 0xf0) != 0xc0) continue;
        const std::lock_guard lock(m_mutex);
        const auto names = Patch::factory_names();
        if (!m_document.settings.program_change || event.data1 >= names.size() || m_stream == nullptr) continue;
        const std::string_view name = names[event.data1];
        const Result<Patch> patch = Patch::factory(name);
        if (!patch) continue;
        Document next = current();
        take_patch(next, *patch);
        next.preset = name;
        adopt(next, true);
        m_clean = sounding_patch(m_document).to_json();
        // What cannot be set now is tried again by tick(), as in real time.
        m_patch_late = !apply(m_frame + std::clamp(event.offset, 0, std::max(0, frames - 1)));
    }
    process(out, channels, frames, events, transport);
}

void Instance::set_listener(InstanceListener* listener) noexcept {
    const std::lock_guard lock(m_mutex);
    m_listener = listener;
}

void Instance::tick() {
    InstanceListener* listener = nullptr;
    bool restart = false, everything = false;
    {
        const std::lock_guard lock(m_mutex);
        listener = m_listener;
        take_tunings(false);
        if (m_patch_late && m_stream != nullptr) m_patch_late = !apply();
        if (m_stream != nullptr)
            restart = m_stream->latency_frames() != m_latency || m_stream->config().mode != m_document.settings.mode ||
                      (m_document.settings.mode == Mode::ahead &&
                       m_stream->config().look_ahead_blocks != m_document.settings.look_ahead_blocks);
        const int program = m_program.exchange(-1, std::memory_order_relaxed);
        const auto names = Patch::factory_names();
        if (program >= 0 && m_document.settings.program_change && static_cast<std::size_t>(program) < names.size()) {
            if (const Result<Patch> patch = Patch::factory(names[static_cast<std::size_t>(program)])) {
                Document next = current();
                take_patch(next, *patch);
                next.preset = names[static_cast<std::size_t>(program)];
                everything = change("Program change", next).ok();
                m_clean = sounding_patch(m_document).to_json();
            }
        }
        if (m_controllers_changed.exchange(false, std::memory_order_relaxed)) everything = true;
    }
    if (listener == nullptr) return;
    if (everything) listener->everything_changed();
    for (std::size_t word = 0; word < k_words; ++word)
        for (std::uint64_t bits = m_to_host[word].exchange(0, std::memory_order_acquire); bits != 0; bits &= bits - 1)
            listener->value_changed(static_cast<int>(word * 64) + std::countr_zero(bits));
    if (restart) listener->restart_wanted();
}

StreamStats Instance::stats() const noexcept {
    const std::lock_guard lock(m_mutex);
    return m_stream != nullptr ? m_stream->stats() : StreamStats();
}
EngineStats Instance::engine_stats() const noexcept {
    const std::lock_guard lock(m_mutex);
    return m_engine != nullptr ? m_engine->stats() : EngineStats();
}
std::shared_ptr<Engine> Instance::engine() const {
    const std::lock_guard lock(m_mutex);
    return m_engine;
}
std::shared_ptr<Stream> Instance::stream() const {
    const std::lock_guard lock(m_mutex);
    return m_stream;
}

} // namespace tutti::plugin
