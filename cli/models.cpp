// SPDX-License-Identifier: MIT
// tutti models: what a model folder is, whether it is whole, and whether the arithmetic is the reference's.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/model_dtype.h"
#include "cli/models_gate.h"
#include "cli/sound_source.h"
#include <models/heartcodec/codec.h>
#include <models/heartmula/song.h>
#include <models/mel/mel.h>
#include <models/parity/parity.h>
#include <models/whisper/transcribe.h>

namespace tutti::cli {

namespace {

struct Options {
    std::string folder;
    std::string only;
    std::string dtype;
    std::string speech;
    int threads = 1;
    bool strict = false;
    bool ours = false;
    bool json = false;
    bool quiet = false;
};

int run_parity(const Options& options) {
    models::ParityOptions how;
    how.threads = std::max(1, options.threads);
    how.only = options.only;
    bool holds = true;
    nlohmann::json out = nlohmann::json::object();
    for (const bool strict : {true, false}) {
        if ((strict && options.ours && !options.strict) || (!strict && options.strict && !options.ours)) continue;
        how.strict = strict;
        how.progress = [&](const models::ParityCase& one) {
            if (!options.json && (!options.quiet || !one.holds)) fmt::print("{}", one.text(!options.quiet));
        };
        const auto report = models::run_parity(options.folder, how);
        if (!report) return fail(report.status());
        const char* name = strict ? "strict" : "default";
        if (options.json) {
            out[name] = {{"cases", report->cases.size()},
                         {"failed", report->failed()},
                         {"exceptions", report->exceptions()},
                         {"problems", report->problems}};
        } else {
            for (const std::string& problem : report->problems)
                fmt::print("FAIL {}\n", problem);
            fmt::print("{}: {} cases, {} failed, {} differ on purpose, {} problems with the folder\n", name,
                       report->cases.size(), report->failed(), report->exceptions(), report->problems.size());
        }
        holds = holds && report->holds();
    }
    if (options.json) fmt::print("{}\n", out.dump());
    return holds ? exit_ok : exit_failed;
}

// A folder for music generation: every file, every value, a prompt and three frames, and a code of the codec.
int run_validate_music(const Options& options) {
    catch_interrupts();
    const double begin = seconds_now();
    const int threads = std::max(1, options.threads);
    const auto stop = [] { return g_interrupted.load(); };
    auto folder = models::MusicFolder::find(options.folder, "");
    if (!folder) return fail(folder.status());
    auto config = models::HeartMulaConfig::open(folder->language_model, folder->root);
    if (!config) return fail(config.status());
    auto tokenizer = models::Tokenizer::open(folder->root);
    if (!tokenizer) return fail(tokenizer.status());
    models::MulaOptions how;
    how.threads = threads;
    auto model = models::HeartMula::open(folder->language_model, *config, how);
    if (!model) return fail(model.status());
    if (Status status = model->check(stop); !status) return fail(status);
    auto codec = models::HeartCodec::open(folder->codec, threads, stop);
    if (!codec) return fail(codec.status());
    if (Status status = codec->check(stop); !status) return fail(status);
    std::vector<std::string> faults, notes;
    const auto expect = [&](bool holds, const std::string& fault) {
        if (!holds) faults.push_back(fault);
    };
    expect(tokenizer->size() <= config->text_vocabulary,
           fmt::format("the tokenizer has {} ids, the language model {}", tokenizer->size(), config->text_vocabulary));
    expect(tokenizer->is_special(config->text_bos) && tokenizer->is_special(config->text_eos),
           "gen_config.json names begin and end tokens that the tokenizer does not have");
    expect(codec->config().codebooks == config->codebooks,
           fmt::format("the codec takes {} codebooks, the language model writes {}", codec->config().codebooks,
                       config->codebooks));
    expect(codec->config().codebook_size >= config->codec_entries(),
           fmt::format("the codec has {} codes, the language model writes {}", codec->config().codebook_size,
                       config->codec_entries()));
    const std::string sentence = " Hello, world: don't stop 123 \xc3\xa9\xe2\x99\xaa";
    expect(tokenizer->decode(tokenizer->encode(sentence)) == sentence,
           "the tokenizer does not give back what it was given");
    if (folder->transcriber.empty()) notes.push_back("no HeartTranscriptor-oss: --verify needs one");
    models::SongRequest request;
    request.prompt = models::make_prompt(*tokenizer, *config, "piano,happy", "[verse]\nhello");
    request.max_frames = 2;
    request.never_end = true;
    std::vector<models::SongRequest> one;
    one.push_back(std::move(request));
    auto batch = models::SongBatch::make(*model, std::move(one));
    if (!batch) return fail(batch.status());
    bool finite = true;
    const models::MulaProbe probe = [&](const std::string&, int, int, std::span<const float> values) {
        for (const float x : values)
            finite = finite && std::isfinite(x);
    };
    Status status = batch->begin({}, probe);
    while (status && !batch->done())
        status = batch->step(probe);
    if (!status) return fail(status);
    expect(finite, "the language model gives values that are no numbers");
    const auto condition = codec->condition(batch->songs().front().codes);
    expect(std::all_of(condition.begin(), condition.end(), [](float x) { return std::isfinite(x); }),
           "the codec gives values that are no numbers");
    const double seconds = seconds_now() - begin;
    if (options.json) {
        fmt::print("{}\n", nlohmann::json{{"folder", options.folder},
                                          {"valid", faults.empty()},
                                          {"faults", faults},
                                          {"notes", notes},
                                          {"backbone", config->backbone_name},
                                          {"decoder", config->decoder_name},
                                          {"audio_vocabulary", config->audio_vocabulary},
                                          {"sample_rate", codec->config().sample_rate},
                                          {"seconds", seconds},
                                          {"peak_mb", peak_memory_mb()}}
                               .dump());
    } else {
        fmt::print("{}: HeartMuLa {} + {}, {} codebooks of {}; HeartCodec at {} Hz\n", options.folder,
                   config->backbone_name, config->decoder_name, config->codebooks, config->codec_entries(),
                   codec->config().sample_rate);
        fmt::print("language model: {}\ncodec: {}\n", model->plan().text(), codec->plan().text());
        for (const std::string& note : notes)
            fmt::print("note: {}\n", note);
        for (const std::string& fault : faults)
            fmt::print("FAULT: {}\n", fault);
        fmt::print("{} in {:.1f} s, peak {:.0f} MB\n", faults.empty() ? "whole and sound" : "not usable", seconds,
                   peak_memory_mb());
    }
    return faults.empty() ? exit_ok : exit_input;
}

// Opens everything, reads every weight, and hears a second of noise: whatever is wrong with the folder says so here.
int run_validate(const Options& options) {
    const auto compute = compute_of(options.dtype);
    if (!options.dtype.empty() && (!compute || *compute == models::Compute::fp32))
        return fail(Status(Code::invalid_argument, "--dtype " + options.dtype + " needs no gate", "nothing was checked",
                           "use bfloat16 or int8"));
    if (options.dtype.empty() != options.speech.empty())
        return fail(Status(Code::invalid_argument, "--dtype and --speech go together", "nothing was checked",
                           "name the numbers and a folder of recorded speech, or neither"));
    if (models::MusicFolder::looks_like(options.folder)) {
        if (options.dtype.empty()) return run_validate_music(options);
        return fail(Status(Code::unsupported, "--dtype is for Whisper folders", "nothing was checked",
                           "check a music folder without it"));
    }
    catch_interrupts();
    const double begin = seconds_now();
    const auto transcriber =
        models::Transcriber::open(options.folder, std::max(1, options.threads), [] { return g_interrupted.load(); });
    if (!transcriber) return fail(transcriber.status());
    const models::WhisperConfig& c = transcriber->model().config();
    const models::GenerationConfig& g = transcriber->generation();
    const models::Tokenizer& t = transcriber->tokenizer();
    std::vector<std::string> faults, notes;
    const auto expect = [&](bool holds, const std::string& fault) {
        if (!holds) faults.push_back(fault);
    };
    expect(t.size() >= g.eos && t.size() <= c.vocabulary + 1,
           fmt::format("the tokenizer has {} ids, the network {}", t.size(), c.vocabulary));
    expect(g.start < c.vocabulary && g.eos < c.vocabulary, "the start or end token is not in the vocabulary");
    if (g.no_timestamps) {
        expect(g.timestamp_begin() + 1500 < c.vocabulary + 1 || c.positions != 1500,
               "the vocabulary has no room for 1501 timestamps");
        if (const auto id = t.id_of("<|notimestamps|>"))
            expect(*id == *g.no_timestamps,
                   "<|notimestamps|> has one id in the tokenizer and another in generation_config.json");
    } else {
        notes.push_back("no no_timestamps_token_id: no times can be told");
    }
    for (const auto& [name, id] : g.languages)
        if (const auto found = t.id_of(name); found && *found != id)
            faults.push_back(name + " has one id in the tokenizer and another in generation_config.json");
    if (g.multilingual && g.languages.empty())
        faults.push_back("multilingual, and no languages in generation_config.json");
    if (!g.alignment_heads_stored)
        notes.push_back(g.alignment_heads_known
                            ? "no alignment heads: those of the published model of this size are used"
                            : "no alignment heads: all of the upper half are used for word times");
    // A sentence through the tokenizer and back.
    const std::string sentence = " Hello, world: don't stop 123 \xc3\xa9\xe2\x99\xaa";
    expect(t.decode(t.encode(sentence)) == sentence, "the tokenizer does not give back what it was given");
    // A second of noise through the network: all values finite, and not all equal.
    std::vector<float> noise(16000);
    std::uint32_t state = 1;
    for (float& x : noise) {
        state = state * 1664525u + 1013904223u;
        x = static_cast<float>(static_cast<std::int32_t>(state)) * 0x1p-33f;
    }
    const auto features = models::whisper_features(c.mels, noise, models::MelExtent::window,
                                                   320 * static_cast<std::int64_t>(c.positions));
    if (!features) return fail(features.status());
    const auto memory = transcriber->model().remember(transcriber->model().encode(*features));
    models::DecoderState row = transcriber->model().start(1);
    std::vector<float> logits(static_cast<std::size_t>(c.vocabulary));
    const models::WhisperModel::Step step{g.start, 0, &memory, logits.data()};
    transcriber->model().step(row, {&step, 1});
    const auto [low, high] = std::minmax_element(logits.begin(), logits.end());
    const bool finite = std::all_of(logits.begin(), logits.end(), [](float x) { return std::isfinite(x); });
    expect(finite, "the network gives values that are no numbers");
    expect(!finite || *low < *high, "the network gives the same value for every token");
    nlohmann::json gate;
    std::string gate_line;
    if (compute && faults.empty()) {
        const auto record =
            run_gate(options.folder, options.speech, *transcriber, *compute, options.threads, gate_line);
        if (!record) return fail(record.status());
        expect(record->passed,
               fmt::format("{} does not hear what float32 hears: {}", dtype_name(*compute), record->text()));
        gate = {{"dtype", dtype_name(*compute)},
                {"words", record->words},
                {"changed", record->changed},
                {"worst", record->worst},
                {"passed", record->passed}};
    }
    const double seconds = seconds_now() - begin;
    if (options.json) {
        fmt::print("{}\n", nlohmann::json{{"gate", gate},
                                          {"folder", options.folder},
                                          {"valid", faults.empty()},
                                          {"faults", faults},
                                          {"notes", notes},
                                          {"vocabulary", c.vocabulary},
                                          {"mels", c.mels},
                                          {"width", c.width},
                                          {"encoder_layers", c.encoder_layers},
                                          {"decoder_layers", c.decoder_layers},
                                          {"languages", g.languages.size()},
                                          {"seconds", seconds},
                                          {"peak_mb", peak_memory_mb()}}
                               .dump());
    } else {
        fmt::print("{}: Whisper, {} + {} layers of {}, {} mel bands, {} ids, {}\n", options.folder, c.encoder_layers,
                   c.decoder_layers, c.width, c.mels, c.vocabulary,
                   g.multilingual ? fmt::format("{} languages", g.languages.size()) : std::string("English"));
        fmt::print("{}\n", transcriber->model().plan().text());
        if (!gate_line.empty()) fmt::print("{}\n", gate_line);
        for (const std::string& note : notes)
            fmt::print("note: {}\n", note);
        for (const std::string& fault : faults)
            fmt::print("FAULT: {}\n", fault);
        fmt::print("{} in {:.1f} s, peak {:.0f} MB\n", faults.empty() ? "whole and sound" : "not usable", seconds,
                   peak_memory_mb());
    }
    return faults.empty() ? exit_ok : exit_input;
}

} // namespace

Command add_models(CLI::App& app) {
    CLI::App* sub = app.add_subcommand("models", "Checks model folders and the arithmetic");
    sub->require_subcommand(1);
    auto options = std::make_shared<Options>();
    CLI::App* validate = sub->add_subcommand("validate", "Checks a model folder and says what is wrong");
    validate->add_option("DIR", options->folder, "Folder of a checkpoint")->required();
    option(*validate, "--threads", options->threads, "Threads");
    validate->add_option("--dtype", options->dtype,
                         "bfloat16 or int8: whether it hears what float32 hears; the result is kept for transcribe");
    validate->add_option("--speech", options->speech,
                         "Folder of recorded speech for --dtype, minutes of it: altered copies are heard as well");
    validate->add_flag("--json", options->json, "Print the result as one JSON object");
    CLI::App* parity = sub->add_subcommand("parity", "Runs reference data case by case, strictly and by our defaults");
    parity->add_option("DIR", options->folder, "Folder with MANIFEST.json")->required();
    parity->add_option("--only", options->only, "Cases whose \"file/case\" holds this");
    option(*parity, "--threads", options->threads, "Threads");
    parity->add_flag("--strict", options->strict, "Only as the reference has it");
    parity->add_flag("--default", options->ours, "Only by our defaults");
    parity->add_flag("--json", options->json, "Print the counts as one JSON object");
    parity->add_flag("--quiet", options->quiet, "Only what fails");
    return {sub, [options, validate] { return validate->parsed() ? run_validate(*options) : run_parity(*options); }};
}

} // namespace tutti::cli
