// SPDX-License-Identifier: MIT
// What a MIDI channel remembers: controllers, bend, pressure, pedals, registered parameters, its place in an MPE zone.
#pragma once

#include <array>
#include <cstdint>

namespace tutti::engine {

// Controller numbers of MIDI 1.0 that mean something here.
enum Controller : int {
    cc_bank = 0,
    cc_wheel = 1,
    cc_breath = 2,
    cc_portamento_time = 5,
    cc_data = 6,
    cc_volume = 7,
    cc_pan = 10,
    cc_expression = 11,
    cc_general1 = 16, // 16..19: macros 1..4
    cc_bank_fine = 32,
    cc_data_fine = 38,
    cc_sustain = 64,
    cc_portamento = 65,
    cc_sostenuto = 66,
    cc_soft = 67,
    cc_legato = 68,
    cc_timbre = 74,
    cc_general5 = 80, // 80..83: macros 5..8
    cc_portamento_control = 84,
    cc_reverb = 91, // 40, General MIDI 2's default, leaves the patch's sends as they are
    cc_data_up = 96,
    cc_data_down = 97,
    cc_nrpn_fine = 98,
    cc_nrpn = 99,
    cc_rpn_fine = 100,
    cc_rpn = 101,
    cc_sound_off = 120,
    cc_reset = 121,
    cc_local = 122,
    cc_notes_off = 123,
    cc_omni_off = 124,
    cc_omni_on = 125,
    cc_mono = 126,
    cc_poly = 127
};

// Registered parameters.
enum Rpn : int {
    rpn_bend_range = 0,
    rpn_fine_tuning = 1,
    rpn_coarse_tuning = 2,
    rpn_tuning_program = 3,
    rpn_tuning_bank = 4,
    rpn_modulation_range = 5,
    rpn_mpe = 6
};
inline constexpr int k_no_rpn = 0x3fff;

// State only: what changed is returned, and the part acts on it.
class Channel {
public:
    enum Play : std::uint8_t { play_patch, play_mono, play_poly }; // CC 126 and 127 overrule the patch

    Channel() noexcept { power_on(); }

    void power_on() noexcept {
        m_value.fill(0);
        m_value[cc_volume] = 100;
        m_value[cc_pan] = 64;
        m_value[cc_timbre] = 64;
        m_value[cc_reverb] = 40;
        bend_range = -1.0;
        fine = coarse = 0.0;
        modulation_range = 0.5;
        play = play_patch;
        reset();
    }
    // CC 121 by RP-015: volume, pan, bank, sound controllers and registered values stay.
    void reset() noexcept {
        for (const int number : {cc_wheel, cc_breath, cc_sustain, cc_portamento, cc_sostenuto, cc_soft, cc_legato})
            m_value[static_cast<std::size_t>(number)] = 0;
        portamento_seen = false;
        m_value[cc_expression] = 127;
        bend = 0.0;
        pressure = 0.0;
        rpn = k_no_rpn;
        glide_source = -1;
    }

    int value(int number) const noexcept { return m_value[static_cast<std::size_t>(number & 127)]; }
    double unit(int number) const noexcept { return value(number) / 127.0; }
    bool pedal(int number) const noexcept { return value(number) >= 64; }
    void set(int number, int value) noexcept {
        m_value[static_cast<std::size_t>(number & 127)] = static_cast<std::uint8_t>(value);
    }

    double bend = 0.0;             // -1..1
    double pressure = 0.0;         // 0..1
    double bend_range = -1.0;      // semitones by RPN 0; below 0: the patch's
    double fine = 0.0;             // semitones by RPN 1
    double coarse = 0.0;           // semitones by RPN 2
    double modulation_range = 0.5; // semitones by RPN 5; 0.5 is the whole wheel
    int tuning_program = 0;        // by RPN 3 and 4: 128 times the bank, and the program
    int rpn = k_no_rpn;            // selected; NRPNs select nothing
    int glide_source = -1;         // key of CC 84, once
    bool portamento_seen = false;  // CC 65 arrived: it overrules the patch
    bool portamento_time_seen = false;
    Play play = play_patch;
    // MPE: the group's channel whose part plays this channel's notes; -1: its own.
    int master = -1;

private:
    std::array<std::uint8_t, 128> m_value{};
};

} // namespace tutti::engine
