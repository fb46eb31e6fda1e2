// SPDX-License-Identifier: MIT
// The parser behind MidiFile::parse. One pass over the bytes, one merge of the tracks.
#include <tutti/midi_file.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace tutti {

class MidiFileReader {
public:
    explicit MidiFileReader(std::span<const std::byte> bytes) : m_bytes(bytes) {}

    Result<MidiFile> read(int sequence);

private:
    // A stretch of the file with a place in it; `track` is -1 outside tracks.
    struct Cursor {
        std::size_t at = 0;
        std::size_t end = 0;
        int track = -1;
        bool has(std::size_t count) const noexcept { return end - at >= count; }
    };

    int byte(std::size_t at) const noexcept { return std::to_integer<int>(m_bytes[at]); }
    std::uint32_t big_endian(std::size_t at) const noexcept {
        return static_cast<std::uint32_t>(byte(at)) << 24 | static_cast<std::uint32_t>(byte(at + 1)) << 16 |
               static_cast<std::uint32_t>(byte(at + 2)) << 8 | static_cast<std::uint32_t>(byte(at + 3));
    }
    bool is_chunk(std::size_t at, const char* name) const noexcept {
        return std::memcmp(m_bytes.data() + at, name, 4) == 0;
    }

    bool fault(Code code, std::size_t at, int track, std::string what);
    bool truncated(const Cursor& cursor);
    void warn(std::size_t at, int track, std::string text);

    bool unwrap_rmid();
    bool read_header();
    bool read_chunks();
    bool read_track(Cursor& cursor, bool cut);
    bool read_event(Cursor& cursor, std::int64_t tick, int& running);
    bool read_length(Cursor& cursor, std::uint32_t& value);
    bool read_payload(Cursor& cursor, MidiFileEvent& event);
    bool choose(int sequence);
    void merge();
    bool build_tempo_map();

    std::span<const std::byte> m_bytes;
    std::size_t m_at = 0;
    std::size_t m_size = 0;
    int m_declared_tracks = 0;
    bool m_ended = false; // the track at hand has had its end of track
    bool m_in_sysex = false;
    std::vector<std::size_t> m_first_event;     // of each track, one more at the end
    std::vector<std::int64_t> m_track_end;      // tick
    std::vector<std::int64_t> m_sequence_begin; // tick, type 2
    MidiFile m_file;
    Status m_status;
};

bool MidiFileReader::fault(Code code, std::size_t at, int track, std::string what) {
    std::string place = "byte " + std::to_string(at);
    if (track >= 0) place = "track " + std::to_string(track + 1) + ", " + place;
    const bool cut = code == Code::truncated;
    m_status = {code, place + ": " + std::move(what), "no note of it was read",
                cut ? "fetch or export the file again, it is not complete"
                    : "export it again from the program that wrote it"};
    return false;
}

bool MidiFileReader::truncated(const Cursor& cursor) {
    return fault(Code::truncated, cursor.at, cursor.track, "ends inside an event");
}

void MidiFileReader::warn(std::size_t at, int track, std::string text) {
    if (m_file.m_warning_count++ < MidiFile::k_most_warnings) m_file.m_warnings.push_back({track, at, std::move(text)});
}

// RMID: the same file inside a RIFF chunk named "data" (MMA RP-029).
bool MidiFileReader::unwrap_rmid() {
    m_size = m_bytes.size();
    if (m_size < 12 || !is_chunk(0, "RIFF") || !is_chunk(8, "RMID")) return true;
    for (std::size_t at = 12; m_size - at >= 8;) {
        const std::uint32_t big = big_endian(at + 4);
        const std::size_t length = (big >> 24) | (big >> 8 & 0xff00) | (big << 8 & 0xff0000) | (big & 0xff) << 24;
        const std::size_t left = m_size - at - 8;
        if (is_chunk(at, "data")) {
            m_at = at + 8;
            if (length <= left)
                m_size = m_at + length;
            else
                warn(at, -1,
                     "the RIFF chunk says " + std::to_string(length) + " bytes where " + std::to_string(left) + " are");
            return true;
        }
        const std::size_t padded = length + length % 2;
        if (padded > left) break;
        at += 8 + padded;
    }
    return fault(Code::malformed, 0, -1, "a RIFF file without MIDI data");
}

