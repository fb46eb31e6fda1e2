// SPDX-License-Identifier: MIT
// tutti generate: lyrics and tags to a song. Over 400 lines: one run from its options to its files, whose parts share its state.
#include "cli/generate.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/late_output.h"
#include "cli/sound_source.h"
#include "io/audio_device.h"
#include "io/audio_file.h"
#include "io/unfinished_file.h"
#include <models/heartmula/gate.h>
#include <models/nn/isa.h>
#include <models/tokenizer/utf8.h>
#include <models/whisper/recording.h>
#include <models/whisper/writers.h>

namespace tutti::cli {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::string clock(double seconds) {
    const int whole = static_cast<int>(seconds);
    return fmt::format("{}:{:02d}", whole / 60, whole % 60);
}

Status write_text(const fs::path& path, const std::string& text) {
    auto file = io::UnfinishedFile::create(path);
    if (!file) return file.status();
    std::ofstream out(file->path(), std::ios::binary);
    out << text << "\n";
    out.close();
    if (!out)
        return Status(Code::file_unwritable, path.string() + ": cannot be written", "it was not kept",
                      "make room, or choose another place");
    return file->keep();
}

// Ctrl-C becomes the models' token within 5 ms.
class Watch {
public:
    explicit Watch(CancelToken token)
        : m_thread([this, token] {
              while (!m_end) {
                  if (g_interrupted) {
                      token.cancel();
                      m_when = seconds_now();
                      return;
                  }
                  std::this_thread::sleep_for(std::chrono::milliseconds(5));
              }
          }) {}
    ~Watch() {
        m_end = true;
        m_thread.join();
    }
    double when() const noexcept { return m_when; } // it was cancelled; 0: never

private:
    std::atomic<bool> m_end{false};
    std::atomic<double> m_when{0.0};
    std::thread m_thread;
};

// Frames, seconds of music and time left, redrawn on a terminal; elsewhere a plain line a tenth.
class MusicBar {
public:
    explicit MusicBar(bool quiet) : m_quiet(quiet), m_terminal(is_terminal(2)), m_begin(seconds_now()) {}
    void show(const models::MusicProgress& p) {
        const double now = seconds_now();
        const int tenth = static_cast<int>(p.fraction * 10.0);
        if (m_quiet || (m_terminal ? now - m_last < 0.1 : tenth <= m_tenth || now - std::max(m_last, m_begin) < 1.0))
            return;
        m_last = now;
        m_tenth = tenth;
        const double left = p.fraction > 0.0 ? (now - m_begin) * (1.0 - p.fraction) / p.fraction : 0.0;
        std::string bar;
        for (int i = 0; m_terminal && i < 24; ++i)
            bar += i < static_cast<int>(p.fraction * 24.0) ? "█" : "░";
        tell("{}{} {} {:3.0f} %  {}/{} frames, {} of {} of sound, {} left{}", m_terminal ? "\r\x1b[K" : "", p.stage,
             bar, 100.0 * p.fraction, p.frames, p.most_frames, clock(p.seconds), clock(p.most_frames * 0.08),
             clock(left), m_terminal ? "" : "\n");
        std::fflush(stderr);
    }
    void finish() const {
        if (m_terminal && m_last > 0.0) tell("\r\x1b[K");
    }

private:
    bool m_quiet, m_terminal;
    double m_begin, m_last = 0.0;
    int m_tenth = 0;
};

// The files of one song.
struct Output {
    fs::path sound, codes, side;
    std::optional<io::AudioFileWriter> writer;
};

fs::path beside(const fs::path& sound, const char* ending) {
    fs::path path = sound;
    return path.replace_extension(ending);
}

class Run {
public:
    explicit Run(const GenerateOptions& options) : m_options(options) {}

