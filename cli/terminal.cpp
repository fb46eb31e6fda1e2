// SPDX-License-Identifier: MIT
#include "cli/terminal.h"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdlib>

#if defined(_WIN32)
#include <conio.h>
#include <windows.h>
#else
#include <poll.h>
#include <termios.h>
#include <unistd.h>
#endif

#include "cli/command.h"

namespace tutti::cli {

#if defined(_WIN32)

RawTerminal::RawTerminal() : m_active(is_terminal(0)) {}
RawTerminal::~RawTerminal() = default;
void RawTerminal::restore() noexcept {}
int RawTerminal::read_key(int milliseconds) noexcept {
    for (int waited = 0; m_active && waited <= milliseconds; waited += 5) {
        if (_kbhit()) return _getch();
        Sleep(5);
    }
    return -1;
}

#else

namespace {
termios g_before;
bool g_changed = false;

void restore_terminal() {
    if (g_changed) tcsetattr(0, TCSANOW, &g_before);
    g_changed = false;
}
} // namespace

RawTerminal::RawTerminal() {
    if (!is_terminal(0) || tcgetattr(0, &g_before) != 0) return;
    static const bool registered = std::atexit(restore_terminal) == 0;
    termios raw = g_before;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO); // signals stay: Ctrl-C ends as ever
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    g_changed = registered && tcsetattr(0, TCSANOW, &raw) == 0;
    m_active = g_changed;
}

RawTerminal::~RawTerminal() {
    restore_terminal();
}

void RawTerminal::restore() noexcept {
    restore_terminal();
}

int RawTerminal::read_key(int milliseconds) noexcept {
    if (!m_active) {
        poll(nullptr, 0, milliseconds);
        return -1;
    }
    pollfd input{0, POLLIN, 0};
    if (poll(&input, 1, milliseconds) <= 0) return -1;
    unsigned char key = 0;
    return read(0, &key, 1) == 1 ? key : -1;
}

#endif

int TypingKeyboard::note_of(int key) noexcept {
    static constexpr char k_row[] = "awsedftgyhujkolp";
    for (int i = 0; k_row[i] != '\0'; ++i)
        if (k_row[i] == key) return i;
    return -1;
}

TypingKeyboard::Change TypingKeyboard::press(int key, double seconds) noexcept {
    const int note = note_of(key);
    if (note < 0) return {};
    const int midi = std::clamp(12 * (m_octave + 1) + note, 0, 127);
    double& until = m_until[static_cast<std::size_t>(midi)];
    const bool sounding = until > 0.0;
    // Key repeat starts after about half a second and then comes every 30 ms.
    until = seconds + (sounding ? 0.15 : 0.6);
    return sounding ? Change{} : Change{midi, true};
}

TypingKeyboard::Change TypingKeyboard::release_due(double seconds) noexcept {
    for (std::size_t key = 0; key < m_until.size(); ++key) {
        if (m_until[key] <= 0.0 || m_until[key] > seconds) continue;
        m_until[key] = 0.0;
        return {static_cast<int>(key), false};
    }
    return {};
}

void TypingKeyboard::octave(int steps) noexcept {
    m_octave = std::clamp(m_octave + steps, -1, 8);
}

std::string meter(double peak, double average, int width) {
    const auto place = [width](double linear) {
        const double db = linear > 1e-3 ? 20.0 * std::log10(linear) : -60.0;
        return static_cast<int>(std::clamp((db + 60.0) / 60.0, 0.0, 1.0) * width);
    };
    std::string text(static_cast<std::size_t>(width), '-');
    const int full = place(average), top = place(peak);
    for (int i = 0; i < full; ++i)
        text[static_cast<std::size_t>(i)] = '#';
    if (top > 0) text[static_cast<std::size_t>(top - 1)] = peak >= 0.999 ? '!' : '|';
    return text;
}

} // namespace tutti::cli