bool MidiFileReader::read_header() {
    if (m_size - m_at < 4 || !is_chunk(m_at, "MThd"))
        return fault(Code::malformed, m_at, -1, "not a MIDI file (no MThd)");
    if (m_size - m_at < 14) return fault(Code::truncated, m_size, -1, "ends inside the header");
    const std::size_t length = big_endian(m_at + 4);
    if (length < 6) return fault(Code::malformed, m_at + 4, -1, "a header of " + std::to_string(length) + " bytes");
    if (length > m_size - m_at - 8)
        return fault(Code::malformed, m_at + 4, -1,
                     "a header of " + std::to_string(length) + " bytes, longer than the file");
    if (length > 6) warn(m_at + 4, -1, "a header of " + std::to_string(length) + " bytes; the first 6 count");
    const std::size_t body = m_at + 8;
    m_file.m_type = byte(body) << 8 | byte(body + 1);
    m_declared_tracks = byte(body + 2) << 8 | byte(body + 3);
    if (m_file.m_type > 2)
        return fault(Code::unsupported, body, -1, "a MIDI file of type " + std::to_string(m_file.m_type) + ", above 2");
    const int high = byte(body + 4);
    const int low = byte(body + 5);
    if (high < 128) {
        if ((high | low) == 0) return fault(Code::malformed, body + 4, -1, "0 ticks a quarter note");
        m_file.m_tempo_map = TempoMap::with_quarter(high << 8 | low);
    } else {
        const int frames = 256 - high;
        if ((frames != 24 && frames != 25 && frames != 29 && frames != 30) || low == 0)
            return fault(Code::malformed, body + 4, -1,
                         "SMPTE time with " + std::to_string(frames) + " frames a second and " + std::to_string(low) +
                             " ticks a frame");
        m_file.m_tempo_map = TempoMap::with_smpte(frames, low);
    }
    m_at = body + length;
    return true;
}

bool MidiFileReader::read_chunks() {
    constexpr int k_most_tracks = 65535;
    while (m_size - m_at >= 8) {
        const std::size_t begin = m_at;
        const std::size_t length = big_endian(begin + 4);
        const std::size_t left = m_size - begin - 8;
        const bool cut = length > left;
        m_at = begin + 8 + (cut ? left : length);
        if (!is_chunk(begin, "MTrk")) {
            // Chunks of other kinds are to be skipped.
            if (cut) warn(begin, -1, "a foreign chunk reaches past the end of the file");
            continue;
        }
        if (m_file.m_tracks == k_most_tracks) {
            warn(begin, -1, "more than 65535 tracks; the rest is left out");
            return true;
        }
        Cursor cursor{begin + 8, m_at, m_file.m_tracks++};
        if (!read_track(cursor, cut)) return false;
    }
    if (m_at != m_size) warn(m_at, -1, std::to_string(m_size - m_at) + " bytes after the last chunk");
    if (m_file.m_tracks == 0) {
        if (m_declared_tracks > 0) return fault(Code::truncated, m_size, -1, "ends before the first track");
        return fault(Code::malformed, m_size, -1, "no track");
    }
    if (m_file.m_tracks != m_declared_tracks)
        warn(10, -1,
             "the header says " + std::to_string(m_declared_tracks) + " tracks, " + std::to_string(m_file.m_tracks) +
                 " are there");
    if (m_file.m_type == 0 && m_file.m_tracks > 1) {
        warn(8, -1, "type 0 with several tracks; played as type 1");
        m_file.m_type = 1;
    }
    m_first_event.push_back(m_file.m_events.size());
    return true;
}

bool MidiFileReader::read_track(Cursor& cursor, bool cut) {
    const std::size_t begin = cursor.at;
    std::int64_t tick = 0;
    int running = 0;
    m_ended = false;
    m_in_sysex = false;
    m_first_event.push_back(m_file.m_events.size());
    while (cursor.has(1) && !m_ended) {
        std::uint32_t delta = 0;
        if (!read_length(cursor, delta)) return false;
        tick += delta; // at most 2^28 a byte of the file: no overflow below 2^35 bytes
        if (!cursor.has(1)) return truncated(cursor);
        if (!read_event(cursor, tick, running)) return false;
    }
    m_track_end.push_back(tick);
    if (!m_ended && cut) return truncated(cursor);
    if (!m_ended) warn(cursor.at, cursor.track, "no end of track");
    if (cut) warn(begin - 4, cursor.track, "the track's length reaches past the end of the file");
    if (cursor.has(1))
        warn(cursor.at, cursor.track, std::to_string(cursor.end - cursor.at) + " bytes after the end of track");
    return true;
}