    int operator()() {
        auto plan = plan_generation(m_options);
        if (!plan) return fail(plan.status());
        m_plan = std::move(plan).value();
        if (m_options.output.empty() && !m_options.stream)
            return fail(Status(Code::invalid_argument, "no -o is given", "nothing was generated",
                               "name a .wav, .flac, .ogg or .mp3 file, or --stream to hear it"));
        if (!m_options.quiet)
            for (const std::string& note : m_plan.notes)
                tell("note: {}\n", note);
        catch_interrupts();
        m_rate = 48000.0;
        if (auto codec = models::HeartCodecConfig::open(m_plan.load.folder.codec); codec)
            m_rate = codec->sample_rate;
        else
            return fail(codec.status());
        if (Status status = open_outputs(); !status) return fail(status);
        if (!m_options.quiet && !m_options.given_seed->count() && m_options.resume.empty() &&
            m_options.decode_only.empty())
            tell("seed {}\n", m_plan.request.seed);
        m_begin = seconds_now();
        return m_options.stream ? stream() : offline();
    }

private:
    Status open_outputs() {
        if (m_options.output.empty()) return {};
        const fs::path given = m_options.output;
        if (!io::format_of(given) && m_options.output != "-")
            return Status(Code::invalid_argument, m_options.output + ": the ending names no format",
                          "nothing was generated", "end it in .wav, .flac, .ogg or .mp3");
        if (m_options.bits != "16" && m_options.bits != "24" && m_options.bits != "32f")
            return Status(Code::invalid_argument, "--bits " + m_options.bits + " is unknown", "nothing was generated",
                          "use 16, 24 or 32f");
        for (int n = 0; n < m_plan.request.songs; ++n) {
            Output out;
            out.sound = given;
            if (m_plan.request.songs > 1)
                out.sound.replace_filename(
                    fmt::format("{}-{}{}", given.stem().string(), n + 1, given.extension().string()));
            out.codes = beside(out.sound, ".codes.json");
            out.side = beside(out.sound, ".json");
            io::AudioFileConfig config;
            config.sample_rate = m_rate;
            config.channels = 2;
            config.samples = m_options.bits == "16"    ? io::SampleFormat::int16
                             : m_options.bits == "32f" ? io::SampleFormat::float32
                                                       : io::SampleFormat::int24;
            config.title = out.sound.stem().string();
            models::CodesFile parameters = m_plan.parameters;
            parameters.seed += static_cast<std::uint64_t>(n);
            config.comment = parameters.text(false);
            config.expected_frames = static_cast<std::int64_t>((m_plan.request.max_frames + 1) * 0.08 * m_rate);
            auto writer = io::AudioFileWriter::create(out.sound, std::move(config));
            if (!writer) return writer.status();
            out.writer.emplace(std::move(writer).value());
            m_outputs.push_back(std::move(out));
        }
        return {};
    }

    models::SongSink sink() {
        return [this](int song, std::span<const float> left, std::span<const float> right) -> Status {
            if (m_outputs.empty()) return {};
            const float* channels[] = {left.data(), right.data()};
            return m_outputs[static_cast<std::size_t>(song)].writer->write(channels, left.size());
        };
    }

    // int8 must say what FP32 says, on this very song.
    Status gate(models::MusicModels& models) {
        if (m_plan.load.arithmetic != models::MulaArithmetic::int8 || m_options.gate_frames == 0 ||
            m_plan.request.decode_only)
            return {};
        models::MulaOptions options;
        options.threads = m_plan.load.threads;
        options.token = m_plan.load.token;
        auto wide = models::HeartMula::open(m_plan.load.folder.language_model, models.config(), options);
        if (!wide) return wide.status();
        if (!models.language())
            if (Status status = models.reload(models::MulaArithmetic::int8); !status) return status;
        models::SongRequest request;
        models::PromptOptions prompt = m_plan.request.prompt;
        request.prompt = models::make_prompt(models.tokenizer(), models.config(), m_plan.request.tags,
                                             m_plan.request.lyrics, prompt);
        request.seed = m_plan.request.seed;
        request.guidance = m_plan.request.guidance;
        request.temperature = m_plan.request.temperature;
        request.top_k = m_plan.request.top_k;
        auto report = models::compare_scores(*wide, *models.language(), std::move(request), m_options.gate_frames);
        if (!report) return report.status();
        if (report->passed()) {
            if (!m_options.quiet) tell("int8 beside fp32, {}\n", report->text());
            return {};
        }
        tell("int8 differs too much from fp32 with this model ({}); bf16 is used instead\n", report->text());
        m_plan.parameters.dtype = "bf16";
        return models.reload(models::MulaArithmetic::bf16);
    }

