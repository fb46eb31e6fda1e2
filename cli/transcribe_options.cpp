// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/transcribe.h"
#include <models/whisper/merge.h>

namespace tutti::cli {

namespace {

Status wrong(const std::string& what, const std::string& remedy) {
    return Status(Code::invalid_argument, what, "nothing was transcribed", remedy);
}

// "1.5" or "none"; empty leaves the default.
Status set_threshold(const std::string& name, const std::string& text, std::optional<double>& value) {
    if (text.empty()) return {};
    if (text == "none" || text == "None") {
        value.reset();
        return {};
    }
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    if (*end != '\0' || !std::isfinite(number))
        return wrong(fmt::format("--{} {} is no number", name, text), "give a number, or none");
    value = number;
    return {};
}

Result<std::vector<double>> numbers(const std::string& name, const std::string& text) {
    std::vector<double> values;
    for (const char* at = text.c_str(); *at != '\0';) {
        char* end = nullptr;
        const double value = std::strtod(at, &end);
        if (end == at || !std::isfinite(value) || (*end != ',' && *end != '\0'))
            return wrong(fmt::format("--{} {} is not a list of numbers", name, text), "give them like 0,0.2,0.4");
        values.push_back(value);
        at = *end == ',' ? end + 1 : end;
    }
    return values;
}

Result<std::vector<std::string>> read_lines(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return Status(Code::file_not_found, path + ": cannot be read", "nothing was aligned", "check the name");
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) {
        if (lines.empty() && line.starts_with("\xef\xbb\xbf")) line.erase(0, 3);
        while (!line.empty() && (line.back() == '\r' || line.back() == ' '))
            line.pop_back();
        if (line.size() > 2 && line.front() == '[' && line.back() == ']') continue; // [Chorus]: a heading, not sung
        if (!line.empty()) lines.push_back(line);
        if (lines.size() > 20000)
            return Status(Code::too_large, path + ": more than 20000 lines", "nothing was aligned", "give lyrics");
    }
    if (lines.empty())
        return Status(Code::malformed, path + ": no words", "nothing was aligned", "give the lyrics, a line each");
    return lines;
}

} // namespace

std::string mode_defaults() {
    return "Where nothing is given, the modes use:\n"
           "                                chunked (heartlib)    sequential            openai\n"
           "  --beam                        2                     1                     5\n"
           "  --best-of                     1                     1                     5\n"
           "  --temperature                 0,0.1,0.2,0.4         0                     0,0.2,0.4,0.6,0.8,1\n"
           "  --compression-ratio-threshold 1.8                   none                  2.4\n"
           "  --logprob-threshold           -1                    none                  -1\n"
           "  --no-speech-threshold         0.4                   none                  0.6\n"
           "  --max-new-tokens              256                   up to 448 in all      224\n"
           "  --condition-on-previous-text  no (has no meaning)   no                    yes\n"
           "  --suppress-tokens             the checkpoint's      the checkpoint's      -1 (non-speech signs)\n"
           "  timestamps                    where asked for       where asked for, and  always\n"
           "                                                      above 30 s\n"
           "  memory                        one pass, streamed    two passes, streamed  two passes, streamed\n"
           "srt, vtt, tsv, lrc and csv turn timestamps on; --word-timestamps word times (in lrc: extended LRC).";
}

Result<std::vector<std::pair<int, int>>> parse_heads(const std::string& text, const models::WhisperConfig& config) {
    std::vector<std::pair<int, int>> heads;
    const char* at = text.c_str();
    while (*at != '\0') {
        char* end = nullptr;
        const long layer = std::strtol(at, &end, 10);
        const bool first = end != at && *end == ',';
        const char* second_at = first ? end + 1 : end;
        const long head = first ? std::strtol(second_at, &end, 10) : -1;
        if (!first || end == second_at || layer < 0 || layer >= config.decoder_layers || head < 0 ||
            head >= config.decoder_heads)
            return wrong(fmt::format("--alignment-heads {} does not name heads of this checkpoint", text),
                         fmt::format("give pairs like \"2,0 3,1\": layer below {}, head below {}",
                                     config.decoder_layers, config.decoder_heads));
        heads.emplace_back(static_cast<int>(layer), static_cast<int>(head));
        at = end;
        while (*at == ' ' || *at == ';')
            ++at;
    }
    return heads;
}

