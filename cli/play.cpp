// SPDX-License-Identifier: MIT
// tutti play [SONG.mid]: the live synth.
// Over 400 lines: one session from its options to its last block, whose parts share its state.
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include <tutti/engine.h>
#include <tutti/midi_player.h>

#include "cli/command.h"
#include "cli/late_output.h"
#include "cli/live_output.h"
#include "cli/live_player.h"
#include "cli/live_song.h"
#include "cli/lost_device.h"
#include "cli/patch_name.h"
#include "cli/play_sound.h"
#include "cli/terminal.h"
#include "io/audio_device.h"
#include "io/audio_file.h"
#include "io/midi_port.h"

namespace tutti::cli {

namespace {

struct Options {
    std::string song;
    std::string device;
    std::string midi;
    std::string patch = "init";
    std::string record;
    std::string lyrics;
    std::string model;
    std::string mode = "inline";
    double rate = 0.0;
    double seconds = 0.0;
    double wait = 60.0;
    int frames = 0;
    bool null = false;
    bool no_midi = false;
    bool quiet = false;
    std::string trace;
    int look_ahead = 4;
    LiveSong generated;
};

constexpr int k_parts = k_live_parts;
constexpr int k_drum_part = 9;
constexpr int k_song_part = k_parts; // of a generated song: behind MIDI's channels, where no program change finds it
constexpr double k_post_ahead_seconds = 0.5;
constexpr double k_lead_in_seconds = 0.1;

Result<Patch> named_patch(const std::string& name) {
    if (name == "init") return Patch{};
    return find_patch(name);
}

std::int64_t underruns(const LiveOutput& live, const io::AudioOutput* output) {
    return output != nullptr ? output->underruns() : live.underruns();
}

void show(LiveOutput& output, const Stream& stream, std::int64_t underruns, const std::string& patch, int octave,
          const std::string& song) {
    const LiveOutput::Meter meter = output.meter();
    const StreamStats stats = stream.stats();
    tell("\r\x1b[K[{}] [{}] {:3} voices {:3.0f} % load {} underruns  {}  C{}{}{}",
         cli::meter(meter.peak[0], meter.average[0], 16), cli::meter(meter.peak[1], meter.average[1], 16), stats.voices,
         100.0 * meter.load, underruns + stats.late_blocks, patch, octave, song.empty() ? "" : "  ", song);
    std::fflush(stderr);
}

// What a session hands to the next, on a device that came back at another rate.
struct Kept {
    Kept() { programs.fill(-1); }
    std::array<int, k_parts> programs;
    double song_seconds = 0.0; // already heard
    double seconds = 0.0;      // of all
};

// Everything that runs while the synth plays.
class Session {
public:
    Session(Options& options, std::shared_ptr<Stream> stream, const Kept& kept)
        : m_options(options), m_stream(std::move(stream)), m_kept(kept) {}
    ~Session() { m_options.generated.end(); } // before the stream goes
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    Status begin(Engine& engine) {
        auto patch = named_patch(m_options.patch);
        if (!patch.ok()) return patch.status();
        m_patch = patch->name;
        for (int part = 0; part < k_parts; ++part) {
            Patch chosen = *patch;
            const int program = m_kept.programs[static_cast<std::size_t>(part)];
            if (part == k_drum_part || program >= 0)
                if (auto known = Patch::factory(Patch::general_midi(std::max(0, program), part == k_drum_part));
                    known.ok())
                    chosen = *known;
            if (Status status = m_stream->set_patch(part, chosen, 0); !status.ok()) return status;
        }
        auto sender = m_stream->make_sender();
        if (!sender.ok()) return sender.status();
        m_player.emplace(m_stream, std::move(sender).value());
        if (!m_options.song.empty()) {
            auto file = MidiFile::load(m_options.song);
            if (!file.ok()) return file.status();
            MidiPlayerOptions player;
            player.start_frame = static_cast<std::int64_t>(k_lead_in_seconds * m_stream->sample_rate());
            player.from_seconds = m_kept.song_seconds;
            auto song = MidiPlayer::create(std::make_shared<MidiFile>(std::move(file).value()), m_stream, player);
            if (!song.ok()) return song.status();
            m_song.emplace(std::move(song).value());
            if (Status status = feed(); !status.ok()) return status;
        }
        if (!m_options.record.empty()) {
            io::AudioFileConfig config;
            config.sample_rate = m_stream->sample_rate();
            auto writer = io::AudioFileWriter::create(m_options.record, config);
            if (!writer.ok()) return writer.status();
            m_writer.emplace(std::move(writer).value());
        }
        if (m_options.generated.asked()) m_options.generated.begin(engine, m_stream, k_song_part);
        return {};
    }

