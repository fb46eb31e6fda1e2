// SPDX-License-Identifier: MIT
// The terminal while `tutti play` runs: single keys without echo, and back to what it was, whatever ends the program.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace tutti::cli {

// Raw input while it lives. Does nothing where standard input is no terminal.
class RawTerminal {
public:
    RawTerminal();
    ~RawTerminal();
    RawTerminal(const RawTerminal&) = delete;
    RawTerminal& operator=(const RawTerminal&) = delete;
    bool active() const noexcept { return m_active; }
    // Puts the terminal back at once; made for signal handlers.
    static void restore() noexcept;
    // The next byte typed, or -1 where there is none after `milliseconds`.
    int read_key(int milliseconds) noexcept;

private:
    bool m_active = false;
};

// A row of the computer keyboard as a piano: a w s e d f t g y h u j k o l p are C to D sharp of the next octave.
// A terminal tells presses and repeats, never releases: a note ends when its key has not repeated for a while.
class TypingKeyboard {
public:
    // Semitones above the octave's C, or -1 where the key is no note.
    static int note_of(int key) noexcept;

    struct Change {
        int key = -1; // MIDI key, -1: nothing
        bool on = false;
    };
    // A key was typed at `seconds`.
    Change press(int key, double seconds) noexcept;
    // The next note whose key has been let go, one a call.
    Change release_due(double seconds) noexcept;
    void octave(int steps) noexcept;
    int octave() const noexcept { return m_octave; }

private:
    std::array<double, 128> m_until{}; // when a sounding key ends, 0: silent
    int m_octave = 4;
};

// "########----|---" : peak and average level from -60 dBFS to 0, `width` characters wide.
std::string meter(double peak, double average, int width);

} // namespace tutti::cli
