// SPDX-License-Identifier: MIT
// The audio thread's part of an instance: what came becomes events of the stream on their frames, then the stream is pulled.
#include <algorithm>
#include <bit>
#include <cmath>

#include "plugin/core/instance.h"

namespace tutti::plugin {
namespace {

constexpr double k_ramp_seconds = 0.01;
constexpr int k_tick_frames = 16; // the engine's control rate

// 64 frames of a host's clock at 192 kHz and 20 bpm are 1e-4 quarter notes: what is further off is a jump.
constexpr double k_jump_quarters = 1e-3;

} // namespace

void Instance::mark(std::array<std::atomic<std::uint64_t>, k_words>& bits, int parameter) noexcept {
    const auto place = static_cast<std::size_t>(parameter);
    // The value is published with the bit.
    bits[place / 64].fetch_or(std::uint64_t{1} << (place % 64), std::memory_order_release);
}

void Instance::set_value(int parameter, float value) noexcept TUTTI_NONBLOCKING {
    if (parameter < 0 || parameter >= static_cast<int>(m_values.size()) || !std::isfinite(value)) return;
    const float clamped = clamp_value(*m_rows[static_cast<std::size_t>(parameter)].row, value);
    std::atomic<float>& held = m_values[static_cast<std::size_t>(parameter)];
    if (held.load(std::memory_order_relaxed) == clamped) return; // hosts repeat themselves
    held.store(clamped, std::memory_order_relaxed);
    mark(m_to_engine, parameter);
}

void Instance::drop_ramp(int parameter) noexcept {
    for (std::size_t i = 0; i < m_ramp_count; ++i)
        if (m_ramps[i].parameter == parameter) {
            m_ramps[i] = m_ramps[--m_ramp_count];
            return;
        }
}

void Instance::take_host_value(int parameter, float value) noexcept {
    const Row& row = m_rows[static_cast<std::size_t>(parameter)];
    const float from = m_reached[static_cast<std::size_t>(parameter)].load(std::memory_order_relaxed);
    drop_ramp(parameter);
    const bool smooth = row.kind == ParameterKind::voice && row.row->smoothing_seconds > 0.0f &&
                        row.table == m_voice.load(std::memory_order_relaxed);
    if (!smooth || m_ramp_count == k_ramps) {
        post_value(parameter, value, m_frame);
        return;
    }
    m_ramps[m_ramp_count++] = {parameter, kernel_value(*row.row, from), kernel_value(*row.row, value), m_frame, 0};
}

void Instance::post_ramps(int frames) noexcept {
    const int steps = std::max(1, static_cast<int>(m_rate * k_ramp_seconds) / k_tick_frames);
    for (std::size_t i = 0; i < m_ramp_count;) {
        Ramp& ramp = m_ramps[i];
        const Parameter& row = *m_rows[static_cast<std::size_t>(ramp.parameter)].row;
        while (ramp.done < steps && ramp.start + std::int64_t{k_tick_frames} * ramp.done < m_frame + frames) {
            const std::int64_t frame = ramp.start + std::int64_t{k_tick_frames} * ramp.done;
            const float part = static_cast<float>(++ramp.done) / static_cast<float>(steps);
            post_value(ramp.parameter, value_from_kernel(row, ramp.from + part * (ramp.to - ramp.from)), frame);
        }
        if (ramp.done < steps)
            ++i;
        else
            ramp = m_ramps[--m_ramp_count];
    }
}

void Instance::post_value(int parameter, float value, std::int64_t frame) noexcept {
    m_reached[static_cast<std::size_t>(parameter)].store(value, std::memory_order_relaxed);
    const Row& row = m_rows[static_cast<std::size_t>(parameter)];
    switch (row.kind) {
    case ParameterKind::macro:
        m_sender.post(Event::set_macro(frame, 0, row.index, static_cast<double>(value)));
        break;
    case ParameterKind::voice:
        if (row.table == m_voice.load(std::memory_order_relaxed))
            m_sender.post(Event::set_parameter(frame, 0, row.index, static_cast<double>(value)));
        break;
    case ParameterKind::effect:
        if (const int place = m_effect_places[static_cast<std::size_t>(row.table)].load(std::memory_order_relaxed);
            place >= 0)
            m_sender.post(Event::set_effect(frame, 0, place, row.index, static_cast<double>(value)));
        break;
    }
}

bool Instance::controller(int number, int value, std::int64_t frame) noexcept {
    const auto slot = static_cast<std::size_t>(number & 127);
    if (const int wanted = m_learning.load(std::memory_order_relaxed); wanted >= 0 && number < 120) {
        for (auto& other : m_controllers) // a parameter has one controller
            if (other.load(std::memory_order_relaxed) == wanted) other.store(-1, std::memory_order_relaxed);
        m_controllers[slot].store(static_cast<std::int16_t>(wanted), std::memory_order_relaxed);
        m_learning.store(-1, std::memory_order_relaxed);
        m_controllers_changed.store(true, std::memory_order_relaxed);
        m_last_controller[slot] = -1;
    }
    const int parameter = m_controllers[slot].load(std::memory_order_relaxed);
    if (parameter < 0) return false;
    const Parameter& row = *m_rows[static_cast<std::size_t>(parameter)].row;
    const float place = static_cast<float>(value) / 127.0f;
    if (m_pickup.load(std::memory_order_relaxed)) {
        const float held =
            normalised_value(row, m_values[static_cast<std::size_t>(parameter)].load(std::memory_order_relaxed));
        const int before = m_last_controller[slot];
        m_last_controller[slot] = static_cast<std::int16_t>(value);
        const bool near = std::fabs(place - held) <= 1.5f / 127.0f;
        const bool passed = before >= 0 && (static_cast<float>(before) / 127.0f - held) * (place - held) <= 0.0f;
        if (!near && !passed) return true;
    }
    const float to = value_from_normalised(row, place);
    m_values[static_cast<std::size_t>(parameter)].store(to, std::memory_order_relaxed);
    drop_ramp(parameter);
    post_value(parameter, to, frame);
    mark(m_to_host, parameter);
    return true;
}

// The stream's parts are a keyboard of one zone, the lower; an upper one is the same seen from the other end. Without MPE every
// channel plays the one patch.
int Instance::part_of(int channel) const noexcept {
    const MpeZone zone = m_zone.load(std::memory_order_relaxed);
    return zone == MpeZone::off ? 0 : zone == MpeZone::lower ? channel & 15 : 15 - (channel & 15);
}

// MPE's configuration message switches a zone by itself: RPN 6 on channel 1 or 16, how many members. The last one counts.
void Instance::zone_message(int channel, int number, int value, std::int64_t frame) noexcept {
    auto& rpn = m_rpn[static_cast<std::size_t>(channel & 15)];
    if (number == 101) rpn[0] = static_cast<std::uint8_t>(value);
    if (number == 100) rpn[1] = static_cast<std::uint8_t>(value);
    if (number == 98 || number == 99) rpn = {127, 127};
    if ((channel != 0 && channel != 15) || number != 6 || rpn[0] != 0 || rpn[1] != 6) return;
    const MpeZone own = channel == 0 ? MpeZone::lower : MpeZone::upper;
    const MpeZone before = m_zone.load(std::memory_order_relaxed);
    if (value == 0 && before != own) return; // the other zone's master gives up what it has not
    const MpeZone now = value > 0 ? own : MpeZone::off;
    if (now == before) return;
    // Its channels are other parts from here on: no note waits for an end that goes elsewhere.
    m_sender.post(Event::all_notes_off(frame));
    m_zone.store(now, std::memory_order_relaxed);
    // The master's part has not heard which number it was, if it was another's.
    m_sender.post(Event::midi(frame, 0, 0xb0, 101, 0));
    m_sender.post(Event::midi(frame, 0, 0xb0, 100, 6));
}

void Instance::take_sysex(std::span<const std::uint8_t> message, int offset) noexcept TUTTI_NONBLOCKING {
    // Who writes is alone; the reader has done with what it counted.
    const std::uint32_t at = m_sysex_written.load(std::memory_order_relaxed);
    if (message.size() > k_sysex_bytes || at - m_sysex_read.load(std::memory_order_acquire) >= k_sysex_slots) return;
    Sysex& slot = m_sysex[at % k_sysex_slots];
    std::copy(message.begin(), message.end(), slot.bytes.begin());
    slot.size = message.size();
    slot.frame = m_frame + std::max(0, offset);
    m_sysex_written.store(at + 1, std::memory_order_release); // the message before its count
}

void Instance::post_midi(int status, int data1, int data2, std::int64_t frame) noexcept {
    const int channel = status & 15;
    const int kind = status & 0xf0;
    if (kind < 0x80 || kind == 0xf0) return;
    if (kind == 0xc0) {
        if (!m_offline.load(std::memory_order_relaxed)) m_program.store(data1, std::memory_order_relaxed);
        return;
    }
    if (kind == 0xb0) {
        zone_message(channel, data1, data2, frame);
        controller(data1, data2, frame); // keeps its own meaning besides
    }
    const bool note_on = kind == 0x90 && data2 > 0;
    if (kind == 0x80 || kind == 0x90) {
        auto& half = m_keys[data1 >= 64 ? 1 : 0];
        const std::uint64_t bit = std::uint64_t{1} << (data1 & 63);
        if (note_on)
            half.fetch_or(bit, std::memory_order_relaxed);
        else
            half.fetch_and(~bit, std::memory_order_relaxed);
    }
    m_sender.post(Event::midi(frame, part_of(channel), status, data1, data2));
}

void Instance::post(const BlockEvent& event, std::int64_t frame) noexcept {
    const int part = part_of(event.channel);
    using Kind = BlockEvent::Kind;
    const bool any_key = event.key < 0 || event.key > 127;
    const auto show = [&](bool down) {
        auto& half = m_keys[event.key >= 64 ? 1 : 0];
        const std::uint64_t bit = std::uint64_t{1} << (event.key & 63);
        if (down)
            half.fetch_or(bit, std::memory_order_relaxed);
        else
            half.fetch_and(~bit, std::memory_order_relaxed);
    };
    switch (event.kind) {
    case Kind::midi:
        post_midi(event.status, event.data1, event.data2, frame);
        break;
    case Kind::note_on:
        if (any_key) break;
        show(true);
        m_sender.post(Event::note_on(frame, part, event.key, event.value, event.note_id));
        break;
    case Kind::note_off:
    case Kind::choke: {
        Event stop = Event::note_off(frame, part, any_key ? 0 : event.key, event.value, event.note_id);
        if (event.kind == Kind::choke) stop.type = EventType::note_choke;
        if (!any_key) {
            show(false);
            m_sender.post(stop);
        } else if (event.note_id < 0) {
            for (auto& half : m_keys)
                half.store(0, std::memory_order_relaxed);
            m_sender.post(event.kind == Kind::choke ? Event::all_sound_off(frame, part)
                                                    : Event::all_notes_off(frame, part));
        } else {
            for (int key = 0; key < 128; ++key) { // whichever key it has
                stop.key = static_cast<std::uint8_t>(key);
                m_sender.post(stop);
            }
        }
        break;
    }
    case Kind::express: {
        Event express;
        express.frame = frame;
        express.type = EventType::note_expression;
        express.part = static_cast<std::uint16_t>(part);
        express.note_id = event.note_id;
        express.index = static_cast<std::uint8_t>(event.expression);
        express.value = event.value;
        for (int key = any_key ? 0 : event.key; key <= (any_key ? 127 : event.key); ++key) {
            express.key = static_cast<std::uint8_t>(key);
            m_sender.post(express);
        }
        break;
    }
    case Kind::parameter:
        if (event.parameter >= 0 && event.parameter < static_cast<int>(m_values.size()) && std::isfinite(event.value)) {
            const auto place = static_cast<std::size_t>(event.parameter);
            const float value = clamp_value(*m_rows[place].row, static_cast<float>(event.value));
            m_values[place].store(value, std::memory_order_relaxed);
            drop_ramp(event.parameter);
            post_value(event.parameter, value, frame);
        }
        break;
    }
}

void Instance::post_transport(const HostTransport& transport, int frames) noexcept {
    const double tempo = transport.beats_per_minute;
    const bool has_tempo = std::isfinite(tempo) && tempo >= 1.0 && tempo <= 2000.0;
    if (has_tempo && (!m_transport_known || tempo != m_transport.beats_per_minute))
        m_sender.post(Event::set_tempo(m_frame, tempo));
    if (!m_transport_known || transport.playing != m_transport.playing)
        m_sender.post(Event::play(m_frame, transport.playing));
    const double at = transport.quarter_notes;
    if (transport.has_position && std::isfinite(at) && std::fabs(at) < 1e9) {
        if (!m_transport_known || !m_transport.has_position || std::fabs(at - m_expected_quarters) > k_jump_quarters)
            m_sender.post(Event::set_position(m_frame, at));
        const double run = has_tempo && transport.playing ? frames / m_rate * tempo / 60.0 : 0.0;
        m_expected_quarters = at + run;
    }
    const double length = transport.loop_end - transport.loop_begin;
    const bool loops = transport.looping && std::isfinite(transport.loop_begin) && length > 0.0 && length < 1e6;
    const double before = m_transport.looping ? m_transport.loop_end - m_transport.loop_begin : 0.0;
    if (loops && (!m_transport_known || length != before || transport.loop_begin != m_transport.loop_begin))
        m_sender.post(Event::set_loop(m_frame, transport.loop_begin, length));
    if (!loops && m_transport_known && m_transport.looping) m_sender.post(Event::set_loop(m_frame, 0.0, 0.0));
    m_transport = transport;
    m_transport.looping = loops;
    if (!has_tempo) m_transport.beats_per_minute = 0.0;
    m_transport_known = true;
}

void Instance::process(float* const* out, int channels, int frames, std::span<const BlockEvent> events,
                       const HostTransport* transport) noexcept TUTTI_NONBLOCKING {
    if (m_stream == nullptr || frames < 0 || channels < 0) {
        for (int c = 0; c < channels; ++c)
            std::fill_n(out[c], std::max(0, frames), 0.0f);
        return;
    }
    if (m_panic.exchange(false, std::memory_order_relaxed)) {
        for (auto& half : m_keys)
            half.store(0, std::memory_order_relaxed);
        m_sender.post(Event::all_notes_off(m_frame));
        m_sender.post(Event::all_sound_off(m_frame));
    }
    if (transport != nullptr) post_transport(*transport, frames);
    for (std::size_t word = 0; word < k_words; ++word) {
        if (m_to_engine[word].load(std::memory_order_relaxed) == 0) continue;
        // The values were stored before their bits.
        for (std::uint64_t bits = m_to_engine[word].exchange(0, std::memory_order_acquire); bits != 0;
             bits &= bits - 1) {
            const auto place = word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
            take_host_value(static_cast<int>(place), m_values[place].load(std::memory_order_relaxed));
        }
    }
    post_ramps(frames);
    for (const BlockEvent& event : events)
        post(event, m_frame + std::clamp(event.offset, 0, std::max(0, frames - 1)));

    for (int done = 0; done < frames;) {
        const int count = std::min(frames - done, m_max_frames);
        float* const left = channels >= 2 ? out[0] + done : m_scratch.data();
        float* const right = channels >= 2 ? out[1] + done : m_scratch.data() + m_max_frames;
        float* const pair[2] = {left, right};
        m_stream->pull(pair, count);
        if (m_monitor.watched()) m_monitor.write(left, right, count);
        if (channels == 1)
            for (int i = 0; i < count; ++i)
                out[0][done + i] = 0.5f * (left[i] + right[i]);
        for (int c = 2; c < channels; ++c)
            std::fill_n(out[c] + done, count, 0.0f);
        m_frame += count;
        done += count;
    }
}

} // namespace tutti::plugin
