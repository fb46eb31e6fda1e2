// SPDX-License-Identifier: MIT
// A tuning: where each of the 128 keys sounds; from Scala files, MIDI tuning messages or an equal temperament.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tutti/status.h>

namespace tutti {

// A plain value of the control side. Pitches are semitones on MIDI's scale (69 is 440 Hz), always within -60..160 (0.26 Hz to
// 84 kHz): what lies outside is taken to that end.
class TUTTI_API Tuning {
public:
    static constexpr int k_keys = 128;
    static constexpr double k_lowest = -60.0;
    static constexpr double k_highest = 160.0;

    // Twelve equal steps, key 69 at 440 Hz.
    Tuning();

    // `divisions` equal steps to `period` (2: the octave, 3: the tritave); `reference_key` sounds at `reference_hz`.
    // Errors: out_of_range. [control]
    static Result<Tuning> equal(double divisions, double period = 2.0, int reference_key = 69,
                                double reference_hz = 440.0);

    // The texts of a Scala scale (.scl) and a keyboard mapping (.kbm); an empty scale is twelve equal steps, an empty mapping
    // puts degree 0 on key 60 at 261.6256 Hz and goes on key by key. Format: Manuel Op de Coul's description.
    // Errors: malformed, truncated (with the line and what stands there), too_large. [control]
    static Result<Tuning> from_scala(std::string_view scl, std::string_view kbm = {});
    // Errors: those of from_scala, file_not_found, file_unreadable. [control]
    static Result<Tuning> load(const std::string& scl_path, const std::string& kbm_path = {});

    // Of one key (0..127), or of all. [any]
    double semitones(int key) const noexcept { return m_semitones[static_cast<std::size_t>(key & 127)]; }
    const std::array<double, k_keys>& semitones() const noexcept { return m_semitones; }
    double hertz(int key) const noexcept;
    // False: a keyboard mapping leaves the key out ("x"), it stays silent. [any]
    bool mapped(int key) const noexcept { return m_mapped[static_cast<std::size_t>(key & 127)]; }
    // What the scale calls itself. [any]
    const std::string& name() const noexcept { return m_name; }

    // One key; it is mapped from then on. Errors: out_of_range (key, NaN). [control]
    Status set(int key, double semitones);
    Status set_hertz(int key, double hertz);
    void unmap(int key) noexcept { m_mapped[static_cast<std::size_t>(key & 127)] = false; } // [control]
    void rename(std::string name) { m_name = std::move(name); }                             // [control]

    // The MIDI Tuning Standard's bulk dump of this tuning, in steps of 100/16384 cent from 0 to 127.99994 semitones. [control]
    std::vector<std::uint8_t> bulk_dump(int program = 0, int device = 127) const;

    bool operator==(const Tuning&) const = default;

private:
    std::array<double, k_keys> m_semitones;
    std::bitset<k_keys> m_mapped;
    std::string m_name;
};

// One message of the MIDI Tuning Standard (MIDI 1.0, CA-020, CA-021, RP-020): bulk dumps, single notes, scale/octave tuning.
struct TUTTI_API TuningMessage {
    bool real_time = false; // sounding notes follow; otherwise the next ones
    int device = 127;       // 127: every device
    int bank = 0;
    int program = 0;
    bool for_channels = false;       // scale/octave for channels: means no program but what these channels play
    std::uint16_t channels = 0xffff; // bit c: channel c is meant
    std::string name;
    std::vector<std::uint8_t> keys; // keys[i] goes to semitones[i]
    std::vector<double> semitones;

    // A whole system exclusive message, F0 and F7 included. Errors: malformed (with the byte's place; a wrong checksum),
    // truncated, unsupported (another message, a request). [control]
    static Result<TuningMessage> parse(std::span<const std::uint8_t> bytes);
    // Keys that are not among `keys` stay as they are. [control]
    void apply(Tuning& tuning) const;
};

} // namespace tutti