    int offline() {
        Watch watch(m_plan.load.token);
        auto models = models::MusicModels::open(m_plan.load);
        if (!models) return ended(models.status(), watch);
        if (Status status = gate(*models); !status) return ended(status, watch);
        {
            MusicBar bar(m_options.quiet);
            m_plan.request.progress = [&](const models::MusicProgress& p) { bar.show(p); };
            m_status = models->generate(m_plan.request, sink(), m_result);
            bar.finish();
        }
        return ended(m_status, watch);
    }

    int stream() {
        auto engine = Engine::create();
        if (!engine) return fail(engine.status());
        LateOutput late;
        std::optional<io::AudioOutput> device;
        if (!m_options.null) {
            io::OutputConfig config;
            config.device = m_options.audio_device;
            auto opened = io::AudioOutput::open(config, LateOutput::callback, &late);
            if (!opened) return fail(opened.status());
            device.emplace(std::move(opened).value());
        }
        StreamConfig config;
        config.sample_rate = device ? device->sample_rate() : 48000.0;
        config.mode = Mode::inline_;
        config.max_frames = 8192;
        config.parts = 1;
        config.soft_start = true;
        auto stream = (*engine)->open(config);
        if (!stream) return fail(stream.status());
        LiveOutput live(*stream, false);
        late.live.store(&live, std::memory_order_release);
        if (device) {
            if (Status status = device->start(); !status) return fail(status);
        } else {
            live.start_null(256);
        }
        Watch watch(m_plan.load.token);
        Status lost;
        {
            GeneratedClip clip(**engine, *stream, 0, m_plan, sink());
            const bool terminal = is_terminal(2);
            std::string told;
            double next = 0.0;
            while (!clip.heard() && !g_interrupted && lost.ok()) {
                std::this_thread::sleep_for(std::chrono::milliseconds(20));
                if (device) lost = device->check();
                if (m_options.quiet || seconds_now() < next) continue;
                const std::string line = clip.line();
                next = seconds_now() + (terminal ? 0.2 : 5.0);
                if (line == told) continue;
                told = line;
                tell("{}{}{}", terminal ? "\r\x1b[K" : "", line, terminal ? "" : "\n");
            }
            if (terminal && !m_options.quiet) tell("\r\x1b[K");
            if (g_interrupted || !lost.ok()) clip.cancel();
            while (!clip.generated())
                std::this_thread::sleep_for(std::chrono::milliseconds(5));
            m_status = clip.status();
            m_result = clip.result();
        }
        late.live.store(nullptr, std::memory_order_release);
        if (device) (void)device->stop();
        live.stop_null();
        if (!m_options.quiet)
            tell("{} dry moments of the clip, {} late blocks\n", (*stream)->stats().dry_clips,
                 (*stream)->stats().late_blocks);
        if (!lost.ok() && m_status.ok()) m_status = lost;
        return ended(m_status, watch);
    }