bool MidiFileReader::read_event(Cursor& cursor, std::int64_t tick, int& running) {
    MidiFileEvent event;
    event.tick = tick;
    event.track = static_cast<std::uint16_t>(cursor.track);
    int status = byte(cursor.at);
    if (status >= 0x80) {
        ++cursor.at;
    } else {
        if ((running & 0xff) == 0)
            return fault(Code::malformed, cursor.at, cursor.track, "a data byte where an event begins");
        if (running > 0xff) warn(cursor.at, cursor.track, "running status after a meta or system-exclusive event");
        status = running & 0xff;
    }
    event.status = static_cast<std::uint8_t>(status);
    if (status < 0xf0) {
        running = status;
        const std::size_t count = (status & 0xe0) == 0xc0 ? 1 : 2;
        if (!cursor.has(count)) return truncated(cursor);
        for (std::size_t i = 0; i < count; ++i)
            if (byte(cursor.at + i) > 127)
                return fault(Code::malformed, cursor.at + i, cursor.track,
                             "a data byte of " + std::to_string(byte(cursor.at + i)) + ", above 127");
        event.data1 = static_cast<std::uint8_t>(byte(cursor.at));
        event.data2 = count == 2 ? static_cast<std::uint32_t>(byte(cursor.at + 1)) : 0;
        cursor.at += count;
        m_file.m_events.push_back(event);
        return true;
    }
    running |= running ? 0x100 : 0; // the standard ends running status here; players go on
    if (status == 0xff) {
        if (!cursor.has(1)) return truncated(cursor);
        const std::size_t begin = cursor.at;
        event.data1 = static_cast<std::uint8_t>(byte(cursor.at++));
        if (event.data1 > 127)
            return fault(Code::malformed, begin, cursor.track, "a meta event with a number above 127");
        if (!read_payload(cursor, event)) return false;
        m_ended = event.is_meta(MidiMeta::end_of_track);
        if (event.is_meta(MidiMeta::tempo) && !m_file.tempo(event))
            warn(begin, cursor.track, "a tempo of 0 or of a wrong length is left out");
        return true;
    }
    if (status != 0xf0 && status != 0xf7)
        return fault(Code::malformed, cursor.at - 1, cursor.track,
                     "a status byte of " + std::to_string(status) + ", which no file may hold");
    event.data1 = status == 0xf7 && m_in_sysex ? 1 : 0;
    if (!read_payload(cursor, event)) return false;
    const auto payload = m_file.payload(m_file.m_events.back());
    const bool complete = !payload.empty() && payload.back() == std::byte{0xf7};
    m_in_sysex = (status == 0xf0 || m_in_sysex) && !complete;
    return true;
}

bool MidiFileReader::read_length(Cursor& cursor, std::uint32_t& value) {
    value = 0;
    const std::size_t begin = cursor.at;
    for (int i = 0; i < 4; ++i) {
        if (!cursor.has(1)) return truncated(cursor);
        const int next = byte(cursor.at++);
        value = value << 7 | static_cast<std::uint32_t>(next & 0x7f);
        if (next < 128) return true;
    }
    return fault(Code::malformed, begin, cursor.track, "a number of more than 4 bytes");
}

bool MidiFileReader::read_payload(Cursor& cursor, MidiFileEvent& event) {
    const std::size_t begin = cursor.at;
    std::uint32_t length = 0;
    if (!read_length(cursor, length)) return false;
    if (!cursor.has(length))
        return fault(cursor.end == m_size ? Code::truncated : Code::malformed, begin, cursor.track,
                     "an event of " + std::to_string(length) + " bytes where " +
                         std::to_string(cursor.end - cursor.at) + " are left");
    event.data2 = static_cast<std::uint32_t>(m_file.m_payloads.size());
    m_file.m_payloads.push_back({static_cast<std::uint32_t>(m_file.m_bytes.size()), length});
    const auto bytes = m_bytes.subspan(cursor.at, length);
    m_file.m_bytes.insert(m_file.m_bytes.end(), bytes.begin(), bytes.end());
    cursor.at += length;
    m_file.m_events.push_back(event);
    return true;
}

