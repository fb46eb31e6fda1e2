// SPDX-License-Identifier: MIT
// tutti bench generate: frames of the language model and windows of the codec, beside what the machine can read and multiply.
#include <algorithm>
#include <memory>
#include <thread>

#include <fmt/format.h>

#include "cli/bench.h"
#include "cli/bench_generate.h"
#include "cli/bench_models.h"
#include <models/generate/music.h>
#include <models/heartmula/gate.h>
#include <models/nn/isa.h>
#include <models/nn/philox.h>

namespace tutti::cli {

namespace {

struct Options {
    std::string model, version;
    std::string dtype = "fp32";
    int frames = 200;
    int prompt = 300;
    int songs = 1;
    int threads = 2;
    int rounds = 1;
    int windows = 0;
    int flow_steps = 10;
    int gate = 0;
    int cancels = 0;
    double guidance = 1.5;
    bool in_a_row = false;
    bool json = false;
};

// Text ids drawn from the whole vocabulary, so that rows of the table are read as lyrics would read them.
models::MulaPrompt prompt_of(const models::HeartMulaConfig& config, int positions) {
    models::MulaPrompt prompt;
    const models::Noise noise(1);
    for (int i = 0; i < positions; ++i)
        prompt.ids.push_back(static_cast<models::TokenId>(
            noise.words(models::NoisePurpose::race, 0, 0, static_cast<std::uint32_t>(i))[0] %
            static_cast<std::uint32_t>(std::min(config.text_vocabulary, 128000))));
    prompt.style_at = positions / 10;
    return prompt;
}

models::SongRequest request_of(const models::HeartMulaConfig& config, const Options& o, int song) {
    models::SongRequest request;
    request.prompt = prompt_of(config, o.prompt);
    request.seed = 1 + static_cast<std::uint64_t>(song);
    request.max_frames = o.frames - 1;
    request.guidance = static_cast<float>(o.guidance);
    request.never_end = true;
    return request;
}

struct Timing {
    double prompt = 0.0, frames = 0.0, first_frame = 0.0;
    std::vector<std::int32_t> codes;
};

Result<Timing> run_batch(const models::HeartMula& model, std::vector<models::SongRequest> requests) {
    Timing timing;
    const double begin = seconds_now();
    auto batch = models::SongBatch::make(model, std::move(requests));
    if (!batch) return batch.status();
    if (Status status = batch->begin(); !status) return status;
    timing.prompt = seconds_now() - begin;
    const double from = seconds_now();
    while (!batch->done()) {
        if (Status status = batch->step(); !status) return status;
        if (timing.first_frame == 0.0) timing.first_frame = seconds_now() - from;
        if (g_interrupted) return Status(Code::cancelled, "interrupted", "nothing was measured", "run it again");
    }
    timing.frames = seconds_now() - from;
    for (const auto& song : batch->songs())
        timing.codes.insert(timing.codes.end(), song.codes.begin(), song.codes.end());
    return timing;
}

double median(std::vector<double> x) {
    std::sort(x.begin(), x.end());
    return x.empty() ? 0.0 : x[x.size() / 2];
}

// Cancels at moments spread over prompt and frames; milliseconds until the model stood still.
Result<std::vector<double>> cancel_times(models::HeartMula& model, const Options& o, bool in_prompt) {
    std::vector<double> times;
    for (int i = 0; i < o.cancels; ++i) {
        CancelToken token;
        model.set_token(token);
        std::vector<models::SongRequest> one;
        one.push_back(request_of(model.config(), o, 0));
        auto batch = models::SongBatch::make(model, std::move(one));
        if (!batch) return batch.status();
        std::atomic<double> when{0.0};
        const auto later = [&](double seconds) {
            return std::thread([&, seconds] {
                std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
                when = seconds_now();
                token.cancel();
            });
        };
        Status status;
        std::thread canceller;
        if (in_prompt) {
            canceller = later(0.01 + 0.02 * i);
            status = batch->begin();
        } else {
            status = batch->begin();
            canceller = later(0.05 + 0.037 * i);
        }
        while (status && !batch->done())
            status = batch->step();
        const double stopped = seconds_now();
        canceller.join();
        if (status.code() == Code::cancelled) times.push_back(1000.0 * (stopped - when));
    }
    model.set_token(CancelToken());
    return times;
}

int run(const Options& o) {
    catch_interrupts();
    models::MulaArithmetic arithmetic = models::MulaArithmetic::fp32;
    if (o.dtype == "bf16")
        arithmetic = models::MulaArithmetic::bf16;
    else if (o.dtype == "int8")
        arithmetic = models::MulaArithmetic::int8;
    else if (o.dtype != "fp32")
        return fail(Status(Code::invalid_argument, "--dtype " + o.dtype + " is unknown", "nothing was measured",
                           "use fp32, bf16 or int8"));
    auto folder = models::MusicFolder::find(o.model, o.version, o.windows > 0);
    if (!folder) return fail(folder.status());
    const double load_begin = seconds_now();
    auto config = models::HeartMulaConfig::open(folder->language_model, folder->root);
    if (!config) return fail(config.status());
    models::MulaOptions how;
    how.threads = o.threads;
    how.arithmetic = arithmetic;
    auto model = models::HeartMula::open(folder->language_model, *config, how);
    if (!model) return fail(model.status());
    const double open_seconds = seconds_now() - load_begin;
    if (o.prompt + o.frames > config->backbone.positions)
        return fail(Status(Code::out_of_range, fmt::format("{} positions and {} frames do not fit", o.prompt, o.frames),
                           "nothing was measured",
                           fmt::format("the model has {} positions", config->backbone.positions)));
    // One short song: what the first frame of the process takes beyond a warm one is part of loading.
    Options brief = o;
    brief.frames = 3;
    brief.prompt = std::min(8, o.prompt);
    std::vector<models::SongRequest> one;
    one.push_back(request_of(*config, brief, 0));
    const double first_begin = seconds_now();
    auto cold = run_batch(*model, one);
    if (!cold) return fail(cold.status());
    const double first_seconds = cold->prompt;
    auto warm = run_batch(*model, one);
    if (!warm) return fail(warm.status());
    (void)first_begin;

    std::vector<double> prompt, frames, row_frames, ratio;
    std::vector<std::int32_t> codes;
    bool same = true;
    for (int round = 0; round < o.rounds; ++round) {
        std::vector<models::SongRequest> requests;
        for (int n = 0; n < o.songs; ++n)
            requests.push_back(request_of(*config, o, n));
        auto timing = run_batch(*model, requests);
        if (!timing) return fail(timing.status());
        prompt.push_back(timing->prompt);
        frames.push_back(timing->frames);
        same = same && (codes.empty() || codes == timing->codes);
        codes = timing->codes;
        if (!o.in_a_row) continue;
        double sum = 0.0;
        std::vector<std::int32_t> singles;
        for (int n = 0; n < o.songs; ++n) {
            std::vector<models::SongRequest> single;
            single.push_back(request_of(*config, o, n));
            auto own = run_batch(*model, std::move(single));
            if (!own) return fail(own.status());
            sum += own->prompt + own->frames;
            singles.insert(singles.end(), own->codes.begin(), own->codes.end());
        }
        same = same && singles == codes;
        row_frames.push_back(sum);
        ratio.push_back((timing->prompt + timing->frames) / sum);
    }
    const double bandwidth = read_bandwidth(o.threads);
    const int computed = o.frames - 1; // the first one belongs to the prompt
    const double per_frame = median(frames) / std::max(1, computed);
    const double rows = (o.guidance > 1.0 ? 2.0 : 1.0) * o.songs;
    const double bytes =
        static_cast<double>(model->frame_bytes()) +
        rows * static_cast<double>(models::KeyValues::bytes(config->backbone, o.prompt + o.frames / 2));
    nlohmann::json result;
    result["model"] = config->backbone_name + " + " + config->decoder_name;
    result["dtype"] = o.dtype;
    result["threads"] = o.threads;
    result["songs"] = o.songs;
    result["kernel"] = std::string(models::isa_name(models::best_isa())) + (models::has_dot_products() ? "+dot" : "");
    result["open_seconds"] = open_seconds;
    result["load_seconds"] = open_seconds + std::max(0.0, first_seconds - warm->prompt);
    result["prompt_positions"] = o.prompt;
    result["prompt_seconds"] = median(prompt);
    result["frames"] = computed;
    result["rounds"] = o.rounds;
    result["frames_per_second"] = 1.0 / per_frame;
    result["seconds_per_frame"] = per_frame;
    result["song_frames_per_second"] = o.songs / per_frame;
    result["frame_gbytes"] = bytes / 1e9;
    result["frame_gflop"] = rows * model->frame_flop() / 1e9;
    result["gbytes_per_s"] = bytes / per_frame / 1e9;
    result["gflop_per_s"] = rows * model->frame_flop() / per_frame / 1e9;
    result["read_gbytes_per_s"] = bandwidth / 1e9;
    result["of_read_bandwidth"] = bytes / per_frame / bandwidth;
    result["copied_mb"] = static_cast<double>(model->copied_bytes()) / 1048576.0;
    result["codes_checksum"] = checksum(codes.data(), codes.size() * sizeof(std::int32_t));
    if (!ratio.empty()) {
        result["in_a_row_seconds"] = median(row_frames);
        result["batch_of_in_a_row"] = median(ratio);
    }
    result["same_codes"] = same;
    if (o.gate > 0) {
        models::MulaOptions wide_options = how;
        wide_options.arithmetic = models::MulaArithmetic::fp32;
        auto wide = models::HeartMula::open(folder->language_model, *config, wide_options);
        if (!wide) return fail(wide.status());
        auto report = models::compare_scores(*wide, *model, request_of(*config, o, 0), o.gate);
        if (!report) return fail(report.status());
        result["gate_frames"] = report->frames;
        result["gate_worst_cosine"] = report->worst_cosine;
        result["gate_mean_kl"] = report->mean_kl;
        result["gate_worst_kl"] = report->worst_kl;
        result["gate_passed"] = report->passed();
    }
    if (o.cancels > 0)
        for (const bool in_prompt : {true, false}) {
            auto times = cancel_times(*model, o, in_prompt);
            if (!times) return fail(times.status());
            std::sort(times->begin(), times->end());
            result[in_prompt ? "cancel_prompt_ms" : "cancel_frames_ms"] = percentiles(*times);
            result[in_prompt ? "cancel_prompt_count" : "cancel_frames_count"] = times->size();
        }
    if (o.windows > 0) {
        auto codec = models::HeartCodec::open(folder->codec, o.threads);
        if (!codec) return fail(codec.status());
        models::CodecOptions codec_options;
        codec_options.steps = o.flow_steps;
        auto schedule = models::CodecSchedule::make(codec_options, codec->config());
        if (!schedule) return fail(schedule.status());
        std::vector<std::int32_t> song;
        const auto last = schedule->window(o.windows - 1);
        for (int i = 0; i < (last.first + last.codes) * config->codebooks; ++i)
            song.push_back(static_cast<std::int32_t>(
                models::Noise(2).words(models::NoisePurpose::race, 1, 0, static_cast<std::uint32_t>(i))[0] %
                static_cast<std::uint32_t>(codec->config().codebook_size)));
        auto stream = models::CodecStream::make(
            *codec, codec_options, [](std::span<const float>, std::span<const float>) { return Status(); });
        if (!stream) return fail(stream.status());
        const double begin = seconds_now();
        if (Status status = stream->push(song); !status) return fail(status);
        if (Status status = stream->finish(); !status) return fail(status);
        const double seconds = seconds_now() - begin;
        const auto work = codec->work(codec_options);
        const double rate = product_rate(models::Compute::fp32, o.threads);
        result["codec_windows"] = stream->windows();
        result["codec_seconds"] = seconds;
        result["codec_times_real_time"] =
            static_cast<double>(stream->samples()) / codec->config().sample_rate / seconds;
        result["codec_gflop_per_s"] = stream->windows() * (work.solve + work.decode) / seconds / 1e9;
        result["product_gflops"] = rate / 1e9;
        result["codec_of_product_rate"] = stream->windows() * (work.solve + work.decode) / seconds / rate;
    }
    result["peak_mb"] = peak_megabytes();
    print_result(result, o.json);
    return same ? exit_ok : exit_failed;
}

} // namespace

Command add_bench_generate(CLI::App& app) {
    CLI::App* sub = app.add_subcommand("generate", "HeartMuLa and HeartCodec: frames and windows a second");
    auto options = std::make_shared<Options>();
    sub->add_option("--model", options->model, "Folder for music generation")->required();
    sub->add_option("--version", options->version, "Which HeartMuLa-oss-VERSION");
    option(*sub, "--frames", options->frames, "Frames a song, the prompt's own among them")->check(CLI::Range(3, 8000));
    option(*sub, "--prompt", options->prompt, "Positions of the prompt")->check(CLI::Range(2, 8000));
    option(*sub, "--songs", options->songs, "Songs in one batch")->check(CLI::Range(1, 64));
    option(*sub, "--threads", options->threads, "Threads")->check(CLI::Range(1, 256));
    option(*sub, "--dtype", options->dtype, "fp32, bf16 or int8");
    option(*sub, "--guidance", options->guidance, "Up to 1: one row a song instead of two");
    option(*sub, "--rounds", options->rounds, "Times it is run; medians count")->check(CLI::Range(1, 1000));
    option(*sub, "--windows", options->windows, "Windows of the codec, too")->check(CLI::Range(0, 100));
    option(*sub, "--flow-steps", options->flow_steps, "Of a window")->check(CLI::Range(1, 1000));
    option(*sub, "--gate", options->gate, "Frames on which scores are compared with fp32's")
        ->check(CLI::Range(0, 8000));
    option(*sub, "--cancels", options->cancels, "Times that a prompt, and a song, is stopped")
        ->check(CLI::Range(0, 1000));
    sub->add_flag("--in-a-row", options->in_a_row, "Also the same songs one after another, in turn with the batch");
    sub->add_flag("--json", options->json, "Print JSON");
    return {sub, [options] { return run(*options); }};
}

} // namespace tutti::cli
