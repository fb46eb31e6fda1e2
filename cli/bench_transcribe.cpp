// SPDX-License-Identifier: MIT
// tutti bench transcribe: adjacent 30 s windows, greedy, exactly so many tokens each (the end token is suppressed), sound to ids.
#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "cli/bench.h"
#include "cli/bench_models.h"
#include "cli/model_dtype.h"
#include <models/mel/mel.h>
#include <models/whisper/search.h>
#include <models/whisper/transcribe.h>

namespace tutti::cli {

namespace {

struct Options {
    std::string model;
    int windows = 20;
    int tokens = 100;
    int batch = 8;
    int threads = 1;
    int rounds = 1;
    std::string dtype = "fp32";
    bool cache = false;
    bool json = false;
};

struct Work { // FLOP and bytes
    double encoder_flop = 0.0, decoder_flop = 0.0, decoder_bytes = 0.0;
};

// Of one window, and of one token of one window in a batch.
Work work_of(const models::WhisperModel& model, int batch) {
    const auto& c = model.config();
    const double d = c.width, p = c.positions, hidden = c.encoder_hidden, heads_width = d;
    Work w;
    w.encoder_flop = 2.0 * 2 * p * 3 * c.mels * d + 2.0 * p * 3 * d * d +
                     c.encoder_layers * (2.0 * p * (4 * d * d + 2 * d * hidden) + 4.0 * p * p * heads_width) +
                     c.decoder_layers * 4.0 * p * d * d; // the decoder's view of it
    const double weights = c.decoder_layers * (6.0 * d * d + 2 * d * c.decoder_hidden) + d * c.vocabulary;
    w.decoder_flop = 2.0 * weights + c.decoder_layers * 4.0 * p * d;
    const double bytes_each = model.compute() == models::Compute::fp32   ? 4.0
                              : model.compute() == models::Compute::bf16 ? 2.0
                                                                         : 1.0;
    w.decoder_bytes = weights * bytes_each / batch + static_cast<double>(model.cross_bytes());
    return w;
}

int run(const Options& o) {
    models::Compute compute = models::Compute::fp32;
    if (!parse_compute(o.dtype, compute))
        return fail(Status(Code::invalid_argument, "dtype " + o.dtype + " is unknown", "nothing was measured",
                           "use fp32, bf16 or int8"));
    const double load_begin = seconds_now();
    auto opened = models::WhisperModel::open(o.model, o.threads, {}, compute, weight_folder(!o.cache));
    if (!opened) return fail(opened.status());
    auto generation = models::GenerationConfig::open(o.model, opened->config());
    if (!generation) return fail(generation.status());
    const double load_seconds = seconds_now() - load_begin;
    const models::WhisperModel& model = *opened;
    generation->suppress.push_back(generation->eos);
    generation->begin_suppress.push_back(generation->eos);
    const auto& c = model.config();
    std::vector<models::TokenId> prompt{generation->start};
    if (generation->no_timestamps) prompt.push_back(*generation->no_timestamps);

    constexpr int k_window = 480000;
    const std::vector<float> signal = test_signal(static_cast<std::int64_t>(o.windows) * k_window);
    const auto window = static_cast<std::size_t>(2 * c.positions) * static_cast<std::size_t>(c.mels);
    double best = 1e30, best_cpu = 1e30, mel_s = 0.0, encoder_s = 0.0, decoder_s = 0.0, encoder_cpu = 0.0,
           decoder_cpu = 0.0;
    std::vector<models::TokenId> ids;
    for (int round = 0; round < o.rounds; ++round) {
        ids.clear();
        double mel = 0.0, encoder = 0.0, decoder = 0.0, e_cpu = 0.0, d_cpu = 0.0;
        const double begin = seconds_now(), cpu = cpu_seconds_now();
        for (int first = 0; first < o.windows; first += o.batch) {
            const int count = std::min(o.batch, o.windows - first);
            std::vector<models::CrossMemory> memories;
            std::vector<models::SearchItem> items;
            for (int i = 0; i < count; ++i) {
                double mark = seconds_now();
                auto features = models::whisper_features(
                    c.mels, std::span(signal).subspan(static_cast<std::size_t>(first + i) * k_window, k_window),
                    models::MelExtent::window, k_window, o.threads);
                if (!features) return fail(features.status());
                mel += seconds_now() - mark;
                mark = seconds_now();
                const double cpu_mark = cpu_seconds_now();
                features->resize(window);
                memories.push_back(model.remember(model.encode(*features)));
                encoder += seconds_now() - mark;
                e_cpu += cpu_seconds_now() - cpu_mark;
            }
            for (const auto& memory : memories)
                items.push_back({&memory, prompt});
            models::SearchOptions options;
            options.limit = o.tokens;
            const double mark = seconds_now(), cpu_mark = cpu_seconds_now();
            const auto rows = models::search(model, *generation, items, options);
            decoder += seconds_now() - mark;
            d_cpu += cpu_seconds_now() - cpu_mark;
            for (const auto& row : rows)
                ids.insert(ids.end(), row.tokens.begin(), row.tokens.end());
        }
        const double all = seconds_now() - begin;
        if (all < best) {
            best = all;
            mel_s = mel;
            encoder_s = encoder;
            decoder_s = decoder;
        }
        best_cpu = std::min(best_cpu, cpu_seconds_now() - cpu);
        encoder_cpu = round == 0 ? e_cpu : std::min(encoder_cpu, e_cpu);
        decoder_cpu = round == 0 ? d_cpu : std::min(decoder_cpu, d_cpu);
    }
    const double peak = peak_megabytes();
    const Work work = work_of(model, std::min(o.batch, o.windows));
    const double tokens = static_cast<double>(ids.size());
    const double rate = product_rate(compute, o.threads), bandwidth = read_bandwidth(o.threads);
    nlohmann::json result;
    result["dtype"] = o.dtype;
    result["threads"] = o.threads;
    result["batch"] = o.batch;
    result["kernel"] = std::string(models::isa_name(models::best_isa())) + (models::has_dot_products() ? "+dot" : "");
    result["load_seconds"] = load_seconds;
    result["windows"] = o.windows;
    result["tokens"] = ids.size();
    result["seconds"] = best;
    result["cpu_seconds"] = best_cpu;
    result["mel_ms"] = 1000.0 * mel_s / o.windows;
    result["encoder_ms"] = 1000.0 * encoder_s / o.windows;
    result["encoder_cpu_ms"] = 1000.0 * encoder_cpu / o.windows;
    result["decoder_ms_per_token"] = 1000.0 * decoder_s / tokens;
    result["decoder_cpu_ms_per_token"] = 1000.0 * decoder_cpu / tokens;
    result["times_real_time"] = 30.0 * o.windows / best;
    result["times_real_time_cpu"] = 30.0 * o.windows * o.threads / best_cpu; // as if the processors had been ours alone
    result["gflop"] = (work.encoder_flop * o.windows + work.decoder_flop * tokens) / 1e9;
    result["decoder_gbytes"] = work.decoder_bytes * tokens / 1e9;
    result["product_gflops"] = rate / 1e9;
    result["read_gbytes_per_s"] = bandwidth / 1e9;
    result["encoder_of_product_rate"] = work.encoder_flop * o.windows / encoder_s / rate;
    result["decoder_of_read_bandwidth"] = work.decoder_bytes * tokens / decoder_s / bandwidth;
    result["weights_mb"] = static_cast<double>(model.weight_bytes()) / 1048576.0;
    result["peak_mb"] = peak;
    result["ids_checksum"] = checksum(ids.data(), ids.size() * sizeof(models::TokenId));
    print_result(result, o.json);
    return exit_ok;
}

} // namespace

Command add_bench_transcribe(CLI::App& app) {
    CLI::App* sub = app.add_subcommand("transcribe", "Whisper: windows of 30 s, sound to ids");
    auto options = std::make_shared<Options>();
    sub->add_option("--model", options->model, "Folder of a checkpoint")->required();
    option(*sub, "--windows", options->windows, "Adjacent windows of 30 s")->check(CLI::Range(1, 10000));
    option(*sub, "--tokens", options->tokens, "Tokens a window")->check(CLI::Range(1, 440));
    option(*sub, "--batch", options->batch, "Windows decoded together")->check(CLI::Range(1, 256));
    option(*sub, "--threads", options->threads, "Threads")->check(CLI::Range(1, 256));
    option(*sub, "--dtype", options->dtype, "fp32, bf16 or int8");
    sub->add_flag("--cached", options->cache, "int8 weights from the cache, as transcribe has them");
    option(*sub, "--rounds", options->rounds, "Times it is run; the fastest counts")->check(CLI::Range(1, 1000));
    sub->add_flag("--json", options->json, "Print JSON");
    return {sub, [options] { return run(*options); }};
}

} // namespace tutti::cli
