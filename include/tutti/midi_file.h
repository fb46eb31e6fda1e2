// SPDX-License-Identifier: MIT
// Standard MIDI Files, types 0, 1 and 2 (MMA RP-001, "Standard MIDI Files 1.0"; RMID wrapping too): read and written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tutti/platform.h>
#include <tutti/status.h>
#include <tutti/tempo_map.h>

namespace tutti {

// Meta events by their number in a file.
enum class MidiMeta : std::uint8_t {
    sequence_number = 0x00,
    text = 0x01,
    copyright = 0x02,
    track_name = 0x03,
    instrument_name = 0x04,
    lyric = 0x05,
    marker = 0x06,
    cue_point = 0x07,
    program_name = 0x08,
    device_name = 0x09,
    channel_prefix = 0x20,
    port = 0x21,
    end_of_track = 0x2f,
    tempo = 0x51,
    smpte_offset = 0x54,
    time_signature = 0x58,
    key_signature = 0x59,
    sequencer_specific = 0x7f,
};

// 16 bytes. status 0x80..0xef: a channel message, data1 and data2 as sent. 0xf0: system exclusive, payload without the f0,
// its last byte f7 unless packets follow. 0xf7: the next packet of a system-exclusive message that is not complete yet
// (data1 = 1), or bytes to send as they are (data1 = 0). 0xff: a meta event, data1 = its number.
struct MidiFileEvent {
    std::int64_t tick = 0; // since the beginning
    std::uint16_t track = 0;
    std::uint8_t status = 0;
    std::uint8_t data1 = 0;
    std::uint32_t data2 = 0; // second data byte, or the number of the payload

    // What it is. [any]
    bool is_channel() const noexcept { return status < 0xf0; }
    bool is_sysex() const noexcept { return status == 0xf0 || status == 0xf7; }
    bool is_meta() const noexcept { return status == 0xff; }
    bool is_meta(MidiMeta meta) const noexcept { return is_meta() && data1 == static_cast<std::uint8_t>(meta); }
    bool is_note_on() const noexcept { return (status & 0xf0) == 0x90 && data2 > 0; }
    bool is_note_off() const noexcept { return (status & 0xf0) == 0x80 || ((status & 0xf0) == 0x90 && data2 == 0); }
    int channel() const noexcept { return status & 0x0f; } // 0..15
};

struct MidiTimeSignature {
    int numerator = 4;
    int denominator = 4;
};
struct MidiKeySignature {
    int sharps = 0; // -7 (flats) .. 7
    bool minor = false;
};
// Something that a player can live with, and where.
struct MidiWarning {
    int track = -1; // -1: not in a track
    std::size_t offset = 0;
    std::string text;
};

// A file's events of all tracks in playing order: tick, then track, then place in the track. Lenient where players are
// (missing end of track, wrong track or header length at the end, wrong number of tracks, running status after a meta
// event: a warning each), strict on what would play nonsense. Time and memory are linear in the file's size: at most 16
// bytes an event (twice while reading), and an event takes at least 2 bytes of the file.
class TUTTI_API MidiFile {
public:
    // Type 2 holds independent sequences: all of them one after another, each beginning at 120 beats a minute.
    static constexpr int k_every_sequence = -1;
    static constexpr std::uintmax_t k_default_limit = 64u << 20;
    static constexpr std::size_t k_most_warnings = 100;

    // Reads a file in memory; the result does not refer to `bytes`. `sequence` chooses one of a type 2 file.
    // Errors name the byte and track of the fault: malformed, truncated, unsupported (type above 2), too_large (bytes above
    // 4 GiB, or a song too long for 63 bits), out_of_range (no such sequence). [control]
    static Result<MidiFile> parse(std::span<const std::byte> bytes, int sequence = k_every_sequence);
    // The same from a file of at most `limit` bytes; also file_not_found, file_unreadable. [control]
    static Result<MidiFile> load(const std::filesystem::path& path, int sequence = k_every_sequence,
                                 std::uintmax_t limit = k_default_limit);

    // The header, after leniency: type 0..2, the tracks that were found, the sequences (1 but for type 2). [any]
    int type() const noexcept { return m_type; }
    int tracks() const noexcept { return m_tracks; }
    int sequences() const noexcept { return m_type == 2 ? m_tracks : 1; }

