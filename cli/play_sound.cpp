// SPDX-License-Identifier: MIT
#include "cli/play_sound.h"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include <tutti/engine.h>

#include "cli/command.h"
#include "cli/late_output.h"
#include "cli/lost_device.h"
#include "cli/lyrics.h"
#include "cli/terminal.h"
#include "io/audio_device.h"
#include "io/audio_file.h"

#if defined(TUTTI_WITH_MODELS)
#include "cli/sound_source.h"
#include <models/whisper/recording.h>
#include <models/whisper/writers.h>
#endif

namespace tutti::cli {

namespace {

namespace fs = std::filesystem;

// The words as the model hears them.
Result<std::vector<LyricLine>> hear(const SoundPlay& options) {
#if defined(TUTTI_WITH_MODELS)
    auto transcriber =
        models::Transcriber::open(options.model, static_cast<int>(std::max(1u, std::thread::hardware_concurrency())),
                                  [] { return g_interrupted.load(); });
    if (!transcriber) return transcriber.status();
    auto source = SoundSource::open(options.song);
    if (!source) return source.status();
    models::RecordingOptions how;
    how.chunked.generate.temperatures = {0.0};
    how.chunked.generate.task = transcriber->generation().multilingual ? "transcribe" : "";
    how.segments = how.words = true;
    how.cancelled = [] { return g_interrupted.load(); };
    Progress progress("listening", std::max((*source)->seconds(), 0.01), options.quiet);
    how.progress = [&](double seconds) { progress.update(seconds); };
    models::TranscriptDocument document;
    models::RecordingReport report;
    if (Status status = models::transcribe_recording(*transcriber, **source, how, document, report); !status)
        return status;
    models::WriterOptions writer;
    writer.word_level = true;
    return parse_lrc(models::write_transcript(document, "lrc", writer));
#else
    return Status(Code::unsupported, "this tutti was built without models", "no lyrics are shown",
                  "give --lyrics FILE.lrc");
#endif
}

Result<std::vector<LyricLine>> lyrics_of(const SoundPlay& options) {
    if (options.lyrics != "-" && options.lyrics != "true")
        return load_lrc(options.lyrics); // without a name CLI11 gives "true"
    const fs::path beside = fs::path(options.song).replace_extension(".lrc");
    std::error_code error;
    if (fs::exists(beside, error)) return load_lrc(beside);
    if (!options.model.empty()) return hear(options);
    return Status(Code::file_not_found, beside.string() + ": there are no lyrics beside the song", "nothing was played",
                  "give --lyrics FILE.lrc, or --model DIR to hear them");
}

} // namespace

bool is_sound_file(const std::string& path) {
    return io::format_of(path).has_value() || path.ends_with(".aiff") || path.ends_with(".aif");
}

int play_sound(const SoundPlay& options) {
    catch_interrupts();
    std::vector<LyricLine> lyrics;
    if (!options.lyrics.empty()) {
        auto found = lyrics_of(options);
        if (!found) return fail(found.status());
        lyrics = std::move(found).value();
    }
    auto buffer = io::load_audio(options.song);
    if (!buffer) return fail(buffer.status());
    if (buffer->frames() == 0)
        return fail(
            Status(Code::malformed, options.song + ": holds no sound", "nothing was played", "name another file"));
    const double length = static_cast<double>(buffer->frames()) / buffer->sample_rate;
    auto sound = std::make_shared<Sound>(buffer->sample_rate, std::move(buffer->channels));

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
    StreamConfig config;
    config.sample_rate = device ? device->sample_rate() : options.rate > 0.0 ? options.rate : 48000.0;
    config.mode = Mode::inline_;
    config.max_frames = 8192;
    config.parts = 1;
    config.soft_start = true;
    auto stream = (*engine)->open(config);
    if (!stream.ok()) return fail(stream.status());
    auto clip = (*stream)->play(0, sound, {}, 0);
    if (!clip.ok()) return fail(clip.status());
    LiveOutput live(*stream, false);
    late.live.store(&live, std::memory_order_release);
    if (device) {
        if (Status status = device->start(); !status.ok()) return fail(status);
    } else {
        live.start_null(options.frames > 0 ? options.frames : 256);
    }
    // What is heard now was asked for one device latency ago.
    const double behind = device ? device->latency_seconds() : 0.0;
    const bool terminal = is_terminal(1);
    std::string shown;
    Status status;
    {
        RawTerminal keys;
        const double end = options.seconds > 0.0 ? std::min(options.seconds, length) : length;
        while (!g_interrupted && status.ok()) {
            const double now = static_cast<double>((*stream)->now()) / config.sample_rate - behind;
            if (now >= end + 0.05) break;
            if (keys.read_key(20) == 'q') break;
            if (!keys.active()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
            const std::string text = shown_at(lyrics, now, terminal);
            if (text != shown && terminal) {
                fmt::print("\r\x1b[K{}", text);
            } else if (text != shown &&
                       !text.empty()) { // words come one after another; a new line begins where none was begun
                if (text.starts_with(shown) && !shown.empty())
                    fmt::print("{}", text.substr(shown.size()));
                else
                    fmt::print("{}{}", shown.empty() ? "" : "\n", text);
            }
            if (text != shown) std::fflush(stdout);
            if (!text.empty() || terminal) shown = text;
            if (!device) continue;
            status = device->check();
            if (status.ok() || options.wait == 0.0) continue;
            const io::AudioDevice lost = device->device();
            device.reset(); // nothing of the old one is left when a new one is opened
            if (!options.quiet)
                tell("{}: the device has gone; waiting {:g} s for its return\n", lost.name, options.wait);
            bool leaves = false;
            device = wait_for_return(lost, output, LateOutput::callback, &late,
                                     {options.wait, [&] { return leaves = keys.read_key(20) == 'q'; }});
            if (!device) {
                if (leaves || g_interrupted) status = {};
                break;
            }
            if (device->sample_rate() != config.sample_rate) {
                status = Status(Code::device_failed,
                                fmt::format("{}: came back at {:g} Hz, not at {:g}", lost.name, device->sample_rate(),
                                            config.sample_rate),
                                "the sound ends here", "play it again");
                break;
            }
            live.fade_in();
            status = device->start();
            if (!options.quiet && status.ok()) tell("{}: back\n", lost.name);
        }
    }
    if (!shown.empty()) fmt::print("\n");
    std::fflush(stdout); // before the summary, which goes another way
    if (device && status.ok())
        if (Status stopped = device->stop(); !stopped.ok() && status.ok()) status = stopped;
    live.stop_null();
    if (!status.ok()) return fail(status);
    if (!options.quiet)
        fmt::print(stderr, "{:.1f} s played, {} late blocks\n",
                   static_cast<double>((*stream)->stats().frames) / config.sample_rate, (*stream)->stats().late_blocks);
    return g_interrupted ? exit_interrupted : exit_ok;
}

} // namespace tutti::cli
