// SPDX-License-Identifier: MIT
#include <tutti/midi_file.h>

#include <fstream>
#include <system_error>

namespace tutti {

namespace {

constexpr const char* k_nothing = "nothing was read";

Status renamed(const std::filesystem::path& path, const Status& status) {
    return {status.code(), path.string() + ": " + status.what(), status.means(), status.remedy()};
}

int at(std::span<const std::byte> bytes, std::size_t index) noexcept {
    return std::to_integer<int>(bytes[index]);
}

} // namespace

Result<MidiFile> MidiFile::load(const std::filesystem::path& path, int sequence, std::uintmax_t limit) {
    std::error_code error;
    const auto kind = std::filesystem::status(path, error);
    if (!std::filesystem::exists(kind))
        return Status{Code::file_not_found, path.string() + ": no such file", k_nothing, "check the name"};
    if (std::filesystem::is_directory(kind))
        return Status{Code::file_unreadable, path.string() + ": a folder, not a file", k_nothing, "name a MIDI file"};
    std::ifstream file(path, std::ios::binary);
    std::vector<std::byte> bytes;
    // Piece by piece, since a pipe has no size to ask for.
    char piece[65536];
    while (file.read(piece, sizeof piece), file.gcount() > 0) {
        const auto* first = reinterpret_cast<const std::byte*>(piece);
        bytes.insert(bytes.end(), first, first + file.gcount());
        if (bytes.size() > limit)
            return Status{Code::too_large, path.string() + ": more than " + std::to_string(limit) + " bytes", k_nothing,
                          "check that it is a MIDI file"};
    }
    if (file.bad() || !file.eof())
        return Status{Code::file_unreadable, path.string() + ": cannot be read", k_nothing,
                      "check the file's permissions"};
    auto result = parse(bytes, sequence);
    if (!result) return renamed(path, result.status());
    return result;
}

std::span<const std::byte> MidiFile::payload(const MidiFileEvent& event) const noexcept {
    if (event.is_channel() || event.data2 >= m_payloads.size()) return {};
    const Payload& payload = m_payloads[event.data2];
    return std::span(m_bytes).subspan(payload.offset, payload.size);
}

std::string_view MidiFile::text(const MidiFileEvent& event) const noexcept {
    const auto bytes = payload(event);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::optional<MidiTimeSignature> MidiFile::time_signature(const MidiFileEvent& event) const noexcept {
    const auto bytes = payload(event);
    if (!event.is_meta(MidiMeta::time_signature) || bytes.size() < 2 || at(bytes, 0) == 0 || at(bytes, 1) > 15)
        return {};
    return MidiTimeSignature{at(bytes, 0), 1 << at(bytes, 1)};
}

std::optional<MidiKeySignature> MidiFile::key_signature(const MidiFileEvent& event) const noexcept {
    const auto bytes = payload(event);
    if (!event.is_meta(MidiMeta::key_signature) || bytes.size() != 2 || at(bytes, 1) > 1) return {};
    const int sharps = at(bytes, 0) > 127 ? at(bytes, 0) - 256 : at(bytes, 0);
    if (sharps < -7 || sharps > 7) return {};
    return MidiKeySignature{sharps, at(bytes, 1) == 1};
}

std::optional<std::int64_t> MidiFile::tempo(const MidiFileEvent& event) const noexcept {
    const auto bytes = payload(event);
    if (!event.is_meta(MidiMeta::tempo) || bytes.size() != 3) return {};
    const int tempo = at(bytes, 0) << 16 | at(bytes, 1) << 8 | at(bytes, 2);
    if (tempo == 0) return {};
    return tempo;
}

std::string_view MidiFile::track_name(int track) const noexcept {
    for (const MidiFileEvent& event : m_events)
        if (event.track == track && event.is_meta(MidiMeta::track_name)) return text(event);
    return {};
}

} // namespace tutti