    // The events, and the tick at which the last track ends. [any]
    const std::vector<MidiFileEvent>& events() const noexcept { return m_events; }
    std::int64_t end_tick() const noexcept { return m_end_tick; }

    // Time. [any]
    const TempoMap& tempo_map() const noexcept { return m_tempo_map; }
    double seconds_of(const MidiFileEvent& event) const noexcept { return m_tempo_map.seconds_of(event.tick); }
    double duration_seconds() const noexcept { return m_tempo_map.seconds_of(m_end_tick); }
    std::int64_t frame_of(const MidiFileEvent& event, double sample_rate) const noexcept {
        return m_tempo_map.frame_of(event.tick, sample_rate);
    }

    // The bytes of a system-exclusive or meta event; empty for others. [any]
    std::span<const std::byte> payload(const MidiFileEvent& event) const noexcept;
    // The same as text, in whatever encoding the file has. [any]
    std::string_view text(const MidiFileEvent& event) const noexcept;
    // The meaning of a meta event; nothing where it is another one or has a wrong length. [any]
    std::optional<MidiTimeSignature> time_signature(const MidiFileEvent& event) const noexcept;
    std::optional<MidiKeySignature> key_signature(const MidiFileEvent& event) const noexcept;
    std::optional<std::int64_t> tempo(const MidiFileEvent& event) const noexcept; // microseconds a quarter
    // The first track name of a track, empty where it has none. [any]
    std::string_view track_name(int track) const noexcept;

    // What was forgiven: the first hundred, and how many there were in all. [any]
    const std::vector<MidiWarning>& warnings() const noexcept { return m_warnings; }
    std::size_t warning_count() const noexcept { return m_warning_count; }

private:
    friend class MidiFileReader;
    struct Payload {
        std::uint32_t offset = 0;
        std::uint32_t size = 0;
    };

    int m_type = 0;
    int m_tracks = 0;
    std::int64_t m_end_tick = 0;
    std::vector<MidiFileEvent> m_events;
    std::vector<Payload> m_payloads;
    std::vector<std::byte> m_bytes; // of all payloads
    TempoMap m_tempo_map;
    std::vector<MidiWarning> m_warnings;
    std::size_t m_warning_count = 0;
};

// Builds a Standard MIDI File. Events may come in any order; those at one tick of a track keep the order of their adding.
class TUTTI_API MidiFileWriter {
public:
    // type 0, 1 or 2; division as in the header: ticks a quarter note, or negative SMPTE frames << 8 | ticks. [control]
    explicit MidiFileWriter(int type = 1, int division = 480);

    // Returns the number of the new track. [control]
    int add_track(std::string_view name = {});
    // Channel messages; data2 is left out for program change and channel pressure. [control]
    void message(int track, std::int64_t tick, int status, int data1, int data2 = 0);
    // Meta events and system exclusive (payload without f0, with its closing f7). [control]
    void meta(int track, std::int64_t tick, MidiMeta meta, std::span<const std::byte> payload);
    void meta(int track, std::int64_t tick, MidiMeta meta, std::string_view text);
    void sysex(int track, std::int64_t tick, std::span<const std::byte> payload);
    void tempo(int track, std::int64_t tick, int microseconds_per_quarter);
    void time_signature(int track, std::int64_t tick, int numerator, int denominator);
    void end(int track, std::int64_t tick); // otherwise at the track's last event

    // The file, with running status. Errors: invalid_argument (a value outside its range, a track that is not there,
    // a gap of more than 2^28 - 1 ticks). [control]
    Result<std::vector<std::byte>> bytes() const;
    // The same into a file, written beside it and renamed: file_unwritable. [control]
    Status save(const std::filesystem::path& path) const;

private:
    struct Item {
        std::int64_t tick = 0;
        std::vector<std::byte> data; // status first
    };
    struct Track {
        std::vector<Item> items;
        std::int64_t end = 0;
    };
    void add(int track, std::int64_t tick, std::vector<std::byte> data);

    int m_type;
    int m_division;
    bool m_wrong = false; // a call had an argument outside its range
    std::vector<Track> m_tracks;
};

} // namespace tutti