// Type 2: keeps one sequence, or moves each to where the one before it ends.
bool MidiFileReader::choose(int sequence) {
    if (sequence != MidiFile::k_every_sequence && (sequence < 0 || sequence >= m_file.sequences())) {
        m_status = {Code::out_of_range,
                    "sequence " + std::to_string(sequence) + " of a file that has " +
                        std::to_string(m_file.sequences()),
                    "no note of it was read", "choose one of 0.." + std::to_string(m_file.sequences() - 1)};
        return false;
    }
    auto& events = m_file.m_events;
    if (m_file.m_type != 2) {
        m_file.m_end_tick = *std::max_element(m_track_end.begin(), m_track_end.end());
        merge();
        return true;
    }
    if (sequence != MidiFile::k_every_sequence) {
        const auto index = static_cast<std::size_t>(sequence);
        events.erase(events.begin() + static_cast<std::ptrdiff_t>(m_first_event[index + 1]), events.end());
        events.erase(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(m_first_event[index]));
        m_file.m_end_tick = m_track_end[index];
        return true;
    }
    for (std::size_t track = 0; track < m_track_end.size(); ++track) {
        m_sequence_begin.push_back(m_file.m_end_tick);
        for (std::size_t i = m_first_event[track]; i < m_first_event[track + 1]; ++i)
            events[i].tick += m_file.m_end_tick;
        m_file.m_end_tick += m_track_end[track];
    }
    return true;
}

void MidiFileReader::merge() {
    if (m_file.m_tracks < 2) return;
    struct Head {
        std::int64_t tick;
        std::size_t track;
        bool operator<(const Head& other) const noexcept { // the heap's top is its largest: the earliest here
            return tick != other.tick ? tick > other.tick : track > other.track;
        }
    };
    std::vector<std::size_t> next(m_first_event.begin(), m_first_event.end() - 1);
    std::vector<Head> heads;
    for (std::size_t track = 0; track < next.size(); ++track)
        if (next[track] < m_first_event[track + 1]) heads.push_back({m_file.m_events[next[track]].tick, track});
    std::make_heap(heads.begin(), heads.end());
    std::vector<MidiFileEvent> merged;
    merged.reserve(m_file.m_events.size());
    while (!heads.empty()) {
        std::pop_heap(heads.begin(), heads.end());
        Head head = heads.back();
        heads.pop_back();
        // All events of this tick at once: they stay together anyway, and chords cost one turn of the heap.
        while (next[head.track] < m_first_event[head.track + 1] && m_file.m_events[next[head.track]].tick == head.tick)
            merged.push_back(m_file.m_events[next[head.track]++]);
        if (next[head.track] < m_first_event[head.track + 1]) {
            heads.push_back({m_file.m_events[next[head.track]].tick, head.track});
            std::push_heap(heads.begin(), heads.end());
        }
    }
    m_file.m_events.swap(merged);
}

bool MidiFileReader::build_tempo_map() {
    std::size_t sequence = 0;
    TempoMap& map = m_file.m_tempo_map;
    const auto too_long = [&] {
        m_status = {Code::too_large, "a song that would last for years (its ticks do not fit into 63 bits)",
                    "no note of it was read", "check that it is a MIDI file"};
        return false;
    };
    for (const MidiFileEvent& event : m_file.m_events) {
        // By track, not by tick: a sequence may end with a tempo on the very tick on which the next one begins.
        for (; sequence < m_sequence_begin.size() && sequence <= event.track; ++sequence)
            if (!map.add(m_sequence_begin[sequence], 500'000)) return too_long();
        const auto tempo = m_file.tempo(event);
        if (tempo && !map.add(event.tick, *tempo)) return too_long();
    }
    return map.reaches(m_file.m_end_tick) ? true : too_long();
}

Result<MidiFile> MidiFileReader::read(int sequence) {
    if (m_bytes.size() > std::numeric_limits<std::uint32_t>::max())
        return Status{Code::too_large, "more than 4 GiB", "no note of it was read", "check that it is a MIDI file"};
    if (unwrap_rmid() && read_header() && read_chunks() && choose(sequence) && build_tempo_map()) {
        m_file.m_events.shrink_to_fit();
        return std::move(m_file);
    }
    return m_status;
}

Result<MidiFile> MidiFile::parse(std::span<const std::byte> bytes, int sequence) {
    return MidiFileReader(bytes).read(sequence);
}

} // namespace tutti
