// SPDX-License-Identifier: MIT
// What is played on the live synth: MIDI ports and the typing keyboard, as events of one sender.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include <tutti/engine.h>

#include "io/midi_clock.h"

namespace tutti::cli {

inline constexpr int k_live_parts = 16; // MIDI's channels

// Notes from MIDI ports and from the typing keyboard. Ports have threads of their own: a mutex makes them one sender.
class Player {
public:
    Player(std::shared_ptr<Stream> stream, Sender sender) : m_stream(std::move(stream)), m_sender(std::move(sender)) {
        for (auto& each : m_program)
            each = -1;
    }

    void message(std::span<const std::uint8_t> bytes, std::chrono::steady_clock::time_point time) {
        const std::lock_guard lock(m_mutex);
        const double seconds = std::chrono::duration<double>(time.time_since_epoch()).count();
        if (m_clock.receive(bytes, seconds)) follow_clock();
        if (!bytes.empty() && bytes[0] == 0xf0 && m_tunings.size() < k_most_tunings)
            if (auto message = TuningMessage::parse(bytes); message.ok()) // needs memory: the main loop does it
                m_tunings.push_back(std::move(message).value());
        if (bytes.empty() || bytes[0] < 0x80 || bytes[0] >= 0xf0) return;
        const int part = bytes[0] & 0x0f, status = bytes[0] & 0xf0;
        const int first = bytes.size() > 1 ? bytes[1] : 0, second = bytes.size() > 2 ? bytes[2] : 0;
        if (status == 0xc0) // needs memory: the main loop does it
            m_program[static_cast<std::size_t>(part)] = first;
        else
            m_sender.post(Event::midi(m_stream->now(), part, bytes[0], first, second));
    }

    void note(int key, bool on) {
        const std::lock_guard lock(m_mutex);
        const std::int64_t now = m_stream->now();
        m_sender.post(on ? Event::note_on(now, 0, key, 0.8) : Event::note_off(now, 0, key));
    }

    void panic() {
        const std::lock_guard lock(m_mutex);
        Event off;
        off.type = EventType::all_sound_off;
        off.part = k_every_part;
        m_sender.post(off);
    }

    // Tuning messages since the last call.
    std::vector<TuningMessage> take_tunings() {
        const std::lock_guard lock(m_mutex);
        return std::exchange(m_tunings, {});
    }
    // The program that a part was asked for since the last call, or -1.
    int take_program(int part) { return m_program[static_cast<std::size_t>(part)].exchange(-1); }

private:
    void follow_clock() {
        const double tempo = m_clock.beats_per_minute();
        if (tempo > 0.0 && std::fabs(tempo - m_tempo) > 0.001 * m_tempo) {
            m_tempo = tempo;
            m_sender.post(Event::set_tempo(m_stream->now(), tempo));
        }
        if (m_clock.running() != m_playing) {
            m_playing = m_clock.running();
            Event transport;
            transport.frame = m_stream->now();
            transport.type = EventType::transport;
            transport.part = k_every_part;
            transport.index = m_playing ? 1 : 0;
            m_sender.post(transport);
        }
    }

    std::shared_ptr<Stream> m_stream;
    std::mutex m_mutex;
    Sender m_sender;
    io::MidiClock m_clock;
    double m_tempo = 120.0;
    bool m_playing = false;
    static constexpr std::size_t k_most_tunings = 256; // that wait for the main loop

    std::array<std::atomic<int>, k_live_parts> m_program;
    std::vector<TuningMessage> m_tunings;
};

} // namespace tutti::cli
