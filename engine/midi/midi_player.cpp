// SPDX-License-Identifier: MIT
#include <tutti/midi_player.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <set>
#include <utility>
#include <vector>

namespace tutti {

namespace {

constexpr int k_program_change = 0xc0;
constexpr int k_drum_channel = 9; // General MIDI's channel 10

// The port of each track's events (meta event 0x21), 0 where none is named.
std::vector<int> ports_of(const MidiFile& file) {
    std::vector<int> ports(static_cast<std::size_t>(file.tracks()), 0);
    for (const MidiFileEvent& event : file.events()) {
        if (!event.is_meta(MidiMeta::port)) continue;
        const auto payload = file.payload(event);
        if (!payload.empty() && event.track < ports.size()) ports[event.track] = std::to_integer<int>(payload[0]);
    }
    return ports;
}

} // namespace

struct MidiPlayer::Impl {
    std::shared_ptr<const MidiFile> file;
    std::shared_ptr<Stream> stream;
    MidiPlayerOptions options;
    Sender sender;
    std::vector<int> ports;
    std::vector<int> parts;
    std::map<int, int> programs; // part -> the program whose patch it plays
    std::size_t next = 0;
    std::int64_t from = 0; // first frame of the file that is played

    bool is_over(const MidiFileEvent& event) const { return file->frame_of(event, stream->sample_rate()) < from; }
    std::int64_t frame_of(const MidiFileEvent& event) const {
        return options.start_frame + std::max<std::int64_t>(0, file->frame_of(event, stream->sample_rate()) - from);
    }
    int part_of(const MidiFileEvent& event) const {
        const int port = event.track < ports.size() ? ports[event.track] : 0;
        return ((event.status & 0x0f) + 16 * port) % stream->config().parts;
    }
    bool plays(int part) const {
        return (options.only_part < 0 || part == options.only_part) &&
               std::binary_search(parts.begin(), parts.end(), part);
    }
    bool is_fixed(int part) const { return options.patches.count(part) != 0; }

    // Many parts at once need room below the limiter: 3 dB for each doubling beyond four, by the file alone, so that stems
    // add up to the mix.
    Patch fitted(Patch patch) const {
        if (parts.size() > 4) patch.gain_db -= 10.0 * std::log10(static_cast<double>(parts.size()) / 4.0);
        return patch;
    }

    Status take_program(int part, int program, std::int64_t frame) {
        const bool drums = part % 16 == k_drum_channel;
        const std::string_view name = Patch::general_midi(program, drums);
        const auto known = programs.find(part);
        if (known != programs.end() && Patch::general_midi(known->second, drums) == name) return {};
        Result<Patch> patch = Patch::factory(name);
        if (!patch.ok()) return patch.status();
        Status status = stream->set_patch(part, fitted(std::move(patch).value()), frame);
        if (status.ok()) programs[part] = program;
        return status;
    }

    // The patch that each part begins with: its own choice, or the program set before or with its first note.
    Status begin() {
        std::set<int> noted;
        std::map<int, int> first_program;
        for (const MidiFileEvent& event : file->events()) {
            if (!event.is_channel()) continue;
            const int part = part_of(event);
            if ((event.status & 0xf0) == k_program_change && noted.count(part) == 0) first_program[part] = event.data1;
            if (event.is_note_on()) noted.insert(part);
        }
        parts.assign(noted.begin(), noted.end());
        for (const int part : parts) {
            if (!plays(part)) continue;
            Status status;
            if (is_fixed(part))
                status = stream->set_patch(part, fitted(options.patches.at(part)), options.start_frame);
            else if (options.general_midi)
                status = take_program(part, first_program.count(part) ? first_program[part] : 0, options.start_frame);
            if (!status.ok()) return status;
        }
        return {};
    }

    // Tuning messages are obeyed; other system exclusive messages are for other instruments.
    void tune(const MidiFileEvent& event, Status& status) {
        if (event.status != 0xf0) return;
        std::vector<std::uint8_t> bytes = {0xf0};
        for (const std::byte each : file->payload(event))
            bytes.push_back(std::to_integer<std::uint8_t>(each));
        const Result<TuningMessage> message = TuningMessage::parse(bytes);
        if (!message.ok()) return;
        Status tuned = stream->tune(*message, frame_of(event));
        if (!tuned.ok()) status = std::move(tuned);
    }

    // false: the queue is full, the event has to wait.
    bool post(const MidiFileEvent& event, Status& status) {
        if (event.is_meta(MidiMeta::tempo)) {
            const auto microseconds = file->tempo(event);
            return !microseconds || *microseconds <= 0 ||
                   sender.post(Event::set_tempo(frame_of(event), 60e6 / static_cast<double>(*microseconds)));
        }
        if (!event.is_channel()) {
            tune(event, status);
            return true;
        }
        const int part = part_of(event);
        if (!plays(part)) return true;
        const int kind = event.status & 0xf0;
        if ((kind == 0x80 || kind == 0x90) && is_over(event)) return true;
        const std::int64_t frame = frame_of(event);
        if ((event.status & 0xf0) == k_program_change) {
            if (is_fixed(part) || !options.general_midi) return true;
            Status changed = take_program(part, event.data1, frame);
            if (!changed.ok()) status = std::move(changed);
            return true;
        }
        return sender.post(Event::midi(frame, part, event.status, event.data1, static_cast<int>(event.data2)));
    }
};

MidiPlayer::MidiPlayer(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}
MidiPlayer::MidiPlayer(MidiPlayer&&) noexcept = default;
MidiPlayer& MidiPlayer::operator=(MidiPlayer&&) noexcept = default;
MidiPlayer::~MidiPlayer() = default;

Result<MidiPlayer> MidiPlayer::create(std::shared_ptr<const MidiFile> file, std::shared_ptr<Stream> stream,
                                      MidiPlayerOptions options) {
    Result<Sender> sender = stream->make_sender();
    if (!sender.ok()) return sender.status();
    auto impl = std::make_unique<Impl>();
    impl->file = std::move(file);
    impl->stream = std::move(stream);
    impl->options = std::move(options);
    impl->sender = std::move(sender).value();
    impl->from = static_cast<std::int64_t>(std::max(0.0, impl->options.from_seconds) * impl->stream->sample_rate());
    impl->ports = ports_of(*impl->file);
    Status status = impl->begin();
    if (!status.ok()) return status;
    return MidiPlayer(std::move(impl));
}

Status MidiPlayer::post_until(std::int64_t frame) {
    Status status;
    const auto& events = m_impl->file->events();
    while (m_impl->next < events.size() && m_impl->frame_of(events[m_impl->next]) < frame) {
        if (!m_impl->post(events[m_impl->next], status)) break;
        ++m_impl->next;
    }
    return status;
}

bool MidiPlayer::done() const noexcept {
    return m_impl->next == m_impl->file->events().size();
}

std::int64_t MidiPlayer::end_frame() const noexcept {
    const double rate = m_impl->stream->sample_rate();
    return m_impl->options.start_frame +
           std::max<std::int64_t>(0, m_impl->file->tempo_map().frame_of(m_impl->file->end_tick(), rate) - m_impl->from);
}

const std::vector<int>& MidiPlayer::parts() const noexcept {
    return m_impl->parts;
}

} // namespace tutti
