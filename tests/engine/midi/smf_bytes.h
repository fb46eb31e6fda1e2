// SPDX-License-Identifier: MIT
// Hand-made MIDI files for tests, byte by byte.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <vector>

namespace tutti::test {

struct Smf {
    std::vector<std::byte> data;

    Smf& put(std::initializer_list<int> values) {
        for (int value : values)
            data.push_back(static_cast<std::byte>(value));
        return *this;
    }
    Smf& name(const char* four) {
        for (int i = 0; i < 4; ++i)
            data.push_back(static_cast<std::byte>(four[i]));
        return *this;
    }
    Smf& word(std::size_t value) {
        for (int shift = 24; shift >= 0; shift -= 8)
            data.push_back(static_cast<std::byte>(value >> shift & 0xff));
        return *this;
    }
    Smf& header(int type, int tracks, int division) {
        return name("MThd").word(6).put(
            {type >> 8, type & 255, tracks >> 8, tracks & 255, (division >> 8) & 255, division & 255});
    }
    Smf& track(std::initializer_list<int> values) { return name("MTrk").word(values.size()).put(values); }
    std::span<const std::byte> bytes() const { return data; }
};

} // namespace tutti::test
