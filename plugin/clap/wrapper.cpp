// SPDX-License-Identifier: MIT
#include "plugin/clap/wrapper.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <string>

#include <clap/ext/latency.h>

#include "plugin/clap/extensions.h"

namespace tutti::clap {
namespace {

constexpr std::size_t k_block_events = 16384;
constexpr std::size_t k_largest_state = 16u << 20;

} // namespace

Wrapper::Wrapper(const clap_host_t* host) : m_host(host) {
    m_events.reserve(k_block_events);
    m_instance.set_listener(this);
}

bool Wrapper::activate(double sample_rate, std::uint32_t max_frames) {
    if (!m_instance.prepare(sample_rate, static_cast<int>(std::min(max_frames, 65536u)))) return false;
    m_stream = m_instance.stream();
    find_tail();
    m_notes.clear();
    m_quiet = 0;
    return true;
}

void Wrapper::deactivate() {
    m_stream.reset();
    m_instance.release();
}

void Wrapper::reset() noexcept {
    m_instance.panic();
    m_notes.clear();
}

void Wrapper::find_tail() {
    const std::int64_t tail = m_instance.tail_frames() + m_instance.latency_frames();
    m_tail.store(static_cast<std::uint32_t>(std::min(tail, std::int64_t{2147483647})), std::memory_order_relaxed);
}

void Wrapper::on_main_thread() {
    m_instance.tick();
    find_tail();
}

void Wrapper::value_changed(int parameter) {
    const auto place = static_cast<std::size_t>(parameter);
    m_to_tell[place / 64].fetch_or(std::uint64_t{1} << (place % 64), std::memory_order_relaxed);
    if (const auto* params = host_extension<clap_host_params_t>(CLAP_EXT_PARAMS)) params->request_flush(m_host);
}

void Wrapper::everything_changed() {
    if (const auto* params = host_extension<clap_host_params_t>(CLAP_EXT_PARAMS))
        params->rescan(m_host, CLAP_PARAM_RESCAN_VALUES);
}

void Wrapper::restart_wanted() {
    m_host->request_restart(m_host);
}

double Wrapper::value(int place) const noexcept {
    const plugin::ParameterList& list = plugin::ParameterList::get();
    if (place >= list.size()) return k_note_inputs[place - list.size()].rest;
    const plugin::ParameterInfo& info = list[place];
    const float held = m_instance.value(place);
    return static_cast<double>(info.stepped() ? held : normalised_value(*info.row, held));
}

bool Wrapper::save(const clap_ostream_t* stream) const {
    const std::string text = m_instance.save();
    for (std::size_t at = 0; at < text.size();) {
        const std::int64_t written = stream->write(stream, text.data() + at, text.size() - at);
        if (written <= 0) return false;
        at += static_cast<std::size_t>(written);
    }
    return true;
}

bool Wrapper::load(const clap_istream_t* stream) {
    std::string text;
    char piece[16384];
    for (;;) {
        const std::int64_t got = stream->read(stream, piece, sizeof piece);
        if (got < 0 || text.size() > k_largest_state) return false;
        if (got == 0) break;
        text.append(piece, static_cast<std::size_t>(got));
    }
    if (text.empty() || !m_instance.load(text)) return false;
    find_tail();
    return true;
}

bool Wrapper::load_preset(std::uint32_t kind, const char* location, const char* key) {
    const auto* host = host_extension<HostPresetLoad>(k_preset_load);
    if (host == nullptr) host = host_extension<HostPresetLoad>(k_preset_load_draft);
    Status status(Code::invalid_argument, "no preset was named", "the sound is as it was",
                  "name a file or a factory preset");
    if (kind == k_location_file && location != nullptr) {
        const Result<Patch> patch = Patch::load(location);
        status = patch ? m_instance.load_preset(*patch, patch->name) : patch.status();
    } else if (kind == k_location_plugin && key != nullptr) {
        const Result<Patch> patch = Patch::factory(key);
        status = patch ? m_instance.load_preset(*patch, key) : patch.status();
    }
    if (host != nullptr && status) host->loaded(m_host, kind, location, key);
    if (host != nullptr && !status) host->on_error(m_host, kind, location, key, 0, status.message().c_str());
    if (status) {
        find_tail();
        everything_changed();
    }
    return status.ok();
}

clap_process_status Wrapper::process(const clap_process_t* process) noexcept {
    if (m_stream == nullptr || process->audio_outputs_count == 0 || process->audio_outputs[0].data32 == nullptr)
        return CLAP_PROCESS_ERROR;
    clap_audio_buffer_t& buffer = process->audio_outputs[0];
    const int frames = static_cast<int>(process->frames_count), channels = static_cast<int>(buffer.channel_count);
    m_events.clear();
    for (std::uint32_t i = 0, count = process->in_events->size(process->in_events); i < count; ++i)
        take(process->in_events->get(process->in_events, i), process->out_events, frames - 1);
    plugin::HostTransport clock;
    if (process->transport != nullptr) clock = transport(*process->transport);
    m_instance.process(buffer.data32, channels, frames, m_events, process->transport != nullptr ? &clock : nullptr);
    tell_values(process->out_events);
    if (m_callback_wanted) {
        m_callback_wanted = false;
        m_host->request_callback(m_host);
    }

    // Exactly zero, as the bits are: then the channel is constant, and after the tail the plugin may sleep.
    bool silent = true;
    for (int c = 0; c < channels && silent; ++c)
        for (int i = 0; i < frames && silent; ++i)
            silent = std::bit_cast<std::uint32_t>(buffer.data32[c][i]) << 1 == 0;
    buffer.constant_mask = silent && channels < 64 ? (std::uint64_t{1} << channels) - 1 : 0;
    const bool voices = m_stream->stats().voices > 0;
    m_quiet = voices || !m_events.empty() ? 0 : m_quiet + std::min(process->frames_count, 0x7fffffffu - m_quiet);
    if (!voices && m_quiet > latency())
        for (Note& note : m_notes.notes()) {
            if (note.alive && !note.held)
                tell_end(process->out_events, note, process->frames_count == 0 ? 0 : process->frames_count - 1);
            if (!note.held) note.alive = false;
        }
    return silent && m_quiet > tail() ? CLAP_PROCESS_SLEEP : CLAP_PROCESS_CONTINUE;
}

} // namespace tutti::clap
