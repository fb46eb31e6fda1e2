// SPDX-License-Identifier: MIT
// tutti generate: from options to a request that can be met.
#include "cli/generate.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <random>
#include <thread>

#include <fmt/format.h>

#include "cli/command.h"
#include <models/checkpoint/mapped_file.h>
#include <models/nn/isa.h>
#include <models/tokenizer/utf8.h>

namespace tutti::cli {

namespace {

namespace fs = std::filesystem;

Status wrong(const std::string& what, const std::string& remedy, Code code = Code::invalid_argument) {
    return Status(code, what, "nothing was generated", remedy);
}

// The text of a file where a file of that name is there, else the text itself.
Result<std::string> text_or_file(const std::string& given) {
    std::error_code error;
    if (given.size() > 4096 || given.find('\n') != std::string::npos || !fs::is_regular_file(given, error))
        return given; // as it is; only files have their line ends folded
    auto file = models::MappedFile::open(given);
    if (!file) return file.status();
    if (file->bytes() > 1'000'000) return wrong(given + ": is larger than 1 MB", "give lyrics", Code::too_large);
    std::string text(static_cast<std::size_t>(file->bytes()), '\0');
    if (Status status = file->read(0, std::as_writable_bytes(std::span(text))); !status) return status;
    return models::universal_newlines(text);
}

// Words that people report to work: genres, moods, voices, instruments, occasions. Others are passed on, and told.
bool usual_tag(const std::string& tag) {
    static const char* const k_words[] = {
        "acoustic",  "alternative",  "ambient",   "angry",     "bass",      "blues",       "bright",   "calm",
        "cello",     "children",     "chill",     "choir",     "classical", "country",     "dance",    "dark",
        "disco",     "dreamy",       "driving",   "drums",     "duet",      "edm",         "electric", "electronic",
        "emotional", "energetic",    "epic",      "ethereal",  "fast",      "female",      "flute",    "folk",
        "funk",      "gospel",       "guitar",    "happy",     "harp",      "hiphop",      "house",    "indie",
        "inspiring", "jazz",         "keyboard",  "latin",     "lofi",      "love",        "male",     "melancholic",
        "metal",     "motivational", "nostalgic", "orchestra", "organ",     "party",       "peaceful", "percussion",
        "piano",     "pop",          "powerful",  "punk",      "r&b",       "rap",         "reggae",   "relaxing",
        "rock",      "romantic",     "sad",       "saxophone", "sensual",   "sleep",       "slow",     "soft",
        "soul",      "spoken",       "strings",   "summer",    "synth",     "synthesizer", "techno",   "trance",
        "trap",      "trumpet",      "upbeat",    "uplifting", "violin",    "vocal",       "warm",     "wedding",
        "workout",   "yoga",
    };
    return std::any_of(std::begin(k_words), std::end(k_words), [&](const char* word) { return tag == word; });
}

std::vector<std::string> tag_notes(const std::string& tags) {
    std::vector<std::string> notes;
    const auto doubtful = models::doubtful_tags(tags);
    if (!doubtful.empty())
        notes.push_back(
            fmt::format("tags with spaces, or nothing between two commas: {}; the model knows single words like "
                        "piano,happy,female",
                        fmt::join(doubtful, ", ")));
    std::vector<std::string> unknown;
    std::string one;
    std::string all = models::to_lower(models::strip(tags));
    for (const char* mark : {"<tag>", "</tag>"})
        if (const auto at = all.find(mark); at != std::string::npos)
            all.erase(at, std::char_traits<char>::length(mark));
    for (const char c : all + ",")
        if (c == ',') {
            const std::string tag(models::strip(one));
            if (!tag.empty() && tag.find(' ') == std::string::npos && !usual_tag(tag)) unknown.push_back(tag);
            one.clear();
        } else {
            one += c;
        }
    if (!unknown.empty())
        notes.push_back(fmt::format("not among the usual tags: {}; the model may pass over {}",
                                    fmt::join(unknown, ", "), unknown.size() == 1 ? "it" : "them"));
    return notes;
}

Result<models::MulaArithmetic> arithmetic_of(const std::string& dtype) {
    if (dtype == "fp32" || dtype == "float32" || dtype == "auto") return models::MulaArithmetic::fp32;
    if (dtype == "bf16" || dtype == "bfloat16") return models::MulaArithmetic::bf16;
    if (dtype == "int8") return models::MulaArithmetic::int8;
    if (dtype == "fp16" || dtype == "float16")
        return wrong("--dtype " + dtype + ": half precision is for GPUs", "use fp32, bf16 or int8 on the CPU",
                     Code::unsupported);
    return wrong("--dtype " + dtype + " is unknown", "use fp32, bf16 or int8");
}

const char* name_of(models::MulaArithmetic arithmetic) {
    return arithmetic == models::MulaArithmetic::fp32   ? "fp32"
           : arithmetic == models::MulaArithmetic::bf16 ? "bf16"
                                                        : "int8";
}

Status check_device(const char* option, const std::string& device) {
    if (device == "cpu" || device == "auto") return {};
    return wrong(fmt::format("{} {} is not supported here", option, device), "use cpu", Code::unsupported);
}

Result<bool> yes_or_no(const std::string& text, bool otherwise) {
    const std::string lower = models::to_lower(text);
    if (lower.empty()) return otherwise;
    for (const char* yes : {"yes", "y", "true", "t", "1"})
        if (lower == yes) return true;
    for (const char* no : {"no", "n", "false", "f", "0"})
        if (lower == no) return false;
    return wrong("--lazy_load " + text + " is unclear", "use yes or no");
}

bool given(const CLI::Option* option) {
    return option != nullptr && option->count() > 0;
}

} // namespace

void add_generation_options(CLI::App& sub, GenerateOptions& o) {
    sub.add_option("--model,--model_path", o.model,
                   "Folder with HeartMuLa-oss-*, HeartCodec-oss, tokenizer.json and gen_config.json");
    sub.add_option("--version", o.version, "Which HeartMuLa-oss-VERSION; default: 3B, or the only one");
    sub.add_option("--tags", o.tags, "Text, or a file of it: words with commas and no spaces, as piano,happy");
    o.given_length = option(sub, "--length", o.length_s, "Seconds of music at most");
    sub.add_option("--max_audio_length_ms", o.length_ms, "The same in milliseconds");
    o.given_seed = sub.add_option("--seed", o.seed, "Song n takes SEED + n; default: a new one, which is told");
    option(sub, "--cfg-scale,--cfg_scale", o.guidance, "Guidance; up to 1: none");
    option(sub, "--temperature", o.temperature, "Of sampling; 0: the likeliest");
    option(sub, "--top-k,--topk", o.top_k, "Of each code");
    o.given_steps = option(sub, "--flow-steps", o.flow_steps, "Steps of the codec's solver a window");
    option(sub, "--codec-guidance", o.codec_guidance, "Guidance of the codec; up to 1: none");
    o.given_first = option(
        sub, "--first-window", o.first_window_s,
        "Seconds of a shorter first window, such as 7.44: sound comes sooner, and is another song; 0: as the others");
    option(sub, "--device,--mula_device", o.device, "cpu");
    option(sub, "--codec-device,--codec_device", o.codec_device, "cpu");
    o.given_dtype =
        option(sub, "--dtype,--mula_dtype", o.dtype, "Of the language model's arithmetic: fp32, bf16 or int8");
    option(sub, "--codec-dtype,--codec_dtype", o.codec_dtype, "fp32");
    sub.add_flag("--lazy", o.lazy, "One of the two models in memory at a time");
    sub.add_option("--lazy_load", o.lazy_text, "yes or no: the same");
    sub.add_option("--mode", o.mode, "speed (bf16, 6 flow steps) or quality (fp32, 16 flow steps)");
    option(sub, "--threads", o.threads, "0: one a core");
    option(sub, "--gate-frames", o.gate_frames, "Frames that int8 is compared on before it is used; 0: none");
    sub.add_flag("--strict", o.strict, "The reference decision for decision, its slips included");
    sub.add_flag("--strip", o.strip, "Take white space off both ends of lyrics and tags");
    sub.add_flag("--ignore-eos", o.ignore_eos, "The song does not end before its length");
    sub.add_flag("--allow-empty", o.allow_empty, "Lyrics may be empty");
}

Result<GeneratePlan> plan_generation(const GenerateOptions& o) {
    GeneratePlan plan;
    models::MusicRequest& request = plan.request;
    models::CodesFile& parameters = plan.parameters;
    if (o.model.empty())
        return wrong("no --model is given", "name the folder that holds HeartMuLa-oss-3B and HeartCodec-oss");
    if (!o.resume.empty() && !o.decode_only.empty())
        return wrong("--resume and --decode-only do not go together", "choose one");
    for (const Status& status : {check_device("--device", o.device), check_device("--codec-device", o.codec_device)})
        if (!status) return status;
    if (o.codec_dtype != "fp32" && o.codec_dtype != "float32" && o.codec_dtype != "auto")
        return wrong("--codec-dtype " + o.codec_dtype + " is not supported: less lowers the quality", "use fp32",
                     Code::unsupported);
    if (!o.mode.empty() && o.mode != "speed" && o.mode != "quality")
        return wrong("--mode " + o.mode + " is unknown", "use speed or quality");
    std::string dtype = o.dtype;
    int steps = o.flow_steps;
    if (!o.mode.empty() && !given(o.given_dtype)) dtype = o.mode == "speed" ? "bf16" : "fp32";
    if (!o.mode.empty() && !given(o.given_steps)) steps = o.mode == "speed" ? 6 : 16;
    auto arithmetic = arithmetic_of(dtype);
    if (!arithmetic) return arithmetic.status();
    auto lazy = yes_or_no(o.lazy_text, o.lazy);
    if (!lazy) return lazy.status();
    if (*lazy && o.stream)
        return wrong("--lazy decodes after the last code: there is nothing to stream", "leave one of them away");

    request.strict = o.strict;
    request.prompt.strip = o.strip;
    request.never_end = o.ignore_eos;
    request.songs = o.songs;
    request.guidance = static_cast<float>(o.guidance);
    request.temperature = static_cast<float>(o.temperature);
    request.top_k = o.top_k;
    request.codec.steps = steps;
    request.codec.guidance = static_cast<float>(o.codec_guidance);
    request.codec.first_window_seconds = o.first_window_s;
    request.codec.strict = o.strict;
    const char* const nothing = "nothing was generated";
    const double length = o.length_ms > 0.0 ? o.length_ms / 1000.0 : o.length_s;
    for (const Status& status :
         {check_range("--length", length, 0.08, 3600.0, nothing),
          check_range("--cfg-scale", o.guidance, 0.0, 100.0, nothing),
          check_range("--temperature", o.temperature, 0.0, 100.0, nothing),
          check_range("--flow-steps", steps, 1.0, 1000.0, nothing),
          check_range("--codec-guidance", o.codec_guidance, 0.0, 100.0, nothing),
          check_range("--songs", o.songs, 1.0, 64.0, nothing), check_range("--threads", o.threads, 0.0, 256.0, nothing),
          check_range("--gate-frames", o.gate_frames, 0.0, 10000.0, nothing)})
        if (!status) return status;
    // As the reference cuts it: whole milliseconds, 80 of them a frame.
    request.max_frames = static_cast<int>(std::llround(std::floor(length * 1000.0 + 1e-6)) / 80);

    auto folder = models::MusicFolder::find(o.model, o.version);
    if (!folder) return folder.status();
    const auto digest = [&](const fs::path& path) {
        auto made = models::checkpoint_digest(path);
        return made ? *made : std::string();
    };
    const std::string language_digest = digest(folder->language_model), codec_digest = digest(folder->codec);
    if (const std::string from = !o.resume.empty() ? o.resume : o.decode_only; !from.empty()) {
        auto file = models::CodesFile::load(from);
        if (!file) return file.status();
        if (!o.lyrics.empty() || !o.tags.empty())
            return wrong("the lyrics and tags stand in " + from, "leave --lyrics and --tags away");
        if (o.songs != 1) return wrong("a file of codes holds one song", "leave --songs away");
        if (!o.resume.empty() && file->language_digest != language_digest)
            return wrong(from + " was written by another language model",
                         "name the folder that it was made with, or use --decode-only");
        if (file->codec_digest != codec_digest)
            plan.notes.push_back(from + " was written beside another codec: the sound will be another");
        const int asked = request.max_frames;
        request.tags = file->tags;
        request.lyrics = file->lyrics;
        request.prompt.strip = file->strip;
        request.strict = request.codec.strict = file->strict;
        request.never_end = file->never_end;
        request.guidance = file->guidance;
        request.temperature = file->temperature;
        request.top_k = file->top_k;
        request.seed = file->seed;
        request.max_frames = given(o.given_length) || o.length_ms > 0.0 ? asked : file->max_frames;
        if (!given(o.given_steps)) request.codec.steps = file->flow_steps;
        request.codec.guidance = static_cast<float>(file->codec_guidance);
        if (!given(o.given_first)) request.codec.first_window_seconds = file->first_window_seconds;
        if (!given(o.given_dtype)) {
            auto own = arithmetic_of(file->dtype);
            if (!own) return own.status();
            arithmetic = own;
        } else if (file->dtype != name_of(*arithmetic)) {
            plan.notes.push_back(
                fmt::format("{} was written in {}: the song goes on otherwise than it would have", from, file->dtype));
        }
        if (file->codes.empty() && !o.decode_only.empty())
            return wrong(from + ": holds no frame", "give a file with codes", Code::malformed);
        request.decode_only = !o.decode_only.empty() || (file->ended && !o.resume.empty());
        if (!request.decode_only && file->isa != models::isa_name(models::best_isa()))
            plan.notes.push_back(
                fmt::format("{} was written with the kernels for {}: a close race may now be won by another code", from,
                            file->isa));
        parameters = *file;
        request.codes.push_back(std::move(file->codes));
        parameters.codes.clear();
    } else {
        if (o.lyrics.empty() && !o.allow_empty)
            return wrong("no --lyrics are given", "give a text or the name of a file");
        auto lyrics = text_or_file(o.lyrics);
        if (!lyrics) return lyrics.status();
        auto tags = text_or_file(o.tags);
        if (!tags) return tags.status();
        request.lyrics = std::move(lyrics).value();
        request.tags = std::move(tags).value();
        if (models::strip(request.lyrics).empty() && !o.allow_empty)
            return wrong("the lyrics are empty", "give words, or --allow-empty for a song without any");
        std::error_code error;
        if (o.lyrics.size() < 200 && o.lyrics.find_first_of("\n ") == std::string::npos && o.lyrics.ends_with(".txt") &&
            !fs::exists(o.lyrics, error))
            return wrong(o.lyrics + ": there is no such file", "check the name; a text is taken as it is",
                         Code::file_not_found);
        if (models::strip(request.tags).empty())
            plan.notes.push_back("there are no --tags: the style is left to the model");
        for (std::string& note : tag_notes(request.tags))
            plan.notes.push_back(std::move(note));
        request.seed = o.seed;
        if (!given(o.given_seed)) request.seed = std::random_device()() & 0x7fffffffu;
    }
    parameters.tags = request.tags;
    parameters.lyrics = request.lyrics;
    parameters.seed = request.seed;
    parameters.max_frames = request.max_frames;
    parameters.guidance = request.guidance;
    parameters.temperature = request.temperature;
    parameters.top_k = request.top_k;
    parameters.strict = request.strict;
    parameters.never_end = request.never_end;
    parameters.strip = request.prompt.strip;
    parameters.flow_steps = request.codec.steps;
    parameters.codec_guidance = static_cast<double>(request.codec.guidance);
    parameters.first_window_seconds = request.codec.first_window_seconds;
    parameters.dtype = name_of(*arithmetic);
    parameters.isa = models::isa_name(models::best_isa());
    parameters.language_digest = language_digest;
    parameters.codec_digest = codec_digest;
    plan.load.folder = std::move(folder).value();
    plan.load.threads = o.threads > 0 ? o.threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    plan.load.arithmetic = *arithmetic;
    plan.load.lazy = *lazy;
    plan.load.language = !request.decode_only;
    return plan;
}

} // namespace tutti::cli
