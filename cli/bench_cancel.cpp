// SPDX-License-Identifier: MIT
// tutti bench cancel: how long a job goes on after it was cancelled, at random times in each of its stages.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <thread>

#include <fmt/format.h>

#include <tutti/worker.h>

#include "cli/bench.h"
#include "cli/bench_models.h"
#include <models/mel/mel.h>
#include <models/whisper/search.h>
#include <models/whisper/transcribe.h>

namespace tutti::cli {

namespace {

struct Options {
    std::string model;
    int rounds = 50;
    int batch = 4;
    int threads = 2;
    unsigned seed = 1;
    std::string dtype = "fp32";
    bool json = false;
};

constexpr std::array<const char*, 5> k_stages = {"load", "mel", "encoder", "prefill", "decode"};
constexpr int k_prompt = 200, k_tokens = 200; // long enough to be hit

// One job through all stages; says which one it is in.
Status work(JobContext& context, const Options& o, models::Compute compute, const std::vector<float>& signal,
            std::atomic<int>& stage) {
    const auto enter = [&](int next) { stage.store(next, std::memory_order_release); };
    const std::function<bool()> cancelled = [&context] { return context.cancelled(); };
    enter(0);
    auto model = models::WhisperModel::open(o.model, o.threads, cancelled, compute);
    if (!model) return model.status();
    auto generation = models::GenerationConfig::open(o.model, model->config());
    if (!generation) return generation.status();
    model->set_token(context.token());
    enter(1);
    const auto& c = model->config();
    std::vector<std::vector<float>> features;
    for (int i = 0; i < o.batch && !context.cancelled(); ++i) {
        auto rows =
            models::whisper_features(c.mels, std::span(signal).first(480000), models::MelExtent::window, 480000, 1);
        if (!rows) return rows.status();
        rows->resize(static_cast<std::size_t>(2 * c.positions) * static_cast<std::size_t>(c.mels));
        features.push_back(std::move(rows).value());
    }
    if (context.cancelled()) return context.stopped();
    enter(2);
    std::vector<models::CrossMemory> memories;
    for (const auto& rows : features) {
        memories.push_back(model->remember(model->encode(rows)));
        if (context.cancelled()) return context.stopped();
    }
    enter(3);
    std::vector<models::SearchItem> items;
    for (const auto& memory : memories)
        items.push_back({&memory, std::vector<models::TokenId>(k_prompt, generation->start)});
    generation->suppress.push_back(generation->eos);
    generation->begin_suppress.push_back(generation->eos);
    models::SearchOptions options;
    options.cancelled = &cancelled;
    options.limit = 1;
    if (models::search(*model, *generation, items, options).empty()) return context.stopped();
    enter(4);
    for (auto& item : items)
        item.prompt.resize(1);
    options.limit = k_tokens;
    if (models::search(*model, *generation, items, options).empty()) return context.stopped();
    return {};
}

int run(const Options& o) {
    models::Compute compute = models::Compute::fp32;
    if (!parse_compute(o.dtype, compute))
        return fail(Status(Code::invalid_argument, "dtype " + o.dtype + " is unknown", "nothing was measured",
                           "use fp32, bf16 or int8"));
    auto worker = Worker::create({.threads = 1, .idle_threads = o.threads, .grace_seconds = 60.0});
    if (!worker) return fail(worker.status());
    const std::vector<float> signal = test_signal(480000);
    const auto begin = [&](std::atomic<int>& stage) {
        return (*worker)->submit({.name = "transcribe"},
                                 [&](JobContext& context) { return work(context, o, compute, signal, stage); });
    };
    // Once to the end: how long each stage takes.
    std::array<double, k_stages.size() + 1> entered{};
    {
        std::atomic<int> stage{-1};
        const Job job = begin(stage);
        for (int s = 0; s < static_cast<int>(k_stages.size()); ++s) {
            while (stage.load(std::memory_order_acquire) < s && !job.ended())
                std::this_thread::sleep_for(std::chrono::microseconds(200));
            entered[static_cast<std::size_t>(s)] = seconds_now();
        }
        job.wait();
        if (!job.status()) return fail(job.status());
        entered.back() = seconds_now();
    }
    std::mt19937 random(o.seed);
    std::map<std::string, std::vector<double>> took;
    std::vector<double> all;
    for (int round = 0; round < o.rounds; ++round) {
        const auto s = static_cast<std::size_t>(round) % k_stages.size();
        std::atomic<int> stage{-1};
        const Job job = begin(stage);
        while (stage.load(std::memory_order_acquire) < static_cast<int>(s) && !job.ended())
            std::this_thread::sleep_for(std::chrono::microseconds(100));
        const double share = std::uniform_real_distribution<double>(0.0, 0.95)(random);
        std::this_thread::sleep_for(std::chrono::duration<double>((entered[s + 1] - entered[s]) * share));
        const double asked = seconds_now();
        job.cancel();
        job.wait();
        took[k_stages[s]].push_back(1000.0 * (seconds_now() - asked));
        all.push_back(took[k_stages[s]].back());
    }
    std::sort(all.begin(), all.end());
    nlohmann::json result;
    result["rounds"] = o.rounds;
    result["seed"] = o.seed;
    result["dtype"] = o.dtype;
    result["batch"] = o.batch;
    result["threads"] = o.threads;
    result["median_ms"] = all[all.size() / 2];
    result["p99_ms"] = all[std::min(all.size() - 1, all.size() * 99 / 100)];
    result["worst_ms"] = all.back();
    for (std::size_t s = 0; s < k_stages.size(); ++s) {
        result[std::string(k_stages[s]) + "_takes_ms"] = 1000.0 * (entered[s + 1] - entered[s]);
        const auto& some = took[k_stages[s]];
        if (!some.empty()) result[std::string(k_stages[s]) + "_worst_ms"] = *std::max_element(some.begin(), some.end());
    }
    print_result(result, o.json);
    return exit_ok;
}

} // namespace

Command add_bench_cancel(CLI::App& app) {
    CLI::App* sub = app.add_subcommand("cancel", "Whisper: from a cancel to the end of the job, in every stage");
    auto options = std::make_shared<Options>();
    sub->add_option("--model", options->model, "Folder of a checkpoint")->required();
    option(*sub, "--rounds", options->rounds, "Cancels, the stages in turn")->check(CLI::Range(1, 10000));
    option(*sub, "--batch", options->batch, "Windows together")->check(CLI::Range(1, 64));
    option(*sub, "--threads", options->threads, "Threads")->check(CLI::Range(1, 256));
    option(*sub, "--dtype", options->dtype, "fp32, bf16 or int8");
    option(*sub, "--seed", options->seed, "Of the times");
    sub->add_flag("--json", options->json, "Print JSON");
    return {sub, [options] { return run(*options); }};
}

} // namespace tutti::cli
