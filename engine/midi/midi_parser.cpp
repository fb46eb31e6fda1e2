// SPDX-License-Identifier: MIT
#include "engine/midi/midi_parser.h"

namespace tutti {

namespace {

// Bytes of a message with this status, 0 for what is undefined (f4, f5).
std::size_t length_of(std::uint8_t status) noexcept TUTTI_NONBLOCKING {
    if (status < 0xf0) return (status & 0xe0) == 0xc0 ? 2 : 3;
    if (status == 0xf1 || status == 0xf3) return 2;
    if (status == 0xf2) return 3;
    return status == 0xf6 ? 1 : 0;
}

} // namespace

bool MidiParser::push(std::uint8_t byte, MidiMessage& message) noexcept TUTTI_NONBLOCKING {
    if (byte >= 0xf8) {
        if (byte == 0xf9 || byte == 0xfd) { // undefined
            ++m_dropped_bytes;
            return false;
        }
        m_realtime = byte;
        message = {&m_realtime, 1};
        return true;
    }
    if (byte >= 0x80) return push_status(byte, message);
    if (m_state != Sysex::none) {
        keep(byte);
        return false;
    }
    if (m_size == 0) {
        ++m_dropped_bytes;
        return false;
    }
    const std::size_t length = length_of(m_message[0]);
    m_message[m_size++] = byte;
    if (m_size < length) return false;
    message = {m_message, length};
    m_size = m_message[0] < 0xf0 ? 1 : 0; // only channel messages have running status
    return true;
}

bool MidiParser::push_status(std::uint8_t byte, MidiMessage& message) noexcept TUTTI_NONBLOCKING {
    if (byte == 0xf7) {
        if (m_state == Sysex::kept) keep(byte);
        const Sysex state = m_state;
        m_state = Sysex::none;
        m_size = 0;
        if (state == Sysex::kept) {
            message = {m_sysex.data(), m_sysex_size};
            return true;
        }
        if (state == Sysex::too_long)
            ++m_dropped_sysex;
        else
            ++m_dropped_bytes; // an end without a beginning
        return false;
    }
    abandon();
    if (byte == 0xf0) {
        m_state = Sysex::kept;
        m_sysex_size = 0;
        keep(byte);
        return false;
    }
    const std::size_t length = length_of(byte);
    if (length == 0) {
        ++m_dropped_bytes;
        return false;
    }
    m_message[0] = byte;
    m_size = 1;
    if (length > 1) return false;
    message = {m_message, 1};
    m_size = 0;
    return true;
}

void MidiParser::keep(std::uint8_t byte) noexcept TUTTI_NONBLOCKING {
    if (m_state != Sysex::kept) return;
    if (m_sysex_size == m_sysex.size())
        m_state = Sysex::too_long;
    else
        m_sysex[m_sysex_size++] = byte;
}

// A status byte cuts a message short: what came of it has no meaning.
void MidiParser::abandon() noexcept TUTTI_NONBLOCKING {
    if (m_state != Sysex::none) ++m_dropped_sysex;
    if (m_size > 1) m_dropped_bytes += m_size - 1;
    m_state = Sysex::none;
    m_size = 0;
}

void MidiParser::reset() noexcept TUTTI_NONBLOCKING {
    m_state = Sysex::none;
    m_size = 0;
}

} // namespace tutti
