// SPDX-License-Identifier: MIT
// The MIDI Tuning Standard: M1-053 (bulk dump, single notes), CA-020 and CA-021 (banks, scale/octave).
#include <cmath>

#include <tutti/tuning.h>

namespace tutti {
namespace {

class Reader {
public:
    explicit Reader(std::span<const std::uint8_t> bytes) : m_bytes(bytes) {}

    int take() {
        if (m_at >= m_bytes.size() || m_bytes[m_at] > 0x7f) {
            m_short = true;
            return 0;
        }
        return m_bytes[m_at++];
    }
    std::string take_name() {
        std::string name;
        for (int i = 0; i < 16; ++i)
            if (const int c = take(); c >= 0x20 && c < 0x7f) name += static_cast<char>(c);
        while (!name.empty() && name.back() == ' ')
            name.pop_back();
        return name;
    }
    // Semitone and 14 bits of fraction; 7F 7F 7F leaves the key as it is.
    bool take_pitch(double& semitones) {
        const int key = take(), high = take(), low = take();
        semitones = key + (high << 7 | low) / 16384.0;
        return !(key == 127 && high == 127 && low == 127);
    }
    std::size_t at() const { return m_at; }
    bool fell_short() const { return m_short; }
    // Exclusive or of everything between F0 and here.
    int checksum() const {
        unsigned sum = 0;
        for (std::size_t i = 1; i < m_at; ++i)
            sum ^= m_bytes[i];
        return static_cast<int>(sum & 0x7f);
    }
    bool at_end() const { return m_at + 1 == m_bytes.size(); }

private:
    std::span<const std::uint8_t> m_bytes;
    std::size_t m_at = 1; // after F0
    bool m_short = false;
};

Status wrong(Code code, const std::string& what, const std::string& remedy) {
    return Status(code, "tuning message: " + what, "the tuning stays as it was", remedy);
}

// Twelve offsets from equal temperament, C first, for every octave.
void take_octave(Reader& reader, bool two_bytes, TuningMessage& message) {
    double offsets[12];
    for (double& offset : offsets) {
        if (two_bytes) {
            const int high = reader.take();
            offset = ((high << 7 | reader.take()) - 8192) / 8192.0; // +-100 cents
        } else {
            offset = (reader.take() - 64) / 100.0; // -64..63 cents
        }
    }
    for (int key = 0; key < Tuning::k_keys; ++key) {
        message.keys.push_back(static_cast<std::uint8_t>(key));
        message.semitones.push_back(key + offsets[key % 12]);
    }
}

} // namespace

Result<TuningMessage> TuningMessage::parse(std::span<const std::uint8_t> bytes) {
    if (bytes.size() < 6 || bytes[0] != 0xf0)
        return wrong(Code::malformed, "it does not begin with F0 and a header", "give a whole message");
    if (bytes.back() != 0xf7) return wrong(Code::truncated, "it does not end with F7", "give a whole message");
    for (std::size_t i = 1; i + 1 < bytes.size(); ++i)
        if (bytes[i] > 0x7f)
            return wrong(Code::malformed, "byte " + std::to_string(i + 1) + " is above 7F",
                         "give one message at a time");
    Reader reader(bytes);
    TuningMessage message;
    const int kind = reader.take();
    message.real_time = kind == 0x7f;
    message.device = reader.take();
    const int group = reader.take();
    const int form = reader.take();
    if ((kind != 0x7e && kind != 0x7f) || group != 0x08)
        return wrong(Code::unsupported, "it is another system exclusive message",
                     "give one of the MIDI Tuning Standard");
    const auto take_note = [&](int key) {
        double pitch = 0.0;
        if (!reader.take_pitch(pitch)) return;
        message.keys.push_back(static_cast<std::uint8_t>(key));
        message.semitones.push_back(pitch);
    };
    bool summed = false;
    switch (form) {
    case 0x01: // bulk dump, without and with a bank
    case 0x04:
        summed = true;
        if (form == 0x04) message.bank = reader.take();
        message.program = reader.take();
        message.name = reader.take_name();
        for (int key = 0; key < Tuning::k_keys; ++key)
            take_note(key);
        break;
    case 0x02: // single notes, without and with a bank
    case 0x07: {
        if (form == 0x07) message.bank = reader.take();
        message.program = reader.take();
        const int count = reader.take();
        for (int i = 0; i < count && !reader.fell_short(); ++i)
            take_note(reader.take());
        break;
    }
    case 0x05: // scale/octave dumps of one and two bytes
    case 0x06:
        summed = true;
        message.bank = reader.take();
        message.program = reader.take();
        message.name = reader.take_name();
        take_octave(reader, form == 0x06, message);
        break;
    case 0x08: // scale/octave for channels, one and two bytes
    case 0x09: {
        const int high = reader.take(), middle = reader.take(), low = reader.take();
        message.for_channels = true;
        message.channels = static_cast<std::uint16_t>((high & 3) << 14 | middle << 7 | low);
        take_octave(reader, form == 0x09, message);
        break;
    }
    default:
        return wrong(Code::unsupported, "it asks for a tuning or is of a later standard",
                     "give a dump, single notes or scale/octave");
    }
    if (reader.fell_short())
        return wrong(Code::truncated, "it ends at byte " + std::to_string(reader.at() + 1) + ", too early for its kind",
                     "give a whole message");
    if (summed) {
        const int sum = reader.checksum();
        const int given = reader.take();
        if (reader.fell_short()) return wrong(Code::truncated, "its checksum is missing", "give a whole message");
        if (sum != given)
            return wrong(Code::malformed,
                         "its checksum is " + std::to_string(given) + ", the bytes give " + std::to_string(sum),
                         "send it again");
    }
    if (!reader.at_end())
        return wrong(Code::malformed, "it goes on after byte " + std::to_string(reader.at()) + ", longer than its kind",
                     "give one message at a time");
    return message;
}

void TuningMessage::apply(Tuning& tuning) const {
    for (std::size_t i = 0; i < keys.size() && i < semitones.size(); ++i)
        (void)tuning.set(keys[i], semitones[i]);
    if (!name.empty()) tuning.rename(name);
}

std::vector<std::uint8_t> Tuning::bulk_dump(int program, int device) const {
    std::vector<std::uint8_t> bytes = {0xf0, 0x7e, static_cast<std::uint8_t>(device & 0x7f),
                                       0x08, 0x01, static_cast<std::uint8_t>(program & 0x7f)};
    for (std::size_t i = 0; i < 16; ++i) {
        const char c = i < m_name.size() ? m_name[i] : ' ';
        bytes.push_back(c >= 0x20 && c < 0x7f ? static_cast<std::uint8_t>(c) : std::uint8_t{'?'});
    }
    for (int key = 0; key < k_keys; ++key) {
        // 7F 7F 7F would mean "no change": the highest pitch that can be said is one step below.
        const double steps = std::floor(semitones(key) * 16384.0 + 0.5);
        const int value = static_cast<int>(steps < 0.0 ? 0.0 : steps > 128 * 16384.0 - 2 ? 128 * 16384.0 - 2 : steps);
        for (int shift : {14, 7, 0})
            bytes.push_back(static_cast<std::uint8_t>(value >> shift & 0x7f));
    }
    unsigned sum = 0;
    for (std::size_t i = 1; i < bytes.size(); ++i)
        sum ^= bytes[i];
    bytes.push_back(static_cast<std::uint8_t>(sum & 0x7f));
    bytes.push_back(0xf7);
    return bytes;
}

} // namespace tutti