    // Until the song has ended, --seconds have passed, q or Ctrl-C, or `output`, which may be null, has gone.
    Status play(LiveOutput& live, io::AudioOutput* output) {
        RawTerminal terminal;
        std::optional<io::MidiInputs> ports;
        if (!m_options.no_midi)
            ports.emplace(m_options.midi,
                          [this](std::span<const std::uint8_t> bytes, std::chrono::steady_clock::time_point time) {
                              m_player->message(bytes, time);
                          });
        if (ports && !m_options.quiet) {
            const auto names = ports->names();
            if (!names.empty())
                tell("MIDI: {}\n", fmt::join(names, ", "));
            else if (!m_options.midi.empty())
                tell("MIDI: no port whose name holds {} yet; it is taken when it appears\n", m_options.midi);
        }
        const bool shows = !m_options.quiet && is_terminal(2);
        if (shows) tell("keys a w s e d f t g y h u j k play, z x octave, space stops all sound, q quits\n");
        Status status;
        double next_slow = 0.0;
        while (!g_interrupted && status.ok() && !finished()) {
            if (!typed(terminal)) break;
            if (Status fed = feed(); !fed.ok() && !m_options.quiet) tell("{}\n", fed.message());
            if (Status written = record(live); !written.ok()) return written;
            follow_programs();
            for (const TuningMessage& message : m_player->take_tunings())
                if (Status tuned = m_stream->tune(message); !tuned.ok() && !m_options.quiet)
                    tell("{}\n", tuned.message());
            if (shows)
                show(live, *m_stream, underruns(live, output), m_patch, m_keys.octave(), m_options.generated.line());
            if (seconds_now() < next_slow) continue;
            next_slow = seconds_now() + 0.5;
            if (output != nullptr) status = output->check();
            if (ports && status.ok()) ports->poll();
        }
        if (shows) tell("\r\x1b[K");
        if (!status.ok()) {
            m_player->panic(); // nobody lets go of a key that is held now
            return status;
        }
        // Notes of the song that are already posted would begin anew behind all sound off: the output itself closes.
        live.close();
        m_player->panic();
        // The fade is heard: 60 ms of sound, and as much time. A busy machine may take longer for them; a device that asks no more is
        // not waited for.
        const auto heard = m_stream->stats().frames + static_cast<std::int64_t>(0.06 * m_stream->sample_rate());
        const double begin = seconds_now();
        do
            std::this_thread::sleep_for(std::chrono::milliseconds(60));
        while (m_stream->stats().frames < heard && seconds_now() < begin + 2.0);
        return {};
    }

    // While there is no device: true where the user would go.
    bool leaves() {
        const int key = RawTerminal().read_key(40);
        return key == 'q' || key == 4;
    }

    // For a session on another stream; this one has ended.
    Kept kept() const {
        Kept kept = m_kept;
        const double seconds = static_cast<double>(m_stream->stats().frames) / m_stream->sample_rate();
        kept.song_seconds += std::max(0.0, seconds - k_lead_in_seconds);
        kept.seconds += seconds;
        return kept;
    }

