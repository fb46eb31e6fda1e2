// SPDX-License-Identifier: MIT
// A MIDI 1.0 byte stream, as a live port delivers it, into whole messages (MIDI 1.0 Detailed Specification, 4.2, appendix 2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <tutti/platform.h>

namespace tutti {

// One whole message with its status byte; system exclusive from f0 to f7. Valid until the parser's next byte.
struct MidiMessage {
    const std::uint8_t* data = nullptr;
    std::size_t size = 0;
};

// Understands running status and real-time bytes inside any message. System exclusive is collected in the caller's buffer;
// one that does not fit is swallowed to its end and counted, so no sender can make it grow or block. Bytes without meaning
// are counted and dropped: the next status byte sets things right.
class MidiParser {
public:
    // The buffer bounds system exclusive, f0 and f7 included, and must outlive the parser; empty: all of it is dropped.
    explicit MidiParser(std::span<std::uint8_t> sysex = {}) noexcept : m_sysex(sysex) {}

    // Takes one byte; true when it completes a message. [any], by one thread
    bool push(std::uint8_t byte, MidiMessage& message) noexcept TUTTI_NONBLOCKING;
    // Forgets a message begun and the running status, as after a broken connection; counters stay. [any]
    void reset() noexcept TUTTI_NONBLOCKING;

    // Since the parser was made. [any]
    std::uint64_t dropped_bytes() const noexcept TUTTI_NONBLOCKING { return m_dropped_bytes; }
    std::uint64_t dropped_sysex() const noexcept TUTTI_NONBLOCKING { return m_dropped_sysex; }

private:
    enum class Sysex : std::uint8_t { none, kept, too_long };

    bool push_status(std::uint8_t byte, MidiMessage& message) noexcept TUTTI_NONBLOCKING;
    void keep(std::uint8_t byte) noexcept TUTTI_NONBLOCKING;
    void abandon() noexcept TUTTI_NONBLOCKING;

    std::span<std::uint8_t> m_sysex;
    std::size_t m_sysex_size = 0;
    Sysex m_state = Sysex::none;
    std::uint8_t m_realtime = 0;    // its own place: a message begun goes on after it
    std::uint8_t m_message[3] = {}; // status first; stays for running status
    std::size_t m_size = 0;         // bytes of m_message that are there
    std::uint64_t m_dropped_bytes = 0;
    std::uint64_t m_dropped_sysex = 0;
};

} // namespace tutti