Result<models::RecordingOptions> recording_options(const TranscribeOptions& options,
                                                   const models::Transcriber& transcriber,
                                                   const std::vector<std::string>& formats) {
    models::RecordingOptions how;
    if (options.mode == "sequential")
        how.mode = models::LongForm::sequential;
    else if (options.mode == "openai")
        how.mode = models::LongForm::openai;
    else if (options.mode != "chunked")
        return wrong(fmt::format("--mode {} is unknown", options.mode), "use chunked, sequential or openai");
    const bool openai = how.mode == models::LongForm::openai, chunked = how.mode == models::LongForm::chunked;
    const bool multilingual = transcriber.generation().multilingual;
    models::GenerateOptions& generate = how.chunked.generate;
    if (!chunked) {
        generate = models::GenerateOptions();
        generate.task = "transcribe";
    }
    generate.strict = options.strict;
    how.chunked.batch = options.batch;
    how.chunked.chunk_s = options.chunk_s;
    how.chunked.threads = options.threads;
    if (options.batch < 1 || options.batch > 1024)
        return wrong(fmt::format("--batch-size {} is out of range", options.batch), "use 1 to 1024");
    const double longest = 0.02 * transcriber.model().config().positions;
    if (!(options.chunk_s >= 1.0 && options.chunk_s <= longest))
        return wrong(fmt::format("--chunk-length {:g} is out of range", options.chunk_s),
                     fmt::format("use 1 to {:g} seconds with this checkpoint", longest));
    if (options.task != "transcribe" && options.task != "translate")
        return wrong(fmt::format("--task {} is unknown", options.task), "use transcribe or translate");
    std::string code;
    if (!options.language.empty() && options.language != "auto") {
        code = models::language_code(options.language);
        if (code.empty())
            return wrong(fmt::format("--language {} is not known", options.language), "give a code like en or a name");
        if (!multilingual && code != "en") return wrong("this checkpoint knows English only", "leave --language away");
    }
    if (!multilingual && options.task == "translate")
        return wrong("this checkpoint knows English only and cannot translate", "use a multilingual one");
    generate.task = multilingual ? options.task : "";
    if (!code.empty() && multilingual) generate.languages = {code};
    how.openai.decode.task = options.task;
    how.openai.detect_language = code.empty();
    if (!code.empty()) how.openai.decode.language = code;
    how.language = !code.empty() ? code : multilingual ? "" : "en";

    if (options.beam) {
        if (*options.beam < 1 || *options.beam > 64)
            return wrong(fmt::format("--beam {} is out of range", *options.beam), "use 1 to 64");
        generate.beams = *options.beam;
        how.openai.decode.beam_size.reset();
        if (*options.beam > 1) how.openai.decode.beam_size = *options.beam;
    }
    if (options.best_of) {
        if (!openai) return wrong("--best-of is an option of --mode openai", "add --mode openai, or leave it away");
        if (*options.best_of < 1 || *options.best_of > 64)
            return wrong(fmt::format("--best-of {} is out of range", *options.best_of), "use 1 to 64");
        how.openai.decode.best_of = *options.best_of;
    }
    if (options.patience) {
        if (!openai) return wrong("--patience is an option of --mode openai", "add --mode openai, or leave it away");
        if (!(*options.patience > 0.0 && *options.patience <= 16.0))
            return wrong(fmt::format("--patience {:g} is out of range", *options.patience), "use up to 16");
        how.openai.decode.patience = *options.patience;
    }
    if (options.length_penalty) {
        generate.length_penalty = *options.length_penalty;
        how.openai.decode.length_penalty = *options.length_penalty;
        if (openai && !(*options.length_penalty >= 0.0 && *options.length_penalty <= 1.0))
            return wrong(fmt::format("--length-penalty {:g} is out of range", *options.length_penalty), "use 0 to 1");
    }
    if (options.max_new_tokens) {
        if (*options.max_new_tokens < 1 || *options.max_new_tokens > transcriber.model().config().target_positions)
            return wrong(fmt::format("--max-new-tokens {} is out of range", *options.max_new_tokens),
                         fmt::format("use 1 to {}", transcriber.model().config().target_positions - 8));
        generate.max_new_tokens = *options.max_new_tokens;
        how.openai.decode.sample_len = *options.max_new_tokens;
    }
    if (!options.temperature.empty()) {
        auto list = numbers("temperature", options.temperature);
        if (!list) return list.status();
        for (double t : *list)
            if (!(t >= 0.0 && t <= 10.0))
                return wrong(fmt::format("--temperature {:g} is out of range", t), "use 0 to 10");
        if (list->empty()) return wrong("--temperature is empty", "give at least one, such as 0");
        generate.temperatures = *list;
        how.openai.temperatures = *list;
    }
    for (auto* three : {&generate.compression_ratio_threshold, &how.openai.compression_ratio_threshold})
        if (Status status = set_threshold("compression-ratio-threshold", options.compression_ratio, *three); !status)
            return status;
    for (auto* three : {&generate.logprob_threshold, &how.openai.logprob_threshold})
        if (Status status = set_threshold("logprob-threshold", options.logprob, *three); !status) return status;
    for (auto* three : {&generate.no_speech_threshold, &how.openai.no_speech_threshold})
        if (Status status = set_threshold("no-speech-threshold", options.no_speech, *three); !status) return status;
    if (!transcriber.generation().no_timestamps) generate.no_speech_threshold.reset();
    if (!options.condition.empty()) {
        const bool yes = options.condition == "yes" || options.condition == "true" || options.condition == "True" ||
                         options.condition == "1";
        if (!yes && options.condition != "no" && options.condition != "false" && options.condition != "False" &&
            options.condition != "0")
            return wrong(fmt::format("--condition-on-previous-text {} is unclear", options.condition), "use yes or no");
        if (yes && chunked)
            return wrong("chunks are heard side by side: there is no previous text", "use --mode sequential or openai");
        generate.condition_on_previous = yes;
        how.openai.condition_on_previous_text = yes;
    }
    if (!options.initial_prompt.empty()) {
        how.openai.initial_prompt = options.initial_prompt;
        how.openai.carry_initial_prompt = options.carry_prompt;
        if (transcriber.generation().previous) {
            generate.prompt = {*transcriber.generation().previous};
            const auto ids = transcriber.tokenizer().encode(" " + options.initial_prompt);
            generate.prompt.insert(generate.prompt.end(), ids.begin(), ids.end());
        }
        const int room = transcriber.model().config().target_positions / 2;
        if (static_cast<int>(generate.prompt.size()) > room)
            return wrong(fmt::format("--initial-prompt has {} tokens, more than {}", generate.prompt.size(), room),
                         "give a shorter one");
    }
    if (!options.suppress_tokens.empty()) {
        auto list = numbers("suppress-tokens", options.suppress_tokens);
        if (!list) return list.status();
        how.openai.decode.suppress.clear();
        for (double id : *list) {
            if (id != std::floor(id) || id < -1.0 || id >= transcriber.model().config().vocabulary)
                return wrong(fmt::format("--suppress-tokens: {:g} is no id of this vocabulary", id), "give ids, or -1");
            how.openai.decode.suppress.push_back(static_cast<models::TokenId>(id));
        }
        if (!openai) return wrong("--suppress-tokens is an option of --mode openai", "add --mode openai");
    }
    if (!options.clip_timestamps.empty()) {
        if (!openai) return wrong("--clip-timestamps is an option of --mode openai", "add --mode openai");
        auto list = numbers("clip-timestamps", options.clip_timestamps);
        if (!list) return list.status();
        for (std::size_t i = 0; i < list->size(); ++i)
            if ((*list)[i] < (i ? (*list)[i - 1] : 0.0))
                return wrong("--clip-timestamps go back", "give start,end,start,end in order, in seconds");
        how.openai.clip_timestamps = *list;
    }
    if (options.hallucination) {
        if (!openai)
            return wrong("--hallucination-silence-threshold is an option of --mode openai", "add --mode openai");
        how.openai.hallucination_silence_threshold = *options.hallucination;
        how.words = true;
    }
    how.words = how.words || options.words || options.writer.highlight_words || options.writer.max_line_count ||
                options.writer.max_line_width || options.writer.max_words_per_line;
    how.segments =
        how.words || options.timestamps || std::any_of(formats.begin(), formats.end(), models::format_has_times);
    if (how.segments && !transcriber.generation().no_timestamps)
        return wrong("this checkpoint has no timestamps", "ask for txt, without --word-timestamps");
    how.vad = options.vad;
    if (!options.align.empty()) {
        auto lines = read_lines(options.align);
        if (!lines) return lines.status();
        how.lyrics = std::move(lines).value();
    }
    const auto engine = std::make_shared<std::mt19937_64>(options.seed);
    const auto uniform = [engine] { return static_cast<double>((*engine)() >> 11) * 0x1p-53; };
    generate.uniform = uniform;
    how.openai.decode.uniform = uniform;
    how.cancelled = [] { return g_interrupted.load(); };
    return how;
}

} // namespace tutti::cli