    Status end(LiveOutput& live) {
        if (!m_writer) return {};
        if (Status status = record(live); !status.ok()) return status;
        if (Status status = m_writer->close(); !status.ok()) return status;
        if (!m_options.quiet)
            tell("{}: {:.1f} s recorded{}\n", m_options.record,
                 static_cast<double>(m_writer->frames()) / m_stream->sample_rate(),
                 live.ring()->dropped() > 0 ? ", with gaps: the disk was too slow" : "");
        return {};
    }

private:
    Status feed() {
        if (!m_song) return {};
        const auto ahead = static_cast<std::int64_t>(k_post_ahead_seconds * m_stream->sample_rate());
        return m_song->post_until(m_stream->now() + ahead);
    }

    bool finished() {
        const double seconds = static_cast<double>(m_stream->now()) / m_stream->sample_rate();
        if (m_options.seconds > 0.0) return m_kept.seconds + seconds >= m_options.seconds;
        if (m_options.generated.goes_on()) return false;
        if (!m_song) return m_options.generated.asked();
        if (!m_song->done()) return false;
        const double end = static_cast<double>(m_song->end_frame()) / m_stream->sample_rate();
        return seconds > end + 0.3 && (m_stream->stats().voices == 0 || seconds > end + 30.0);
    }

    // false: quit.
    bool typed(RawTerminal& terminal) {
        const int key = terminal.read_key(40);
        const double now = seconds_now();
        if (key == 'q' || key == 4) return false; // 4: Ctrl-D
        if (key == 'z' || key == 'x') m_keys.octave(key == 'z' ? -1 : 1);
        if (key == ' ') m_player->panic();
        if (const auto change = m_keys.press(key, now); change.key >= 0) m_player->note(change.key, true);
        for (auto due = m_keys.release_due(now); due.key >= 0; due = m_keys.release_due(now))
            m_player->note(due.key, false);
        return true;
    }

    Status record(LiveOutput& live) {
        if (!m_writer) return {};
        m_chunk.resize(2 * 16384);
        for (std::size_t frames = live.ring()->read(m_chunk); frames > 0; frames = live.ring()->read(m_chunk))
            if (Status status = m_writer->write_interleaved(std::span<const float>(m_chunk.data(), 2 * frames));
                !status.ok())
                return status;
        return {};
    }

    void follow_programs() {
        for (int part = 0; part < k_parts; ++part) {
            const int program = m_player->take_program(part);
            if (program < 0) continue;
            const auto patch = Patch::factory(Patch::general_midi(program, part == k_drum_part));
            if (!patch.ok()) continue;
            m_kept.programs[static_cast<std::size_t>(part)] = program;
            if (m_stream->set_patch(part, *patch).ok() && part == 0) m_patch = patch->name;
        }
    }

