// SPDX-License-Identifier: MIT
// tutti transcribe SONG...: lyrics and speech as text, subtitles and timed lyrics.
#include "cli/transcribe.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/model_dtype.h"
#include "cli/sound_source.h"
#include "engine/worker/record.h"
#include "io/unfinished_file.h"
#include <models/tokenizer/utf8.h>
#include <models/whisper/memory_budget.h>
#include <tutti/trace.h>

namespace tutti::cli {

namespace {

namespace fs = std::filesystem;

std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> parts;
    std::string part;
    for (char c : text + ",")
        if (c == ',') {
            if (!part.empty()) parts.push_back(part);
            part.clear();
        } else {
            part += c;
        }
    return parts;
}

bool known(const std::string& format) {
    const auto& all = models::transcript_formats();
    return std::find(all.begin(), all.end(), format) != all.end();
}

// Which formats go where; "" is standard output as txt.
Result<std::vector<std::string>> formats_of(const TranscribeOptions& options) {
    const auto wrong = [](const std::string& what, const std::string& remedy) {
        return Status(Code::invalid_argument, what, "nothing was transcribed", remedy);
    };
    std::vector<std::string> formats = split(options.formats);
    if (formats.size() == 1 && formats[0] == "all")
        formats.assign(models::transcript_formats().begin(), models::transcript_formats().end());
    for (const std::string& one : formats)
        if (!known(one))
            return wrong("--format " + one + " is unknown", "use txt, json, srt, vtt, tsv, lrc, csv or all");
    if (!options.output.empty() && options.output != "-") {
        if (options.songs.size() > 1)
            return wrong("-o names one file, and there are several songs", "use --output-dir");
        if (formats.empty()) {
            std::string ending = fs::path(options.output).extension().string();
            std::transform(ending.begin(), ending.end(), ending.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
            if (ending.size() < 2 || !known(ending.substr(1)))
                return wrong(options.output + ": the ending names no format",
                             "end it in .txt, .json, .srt, .vtt, .tsv, .lrc or .csv");
            formats = {ending.substr(1)};
        } else if (formats.size() > 1) {
            return wrong("-o is one file, and there are several formats", "use --output-dir");
        }
    } else if (formats.empty()) {
        formats = {"txt"};
    }
    return formats;
}

Status write_file(const fs::path& path, const std::string& text) {
    auto file = io::UnfinishedFile::create(path);
    if (!file) return file.status();
    std::ofstream out(file->path(), std::ios::binary);
    out << text;
    out.close();
    if (!out)
        return Status(Code::file_unwritable, path.string() + ": cannot be written", "the transcript was not kept",
                      "make room, or choose another place");
    return file->keep();
}

Status write_all(const TranscribeOptions& options, const std::vector<std::string>& formats, const std::string& song,
                 const models::TranscriptDocument& document, bool words, std::vector<std::string>& written) {
    models::WriterOptions how = options.writer;
    how.word_level = words;
    how.details = true;
    const bool to_files = !options.output_dir.empty() || (!options.output.empty() && options.output != "-");
    for (const std::string& format : formats) {
        const std::string text = models::write_transcript(document, format, how);
        if (!to_files) {
            if (!options.json) fmt::print("{}{}", text, text.empty() || text.back() == '\n' ? "" : "\n");
            continue;
        }
        fs::path path = options.output;
        if (!options.output_dir.empty())
            path = fs::path(options.output_dir) /
                   (song == "-" ? "standard-input." + format : fs::path(song).stem().string() + "." + format);
        if (Status status = write_file(path, text); !status) return status;
        written.push_back(path.string());
    }
    return {};
}

std::string clock(double seconds) {
    const int whole = static_cast<int>(seconds);
    return fmt::format("{}:{:02d}", whole / 60, whole % 60);
}

void tell_languages(const models::RecordingReport& report) {
    std::map<std::string, std::vector<std::size_t>> by_language;
    for (std::size_t i = 0; i < report.languages.size(); ++i)
        by_language[report.languages[i]].push_back(i + 1);
    if (by_language.size() < 2) return;
    std::string text;
    for (const auto& [language, chunks] : by_language) {
        text +=
            fmt::format("{}{} in {} of {}", text.empty() ? "" : ", ", language, chunks.size(), report.languages.size());
        if (chunks.size() <= 6) text += fmt::format(" (chunk {})", fmt::join(chunks, ", "));
    }
    fmt::print(stderr, "the chunks disagree on the language: {}; give --language to settle it\n", text);
}

struct Totals {
    double load_seconds = 0.0;
    bool failed = false;
    Status last;
};

Status transcribe_one(const TranscribeOptions& options, const std::string& song, const models::Transcriber& transcriber,
                      models::RecordingOptions how, const std::vector<std::string>& formats, Totals& totals) {
    const double begin = seconds_now();
    auto source = SoundSource::open(song);
    if (!source) return source.status();
    models::TranscriptDocument document;
    models::RecordingReport report;
    document.title = (*source)->title();
    Progress progress(fs::path((*source)->name()).filename().string(), std::max((*source)->seconds(), 0.01),
                      options.quiet);
    how.progress = [&](double seconds) { progress.update(seconds); };
    const Status status = models::transcribe_recording(transcriber, **source, how, document, report);
    progress.finish();
    const bool interrupted = status.code() == Code::cancelled;
    if (!status && !interrupted && document.segments.empty()) return status;
    const double wall = seconds_now() - begin;
    std::vector<std::string> written;
    // What was done is kept, however it ended.
    if (Status kept = write_all(options, formats, song, document, how.words || !how.lyrics.empty(), written); !kept)
        return kept;
    if (options.json) {
        nlohmann::json out = {{"song", song},
                              {"text", document.text},
                              {"language", document.language},
                              {"outputs", written},
                              {"audio_seconds", report.seconds},
                              {"wall_seconds", wall},
                              {"times_real_time", wall > 0.0 ? report.seconds / wall : 0.0},
                              {"load_seconds", totals.load_seconds},
                              {"peak_mb", peak_memory_mb()},
                              {"batch", how.chunked.batch},
                              {"dtype", dtype_name(transcriber.model().compute())},
                              {"windows", report.windows},
                              {"silent_windows", report.silent_windows},
                              {"tokens", report.tokens},
                              {"stages",
                               {{"features", report.times.features},
                                {"encoder", report.times.encoder},
                                {"decoder", report.times.decoder},
                                {"alignment", report.times.alignment}}},
                              {"chunk_languages", report.languages},
                              {"unheard_words", report.unheard_lyrics.size()},
                              {"complete", status.ok()}};
        if (!document.language_probabilities.empty())
            for (const auto& [code, probability] : document.language_probabilities)
                out["language_probs"][code] = probability;
        fmt::print("{}\n", out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    }
    if (!options.quiet) {
        if (how.chunked.generate.languages.empty()) tell_languages(report);
        if (!report.unheard_lyrics.empty())
            fmt::print(stderr, "{} words of the lyrics were not heard; they are laid between their neighbours\n",
                       report.unheard_lyrics.size());
        fmt::print(stderr,
                   "{}: {} of sound in {:.1f} s, {:.1f} times real time; load {:.1f} s, features {:.1f}, encoder "
                   "{:.1f}, decoder "
                   "{:.1f}, alignment {:.1f}; peak {:.0f} MB{}{}\n",
                   (*source)->name(), clock(report.seconds), wall, wall > 0.0 ? report.seconds / wall : 0.0,
                   totals.load_seconds, report.times.features, report.times.encoder, report.times.decoder,
                   report.times.alignment, peak_memory_mb(), document.language.empty() ? "" : "; " + document.language,
                   written.empty() ? "" : fmt::format(" -> {}", fmt::join(written, ", ")));
    }
    return status;
}

// Fewer windows in flight where more would not fit.
void fit_batch(const TranscribeOptions& options, const models::WhisperModel& model, models::ChunkedOptions& how) {
    const std::int64_t bytes = options.memory_mb > 0 ? options.memory_mb << 20 : engine::free_memory_bytes() / 5 * 4;
    const int tokens = how.generate.max_new_tokens.value_or(model.config().target_positions);
    const int batch = models::batch_that_fits(model, std::max(1, how.generate.beams), tokens, how.batch, bytes);
    if (batch == how.batch) return;
    if (!options.quiet)
        fmt::print(stderr, "{} windows at a time would take {} MB, {} MB are there: {} at a time\n", how.batch,
                   models::window_bytes(model, std::max(1, how.generate.beams), tokens) *
                           static_cast<std::size_t>(how.batch) >>
                       20,
                   bytes >> 20, batch);
    how.batch = batch;
}

int run(TranscribeOptions options) {
    const auto wrong = [](const std::string& what, const std::string& remedy) {
        return fail(Status(Code::invalid_argument, what, "nothing was transcribed", remedy));
    };
    if (options.songs.empty() && !options.stream)
        return wrong("no song is named", "name sound files, or - for standard input");
    if (options.model.empty()) return wrong("no --model is given", "name the folder of a Whisper checkpoint");
    if (options.device != "cpu" && options.device != "auto")
        return wrong("--device " + options.device + " is not supported here", "use cpu");
    if (options.threads <= 0) options.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    const auto formats = formats_of(options);
    if (!formats) return fail(formats.status());
    // HeartTranscriptor's own folder is one below the path that heartlib is given.
    fs::path folder = options.model;
    std::error_code error;
    if (!fs::exists(folder / "config.json", error) && fs::exists(folder / "HeartTranscriptor-oss/config.json", error))
        folder /= "HeartTranscriptor-oss";
    catch_interrupts();
    const auto dtype = choose_dtype(options.dtype, folder);
    if (!dtype) return fail(dtype.status());
    if (!dtype->message.empty() && !options.quiet) fmt::print(stderr, "{}\n", dtype->message);
    Totals totals;
    const double begin = seconds_now();
    const auto load = [&] {
        const trace::Span span("load model");
        return models::Transcriber::open(
            folder, options.threads, [] { return g_interrupted.load(); }, dtype->compute,
            weight_folder(options.no_cache));
    };
    auto transcriber = load();
    if (!transcriber) return fail(transcriber.status());
    totals.load_seconds = seconds_now() - begin;
    if (!options.alignment_heads.empty()) {
        auto heads = parse_heads(options.alignment_heads, transcriber->model().config());
        if (!heads) return fail(heads.status());
        transcriber->set_alignment_heads(std::move(heads).value());
    }
    auto how = recording_options(options, *transcriber, *formats);
    if (!how) return fail(how.status());
    fit_batch(options, transcriber->model(), how->chunked);
    if ((how->words || !how->lyrics.empty()) && !transcriber->generation().alignment_heads_stored && !options.quiet)
        fmt::print(stderr, "this checkpoint names no alignment heads; word times use {}\n",
                   transcriber->generation().alignment_heads_known ? "those of the published model of its size"
                                                                   : "all heads of the decoder's upper half");
    if (options.stream) return stream_transcript(options, *transcriber, *how);
    if (!options.output_dir.empty()) {
        fs::create_directories(options.output_dir, error);
        if (!fs::is_directory(options.output_dir, error))
            return fail(Status(Code::file_unwritable, options.output_dir + ": cannot be made",
                               "nothing was transcribed", "choose another --output-dir"));
    }
    for (const std::string& song : options.songs) {
        Status status = transcribe_one(options, song, *transcriber, *how, *formats, totals);
        if (g_interrupted || status.code() == Code::cancelled) {
            fmt::print(stderr, "tutti: interrupted; what was done is kept\n");
            return exit_interrupted;
        }
        if (status) continue;
        fail(status);
        totals.failed = true;
        totals.last = status;
    }
    if (!totals.failed) return exit_ok;
    return options.songs.size() > 1 ? exit_failed : exit_code(totals.last);
}

} // namespace

Command add_transcribe(CLI::App& app) {
    CLI::App* sub = app.add_subcommand("transcribe", "Lyrics and speech as text, subtitles and timed lyrics");
    auto options = std::make_shared<TranscribeOptions>();
    TranscribeOptions& o = *options;
    sub->add_option("SONG,--music_path", o.songs, "Sound files, any that libsndfile reads; - is standard input");
    sub->add_option("--model,--model_path", o.model, "Folder of a Whisper checkpoint (config.json, model.safetensors)");
    sub->add_option("-o,--output,--save_path", o.output,
                    "Transcript; its ending is its format: txt json srt vtt tsv lrc csv");
    sub->add_option("--output-dir,--output_dir", o.output_dir, "A transcript a song and format in this folder");
    sub->add_option("--format,--output_format", o.formats,
                    "Formats of --output-dir, comma-separated, or all; default: txt");
    option(*sub, "--mode", o.mode, "chunked, sequential or openai");
    sub->add_option("--language", o.language, "Code or English name; default: detected");
    option(*sub, "--task", o.task, "transcribe, or translate to English");
    sub->add_option("--beam,--beam_size,--num_beams", o.beam, "Beams at temperature 0");
    sub->add_option("--best-of,--best_of", o.best_of, "Samples above temperature 0 (openai)");
    sub->add_option("--patience", o.patience, "Of the beam search (openai)");
    sub->add_option("--length-penalty,--length_penalty", o.length_penalty, "Of the beam search");
    sub->add_option("--temperature", o.temperature, "Temperatures in turn, while the tests fail");
    sub->add_option("--max-new-tokens,--max_new_tokens", o.max_new_tokens, "Of a window");
    sub->add_option("--initial-prompt,--initial_prompt", o.initial_prompt, "Text as if said before: names, style");
    sub->add_flag("--carry-initial-prompt,--carry_initial_prompt", o.carry_prompt, "Before every window (openai)");
    sub->add_option("--condition-on-previous-text,--condition_on_previous_text", o.condition, "yes or no");
    sub->add_option("--suppress-tokens,--suppress_tokens", o.suppress_tokens,
                    "Ids never said, -1: non-speech signs (openai)");
    sub->add_option("--compression-ratio-threshold,--compression_ratio_threshold", o.compression_ratio,
                    "Above it a text repeats itself; none: no test");
    sub->add_option("--logprob-threshold,--logprob_threshold", o.logprob, "Below it a text is unlikely; none: no test");
    sub->add_option("--no-speech-threshold,--no_speech_threshold", o.no_speech,
                    "Above it an unlikely text is silence; none: no test");
    sub->add_option("--hallucination-silence-threshold,--hallucination_silence_threshold", o.hallucination,
                    "Seconds of silence around odd words that take them out (openai)");
    sub->add_option("--clip-timestamps,--clip_timestamps", o.clip_timestamps, "start,end,... in seconds (openai)");
    sub->add_option("--alignment-heads", o.alignment_heads, "\"layer,head layer,head\" instead of the checkpoint's");
    option(*sub, "--batch-size,--batch_size", o.batch, "Chunks heard together");
    option(*sub, "--chunk-length,--chunk_length_s", o.chunk_s, "Seconds of a chunk; a sixth overlaps on each side");
    sub->add_option("--align", o.align, "Text file of the lyrics: find when they are sung");
    sub->add_flag("--vad", o.vad, "Do not listen to silence (below -60 dBFS for a second)");
    sub->add_flag("--timestamps", o.timestamps, "Times of segments in json");
    sub->add_flag("--word-timestamps,--word_timestamps", o.words, "Times of words");
    sub->add_option("--max-line-width,--max_line_width", o.writer.max_line_width, "Characters a line (srt, vtt)");
    sub->add_option("--max-line-count,--max_line_count", o.writer.max_line_count, "Lines a subtitle (srt, vtt)");
    sub->add_option("--max-words-per-line,--max_words_per_line", o.writer.max_words_per_line,
                    "Words a subtitle (srt, vtt)");
    sub->add_flag("--highlight-words,--highlight_words", o.writer.highlight_words,
                  "Underline the word that sounds (srt, vtt)");
    sub->add_flag("--stream", o.stream, "16-bit mono PCM from standard input: lines as they settle");
    sub->add_option("--stream-rate", o.stream_rate, "Its sample rate; default: 16000");
    option(*sub, "--device", o.device, "cpu");
    option(*sub, "--dtype", o.dtype,
           "float32, bfloat16, int8, or auto: the narrowest that passed the gate of `tutti models validate`");
    option(*sub, "--threads", o.threads, "0: one a core");
    sub->add_flag("--no-cache", o.no_cache, "Do not keep int8 weights of large models for the next time (TUTTI_CACHE)");
    option(*sub, "--memory-limit", o.memory_mb,
           "MB for windows in flight, which are made fewer to fit; 0: 80 % of what is free");
    option(*sub, "--seed", o.seed, "Of sampling");
    sub->add_flag("--strict", o.strict, "The reference decision for decision, its slips included");
    sub->add_flag("--json", o.json, "Print a JSON object a song");
    sub->add_flag("--quiet", o.quiet, "No progress, no summary");
    sub->footer(mode_defaults());
    auto trace = std::make_shared<std::string>();
    trace_option(*sub, *trace);
    return {sub, [options, trace] { return traced(*trace, options->quiet, [options] { return run(*options); }); }};
}

} // namespace tutti::cli