    // Files are closed and told, however it ended.
    int ended(const Status& status, const Watch& watch) {
        const bool stopped = status.code() == Code::cancelled;
        double seconds = 0.0;
        std::vector<std::string> written;
        for (std::size_t n = 0; n < m_outputs.size(); ++n) {
            Output& out = m_outputs[n];
            const bool some = n < m_result.songs.size();
            if (out.writer->frames() > 0) {
                if (Status closed = out.writer->close(); !closed) return fail(closed);
                written.push_back(out.sound.string());
                if (n == 0) seconds = static_cast<double>(out.writer->frames()) / m_rate;
            } else {
                out.writer->discard();
            }
            if (!some || m_result.songs[n].frames == 0 || m_options.output == "-") continue; // a pipe has no neighbours
            models::CodesFile codes = m_plan.parameters;
            codes.seed = m_result.songs[n].seed;
            codes.codes = m_result.songs[n].codes;
            codes.ended = status.ok();
            if (Status kept = write_text(out.codes, codes.text()); !kept) return fail(kept);
            written.push_back(out.codes.string());
            if (status.ok())
                if (Status kept = write_text(out.side, side(n).dump(2, ' ', false, Json::error_handler_t::replace));
                    !kept)
                    return fail(kept);
        }
        if (stopped) {
            const int frames = m_result.songs.empty() ? 0 : m_result.songs[0].frames;
            tell("tutti: interrupted; {} of sound are decoded, {} frames ({}) are written as codes{}{}\n",
                 clock(seconds), frames, clock(frames * 0.08),
                 written.empty() ? "; nothing was kept" : fmt::format(": {}", fmt::join(written, ", ")),
                 frames > 0 && !m_outputs.empty() ? fmt::format("; go on with --resume {}", m_outputs[0].codes.string())
                                                  : "");
            if (watch.when() > 0.0 && !m_options.quiet)
                tell("stopped {:.0f} ms after the signal\n", 1000.0 * (seconds_now() - watch.when()));
            return exit_interrupted;
        }
        if (!status) return fail(status);
        if (!m_options.quiet) {
            const models::MusicSong& first = m_result.songs.front();
            const double wall = seconds_now() - m_begin, music = static_cast<double>(first.samples) / m_rate;
            tell("{} of music in {:.1f} s{}: load {:.2f} s, prompt {:.1f}, {} frames {:.1f} ({:.2f}/s), codec {:.1f} "
                 "({} windows), first "
                 "sound after {:.1f} s; peak {:.0f} MB{}\n",
                 clock(music), wall, first.ended ? "" : " (as long as asked)", m_result.load_seconds,
                 m_result.prompt_seconds, first.frames, m_result.frame_seconds,
                 m_result.frame_seconds > 0.0 ? first.frames / m_result.frame_seconds : 0.0, m_result.codec_seconds,
                 m_result.windows, std::max(0.0, m_result.first_sound_seconds), peak_memory_mb(),
                 m_outputs.empty() ? "" : " -> " + m_outputs[0].sound.string());
        }
        if (m_options.json) {
            Json all = Json::array();
            for (std::size_t n = 0; n < m_result.songs.size(); ++n)
                all.push_back(side(n));
            fmt::print("{}\n", all.dump(-1, ' ', false, Json::error_handler_t::replace));
        }
        return m_options.verify.empty() ? static_cast<int>(exit_ok) : verify();
    }

    Json side(std::size_t n) const {
        const models::MusicSong& song = m_result.songs[n];
        models::CodesFile parameters = m_plan.parameters;
        parameters.seed = song.seed;
        Json json = Json::parse(parameters.text(false));
        json.erase("format");
        json["output"] = n < m_outputs.size() ? m_outputs[n].sound.string() : "";
        json["frames"] = song.frames;
        json["seconds"] = static_cast<double>(song.samples) / m_rate;
        json["ended"] = song.ended;
        json["smallest_lead"] = song.lead;
        json["prompt_positions"] = m_result.prompt_positions;
        json["load_seconds"] = m_result.load_seconds;
        json["prompt_seconds"] = m_result.prompt_seconds;
        json["frame_seconds"] = m_result.frame_seconds;
        json["codec_seconds"] = m_result.codec_seconds;
        json["windows"] = m_result.windows;
        json["first_sound_seconds"] = m_result.first_sound_seconds;
        json["threads"] = m_plan.load.threads;
        json["peak_mb"] = peak_memory_mb();
        json["tutti"] = TUTTI_VERSION_TEXT;
        return json;
    }