    Options& m_options;
    std::shared_ptr<Stream> m_stream;
    Kept m_kept;
    std::optional<Player> m_player;
    std::optional<MidiPlayer> m_song;
    std::optional<io::AudioFileWriter> m_writer;
    std::vector<float> m_chunk;
    TypingKeyboard m_keys;
    std::string m_patch;
};

// One stream on one device, which may go and come back. A device that comes back at another rate needs another stream: `device`
// is it, `kept` what the next one begins with, and `again` is true.
struct Played {
    Status status;
    bool again = false;
};
Played play_on(Options& options, Engine& engine, std::optional<io::AudioOutput>& device, LateOutput& late,
               const io::OutputConfig& output, Kept& kept) {
    StreamConfig config;
    config.sample_rate = device ? device->sample_rate() : options.rate > 0.0 ? options.rate : 48000.0;
    config.mode = options.mode == "ahead" ? Mode::ahead : Mode::inline_;
    config.max_frames = 8192;
    config.parts = options.generated.asked() ? k_song_part + 1 : k_parts;
    config.soft_start = true;
    config.look_ahead_blocks = options.look_ahead;
    auto stream = engine.open(config);
    if (!stream.ok()) return {stream.status()};

    Session session(options, *stream, kept);
    if (Status status = session.begin(engine); !status.ok()) return {status};
    LiveOutput live(*stream, !options.record.empty());
    std::int64_t underruns_before = 0;
    Status played;
    bool again = false, leaves = false;
    late.live.store(&live, std::memory_order_release);
    if (device) {
        if (Status status = device->start(); !status.ok()) return {status};
    } else {
        live.start_null(options.frames > 0 ? options.frames : 256);
    }
    if (!options.quiet)
        tell("{}, {:g} Hz, {}\n", device ? device->device().name : std::string("no device (--null)"),
             config.sample_rate, engine.backend());
    for (;;) {
        if (played.ok()) played = session.play(live, device ? &*device : nullptr);
        if (played.ok() || !device || options.wait == 0.0) break;
        const io::AudioDevice lost = device->device();
        underruns_before += device->underruns();
        device.reset(); // nothing of the old one is left when a new one is opened
        late.live.store(nullptr, std::memory_order_release);
        if (!options.quiet) tell("{}: the device has gone; waiting {:g} s for its return\n", lost.name, options.wait);
        auto back = wait_for_return(lost, output, LateOutput::callback, &late,
                                    {options.wait, [&] { return leaves = session.leaves(); }});
        if (!back && (leaves || g_interrupted)) played = {};
        if (!back) break;
        device = std::move(back);
        again = device->sample_rate() != config.sample_rate;
        if (!options.quiet) tell("{}: back at {:g} Hz\n", lost.name, device->sample_rate());
        if (again) break;
        live.fade_in();
        late.live.store(&live, std::memory_order_release);
        played = device->start(); // one that went again at once is waited for again
    }
    const std::int64_t late_by_device = underruns_before + underruns(live, device ? &*device : nullptr);
    if (device && !again)
        if (Status stopped = device->stop(); !stopped.ok() && played.ok()) played = stopped;
    if (!again) device.reset();
    late.live.store(nullptr, std::memory_order_release);
    live.stop_null();
    if (Status status = session.end(live); !status.ok()) return {status};
    if (again && !options.record.empty())
        return {Status(Code::device_failed,
                       fmt::format("the device came back at {:g} Hz, the recording has {:g}", device->sample_rate(),
                                   config.sample_rate),
                       "the recording ends where the device went", "record to another file from there on")};
    if (again && options.generated.goes_on())
        return {Status(Code::device_failed,
                       fmt::format("the device came back at {:g} Hz, the song is generated for a stream of {:g}",
                                   device->sample_rate(), config.sample_rate),
                       "the song ends where the device went", "play again")};
    kept = session.kept();
    if (again) return {{}, true};
    if (!played.ok()) return {played};
    if (Status made = options.generated.status(); !made.ok() && made.code() != Code::cancelled) return {made};
    const StreamStats stats = (*stream)->stats();
    if (!options.quiet)
        tell("{:.1f} s played, {} underruns, {} late blocks, {} late events, {} voices stolen\n", kept.seconds,
             late_by_device, stats.late_blocks, stats.late_events, stats.stolen_voices);
    if (!options.quiet) {
        const EngineStats all = engine.stats();
        if (*all.fallback != '\0') tell("{}; see `tutti doctor`\n", all.fallback);
        if (stats.late_blocks > 0 && stats.proposed_look_ahead > config.look_ahead_blocks)
            tell("this machine needs more time: --look-ahead {}\n", stats.proposed_look_ahead);
    }
    return {};
}

int run(Options& options) {
    const auto wrong = [](const std::string& what, const std::string& remedy) {
        return fail(Status(Code::out_of_range, what, "nothing was played", remedy));
    };
    if (options.mode != "inline" && options.mode != "ahead")
        return wrong(fmt::format("--mode {} is unknown", options.mode), "use inline or ahead");
    const char* const nothing = "nothing was played";
    for (const Status& status :
         {options.rate == 0.0 ? Status() : check_range("--rate", options.rate, 8000.0, 192000.0, nothing),
          check_range("--seconds", options.seconds, 0.0, 1e9, nothing),
          check_range("--wait", options.wait, 0.0, 1e6, nothing),
          check_range("--frames", options.frames, 0.0, 8192.0, nothing),
          check_range("--look-ahead", options.look_ahead, 1.0, 256.0, nothing)})
        if (!status.ok()) return fail(status);

    if (is_sound_file(options.song) && options.generated.asked())
        return wrong("--generate plays beside MIDI, not beside a sound file", "leave one of them away");
    if (is_sound_file(options.song))
        return play_sound({options.song, options.lyrics, options.model, options.device, options.rate, options.seconds,
                           options.wait, options.frames, options.null, options.quiet});
    if (options.generated.asked()) {
        if (Status status = options.generated.prepare(options.lyrics == "-" ? "" : options.lyrics, options.quiet);
            !status.ok())
            return fail(status);
    } else if (!options.lyrics.empty()) {
        return wrong("--lyrics belong to a sound file", "name one, or --generate a song of them");
    }

    LateOutput late;
    std::optional<io::AudioOutput> device;
    io::OutputConfig output;
    output.device = options.device;
    output.sample_rate = options.rate;
    output.frames = options.frames;
    if (!options.null) {
        auto opened = io::AudioOutput::open(output, LateOutput::callback, &late);
        if (!opened.ok()) return fail(opened.status());
        device.emplace(std::move(opened).value());
    }
    auto engine = Engine::create();
    if (!engine.ok()) return fail(engine.status());
    catch_interrupts();
    Kept kept;
    while (true) {
        const Played played = play_on(options, **engine, device, late, output, kept);
        if (played.again) continue;
        if (!played.status.ok()) return fail(played.status);
        break;
    }
    return g_interrupted ? exit_interrupted : exit_ok;
}

} // namespace

Command add_play(CLI::App& app) {
    CLI::App* sub = app.add_subcommand("play", "The live synth: MIDI ports, the computer keyboard, a MIDI file");
    auto options = std::make_shared<Options>();
    sub->add_option("SONG", options->song, "Standard MIDI File, or a sound file, to play");
    sub->add_option("--device", options->device, "Audio device by number, name or a part of it; default: the system's");
    option(*sub, "--rate", options->rate, "Sample rate in Hz, 0: the device's own");
    option(*sub, "--frames", options->frames, "Frames a block, 0: as the device likes");
    sub->add_option("--midi", options->midi, "Listen to the MIDI ports whose name holds this; default: all");
    option(*sub, "--patch", options->patch, "Factory patch or patch file for every part");
    option(*sub, "--mode", options->mode, "inline (no added latency) or ahead (render thread)");
    CLI::Option* const lyrics = sub->add_option("--lyrics", options->lyrics,
                                                "A sound file's words in time: this .lrc file or the one beside it; of "
                                                "--generate: a text, or a file of it")
                                    ->expected(0, 1);
    sub->add_option("--model", options->model, "Whisper folder that hears the words where there is no .lrc file");
    options->generated.add_options(*sub);
    option(*sub, "--look-ahead", options->look_ahead, "Blocks of 64 frames that ahead renders before they are heard");
    sub->add_option("--record", options->record, "Also write what is heard to this sound file");
    option(*sub, "--seconds", options->seconds, "Stop after so long, 0: at the song's end or on q");
    option(*sub, "--wait", options->wait, "Seconds to wait for a device that has gone, 0: end at once");
    sub->add_flag("--null", options->null, "Play without an audio device");
    sub->add_flag("--no-midi", options->no_midi, "Listen to no MIDI port");
    sub->add_flag("--quiet", options->quiet, "No meters, no summary");
    trace_option(*sub, options->trace);
    return {sub, [options, lyrics] {
                if (lyrics->count() > 0 && options->lyrics.empty()) options->lyrics = "-"; // given without a name
                return traced(options->trace, options->quiet, [options] { return run(*options); });
            }};
}

} // namespace tutti::cli
