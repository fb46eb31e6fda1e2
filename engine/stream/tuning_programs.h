// SPDX-License-Identifier: MIT
// Where keys sound: of a part, and of the MIDI Tuning Standard's programs that a stream keeps.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>

#include "engine/memory/memory.h"
#include "engine/memory/retired.h"

namespace tutti::engine {

// A change on its way to the renderer, which copies what it says.
struct TuningTable : FromMemory {
    std::array<double, 128> pitch{}; // semitones on MIDI's scale, by key
    std::bitset<128> silent;         // keys that a keyboard mapping leaves out
    std::bitset<128> said;           // the keys that it says anything about
    Retired retired;
};

class KeyTuning {
public:
    KeyTuning() noexcept {
        for (std::size_t key = 0; key < m_pitch.size(); ++key)
            m_pitch[key] = static_cast<double>(key);
    }
    double pitch(int key) const noexcept { return m_pitch[static_cast<std::size_t>(key)]; }
    bool silent(int key) const noexcept { return m_silent[static_cast<std::size_t>(key)]; }
    void take(const TuningTable& table) noexcept {
        for (std::size_t key = 0; key < m_pitch.size(); ++key) {
            if (!table.said[key]) continue;
            m_pitch[key] = table.pitch[key];
            m_silent[key] = table.silent[key];
        }
    }

private:
    std::array<double, 128> m_pitch;
    std::bitset<128> m_silent;
};

// Programs by number: 128 times the bank, and the program in it. One that nothing was said about is equal temperament.
class TuningPrograms {
public:
    static constexpr int k_most = 16; // the control side sends no more: a stream's memory is made once
    static constexpr int number(int bank, int program) noexcept { return bank * 128 + program; }

    // All of it [render].
    void take(int number, const TuningTable& table) noexcept {
        for (int i = 0; i < m_count; ++i)
            if (m_number[static_cast<std::size_t>(i)] == number)
                return m_tuning[static_cast<std::size_t>(i)].take(table);
        if (m_count == k_most) return;
        m_number[static_cast<std::size_t>(m_count)] = number;
        m_tuning[static_cast<std::size_t>(m_count++)].take(table);
    }
    KeyTuning get(int number) const noexcept {
        for (int i = 0; i < m_count; ++i)
            if (m_number[static_cast<std::size_t>(i)] == number) return m_tuning[static_cast<std::size_t>(i)];
        return {};
    }

private:
    std::array<int, k_most> m_number{};
    std::array<KeyTuning, k_most> m_tuning;
    int m_count = 0;
};

} // namespace tutti::engine
