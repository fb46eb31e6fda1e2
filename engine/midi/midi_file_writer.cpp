// SPDX-License-Identifier: MIT
#include <tutti/midi_file.h>

#include <algorithm>
#include <fstream>
#include <system_error>

namespace tutti {

namespace {

constexpr std::int64_t k_largest_number = (1 << 28) - 1;

std::byte low(std::int64_t value) {
    return static_cast<std::byte>(value & 0xff);
}

void put_number(std::vector<std::byte>& out, std::int64_t value) {
    for (int shift = 21; shift > 0; shift -= 7)
        if (value >> shift) out.push_back(low(0x80 | (value >> shift & 0x7f)));
    out.push_back(low(value & 0x7f));
}

void put_big_endian(std::vector<std::byte>& out, std::int64_t value, int count) {
    for (int shift = 8 * (count - 1); shift >= 0; shift -= 8)
        out.push_back(low(value >> shift));
}

void put_name(std::vector<std::byte>& out, std::string_view name) {
    for (char letter : name)
        out.push_back(static_cast<std::byte>(letter));
}

} // namespace

MidiFileWriter::MidiFileWriter(int type, int division) : m_type(type), m_division(division) {
    m_wrong = type < 0 || type > 2 || division == 0 || division < -32768 || division > 32767;
}

int MidiFileWriter::add_track(std::string_view name) {
    m_tracks.emplace_back();
    const int track = static_cast<int>(m_tracks.size()) - 1;
    if (!name.empty()) meta(track, 0, MidiMeta::track_name, name);
    return track;
}

void MidiFileWriter::add(int track, std::int64_t tick, std::vector<std::byte> data) {
    if (track < 0 || static_cast<std::size_t>(track) >= m_tracks.size() || tick < 0) {
        m_wrong = true;
        return;
    }
    m_tracks[static_cast<std::size_t>(track)].items.push_back({tick, std::move(data)});
}

void MidiFileWriter::message(int track, std::int64_t tick, int status, int data1, int data2) {
    if (status < 0x80 || status > 0xef || (data1 | data2) < 0 || data1 > 127 || data2 > 127) m_wrong = true;
    std::vector<std::byte> data{low(status), low(data1)};
    if ((status & 0xe0) != 0xc0) data.push_back(low(data2));
    add(track, tick, std::move(data));
}

void MidiFileWriter::meta(int track, std::int64_t tick, MidiMeta meta, std::span<const std::byte> payload) {
    if (meta == MidiMeta::end_of_track) return end(track, tick);
    std::vector<std::byte> data{std::byte{0xff}, static_cast<std::byte>(meta)};
    if (static_cast<std::int64_t>(payload.size()) > k_largest_number) m_wrong = true;
    put_number(data, static_cast<std::int64_t>(payload.size()));
    data.insert(data.end(), payload.begin(), payload.end());
    add(track, tick, std::move(data));
}

void MidiFileWriter::meta(int track, std::int64_t tick, MidiMeta meta, std::string_view text) {
    this->meta(track, tick, meta, std::as_bytes(std::span(text.data(), text.size())));
}

void MidiFileWriter::sysex(int track, std::int64_t tick, std::span<const std::byte> payload) {
    std::vector<std::byte> data{std::byte{0xf0}};
    if (static_cast<std::int64_t>(payload.size()) > k_largest_number) m_wrong = true;
    put_number(data, static_cast<std::int64_t>(payload.size()));
    data.insert(data.end(), payload.begin(), payload.end());
    add(track, tick, std::move(data));
}

void MidiFileWriter::tempo(int track, std::int64_t tick, int microseconds_per_quarter) {
    if (microseconds_per_quarter <= 0 || microseconds_per_quarter > 0xffffff) m_wrong = true;
    std::vector<std::byte> payload;
    put_big_endian(payload, microseconds_per_quarter, 3);
    meta(track, tick, MidiMeta::tempo, payload);
}

void MidiFileWriter::time_signature(int track, std::int64_t tick, int numerator, int denominator) {
    int power = 0;
    while (power < 15 && 1 << power < denominator)
        ++power;
    if (numerator < 1 || numerator > 255 || 1 << power != denominator) m_wrong = true;
    // 24 MIDI clocks a metronome click, 8 thirty-second notes a quarter.
    const std::byte payload[] = {low(numerator), low(power), low(24), low(8)};
    meta(track, tick, MidiMeta::time_signature, payload);
}

void MidiFileWriter::end(int track, std::int64_t tick) {
    if (track < 0 || static_cast<std::size_t>(track) >= m_tracks.size() || tick < 0)
        m_wrong = true;
    else
        m_tracks[static_cast<std::size_t>(track)].end = tick;
}

Result<std::vector<std::byte>> MidiFileWriter::bytes() const {
    const auto wrong = [](std::string what) {
        return Status{Code::invalid_argument, std::move(what), "no MIDI file was made", "correct the value"};
    };
    if (m_wrong || m_tracks.empty() || m_tracks.size() > 65535 || (m_type == 0 && m_tracks.size() != 1))
        return wrong("a type, division, track, tick or data byte outside its range");
    std::vector<std::byte> out;
    put_name(out, "MThd");
    put_big_endian(out, 6, 4);
    put_big_endian(out, m_type, 2);
    put_big_endian(out, static_cast<std::int64_t>(m_tracks.size()), 2);
    put_big_endian(out, m_division, 2);
    for (const Track& track : m_tracks) {
        std::vector<const Item*> items;
        for (const Item& item : track.items)
            items.push_back(&item);
        std::stable_sort(items.begin(), items.end(), [](const Item* a, const Item* b) { return a->tick < b->tick; });
        std::vector<std::byte> body;
        std::int64_t tick = 0;
        std::byte running{};
        for (const Item* item : items) {
            if (item->tick - tick > k_largest_number) return wrong("a gap of more than 2^28 - 1 ticks");
            put_number(body, item->tick - tick);
            tick = item->tick;
            const std::byte status = item->data.front();
            const bool repeats = status < std::byte{0xf0} && status == running;
            body.insert(body.end(), item->data.begin() + (repeats ? 1 : 0), item->data.end());
            running = status < std::byte{0xf0} ? status : std::byte{};
        }
        const std::int64_t rest = std::max<std::int64_t>(track.end - tick, 0);
        if (rest > k_largest_number) return wrong("a gap of more than 2^28 - 1 ticks");
        put_number(body, rest);
        put_big_endian(body, 0xff2f00, 3);
        if (body.size() > 0xffffffffu) return wrong("a track of more than 4 GiB");
        put_name(out, "MTrk");
        put_big_endian(out, static_cast<std::int64_t>(body.size()), 4);
        out.insert(out.end(), body.begin(), body.end());
    }
    return out;
}

Status MidiFileWriter::save(const std::filesystem::path& path) const {
    auto bytes = this->bytes();
    if (!bytes) return bytes.status();
    std::filesystem::path beside = path;
    beside += ".part";
    std::error_code error;
    {
        std::ofstream file(beside, std::ios::binary | std::ios::trunc);
        file.write(reinterpret_cast<const char*>(bytes->data()), static_cast<std::streamsize>(bytes->size()));
        file.close();
        if (!file.fail()) std::filesystem::rename(beside, path, error);
        if (!file.fail() && !error) return {};
    }
    std::filesystem::remove(beside, error);
    return {Code::file_unwritable, path.string() + ": cannot be written", "no MIDI file was made",
            "check the folder, its permissions and the space left"};
}

} // namespace tutti