    // Hears the songs and lays the lyrics over them.
    int verify() {
        fs::path folder = m_options.verify;
        if (m_options.verify == "-" || m_options.verify == "true")
            folder = m_plan.load.folder.root / "HeartTranscriptor-oss";
        std::error_code error;
        if (!fs::exists(folder / "config.json", error) &&
            fs::exists(folder / "HeartTranscriptor-oss/config.json", error))
            folder /= "HeartTranscriptor-oss";
        if (!fs::exists(folder / "config.json", error))
            return fail(Status(Code::file_not_found, "looked for a transcriber in " + folder.string(),
                               "the song was not verified",
                               "name a HeartTranscriptor (or Whisper) folder behind --verify"));
        const auto stop = [] { return g_interrupted.load(); };
        auto transcriber = models::Transcriber::open(folder, m_plan.load.threads, stop);
        if (!transcriber) return fail(transcriber.status());
        for (const Output& out : m_outputs) {
            auto source = SoundSource::open(out.sound.string());
            if (!source) return fail(source.status());
            models::RecordingOptions how;
            how.segments = how.words = true;
            how.cancelled = stop;
            if (!transcriber->generation().multilingual) how.chunked.generate.task = "";
            std::string line;
            std::size_t words = 0;
            std::vector<std::size_t> last_word; // of each line, one beyond
            for (const char c : m_plan.request.lyrics + "\n") {
                if (c != '\n') {
                    line += c;
                    continue;
                }
                const std::string plain(models::strip(line));
                line.clear();
                if (plain.empty() || (plain.front() == '[' && plain.back() == ']')) continue;
                how.lyrics.push_back(plain);
                bool inside = false;
                for (const char d : plain + " ") {
                    if (d == ' ' && inside) ++words;
                    inside = d != ' ';
                }
                last_word.push_back(words);
            }
            if (how.lyrics.empty())
                return fail(Status(Code::invalid_argument, "the lyrics hold no words", "the song was not verified",
                                   "give words"));
            models::TranscriptDocument document;
            models::RecordingReport report;
            if (Status status = models::transcribe_recording(*transcriber, **source, how, document, report); !status)
                return fail(status);
            const std::size_t missed = std::min(words, report.unheard_lyrics.size());
            std::vector<std::string> missing;
            for (std::size_t l = 0, first = 0; l < last_word.size(); first = last_word[l++]) {
                std::size_t unheard = 0;
                for (const std::int64_t word : report.unheard_lyrics)
                    unheard += static_cast<std::size_t>(word) >= first && static_cast<std::size_t>(word) < last_word[l]
                                   ? 1
                                   : 0;
                if (2 * unheard >= last_word[l] - first) missing.push_back(how.lyrics[l]);
            }
            fmt::print("{}: {} of {} words heard ({:.0f} %)\n", out.sound.string(), words - missed, words,
                       words > 0 ? 100.0 * static_cast<double>(words - missed) / static_cast<double>(words) : 0.0);
            for (const std::string& one : missing)
                fmt::print("missing: {}\n", one);
            models::WriterOptions writer;
            writer.word_level = true;
            const std::string lrc = models::write_transcript(document, "lrc", writer);
            if (Status status = write_text(beside(out.sound, ".lrc"), lrc); !status) return fail(status);
            fmt::print("{}\n", lrc);
        }
        return g_interrupted ? exit_interrupted : exit_ok;
    }

    const GenerateOptions& m_options;
    GeneratePlan m_plan;
    models::MusicResult m_result;
    Status m_status;
    double m_rate = 48000.0, m_begin = 0.0;
    std::vector<Output> m_outputs;
};

} // namespace

Command add_generate(CLI::App& app) {
    CLI::App* sub = app.add_subcommand("generate", "A song from lyrics and tags");
    auto options = std::make_shared<GenerateOptions>();
    GenerateOptions& o = *options;
    sub->add_option("--lyrics", o.lyrics, "Text, or a file of it; section marks such as [verse] are text");
    add_generation_options(*sub, o);
    sub->add_option("-o,--output,--save_path", o.output,
                    "Sound file: .wav .flac .ogg .mp3; with several songs: NAME-1, NAME-2, ...");
    option(*sub, "--bits", o.bits, "Samples of wav and flac: 16, 24 or 32f");
    option(*sub, "--songs", o.songs, "Songs in one batch: the weights are read once for all");
    sub->add_option("--resume", o.resume, "Go on from this .codes.json; texts, seed and parameters stand in it");
    sub->add_option("--decode-only", o.decode_only, "Turn this .codes.json into sound");
    sub->add_flag("--stream", o.stream, "Play while it generates, as soon as it can play through");
    sub->add_option("--audio-device", o.audio_device, "Device of --stream; default: the system's");
    sub->add_flag("--null", o.null, "--stream without an audio device");
    CLI::Option* const verify =
        sub->add_option("--verify", o.verify,
                        "Hear the song with this HeartTranscriptor folder, or the model's own: words found, LRC")
            ->expected(0, 1);
    sub->add_flag("--json", o.json, "Print what was done as JSON");
    sub->add_flag("--quiet", o.quiet, "No progress, no summary");
    auto trace = std::make_shared<std::string>();
    trace_option(*sub, *trace);
    return {sub, [options, trace, verify] {
                if (verify->count() > 0 && options->verify.empty()) options->verify = "-"; // given without a name
                return traced(*trace, options->quiet, [options] { return Run(*options)(); });
            }};
}

} // namespace tutti::cli
