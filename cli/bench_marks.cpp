// SPDX-License-Identifier: MIT
// tutti bench marks: VoiceMark, UtilizationMark, JitterMark and LatencyMark, in the sense of google/synthmark.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <thread>
#include <vector>

#if defined(__unix__)
#include <pthread.h>
#include <sched.h>
#endif

#include <fmt/format.h>

#include "cli/bench.h"
#include "cli/statistics.h"

namespace tutti::cli {

namespace {

struct Options {
    VoiceWork work;
    double seconds = 2.0;
    double load = 0.9;
    int voices = 64; // of UtilizationMark and LatencyMark
    std::string only = "all";
    bool json = false;
};

constexpr int k_block = 64;

// A stream in `inline` that holds `voices` of the work: one core, as an audio callback would.
struct Player {
    std::shared_ptr<Stream> stream;
    Sender sender;
    std::vector<std::vector<float>> sound;
    std::vector<float*> out;
    std::int64_t frame = 0;
    VoiceWork work;

    static Result<Player> open(Engine& engine, VoiceWork work, int frames) {
        Player player;
        StreamConfig config;
        config.sample_rate = work.rate;
        config.channels = work.channels;
        config.parts = work_parts(work);
        config.voices = config.parts * (k_voices_per_part + 64);
        config.events = 32768;
        config.max_frames = std::max(frames, k_block);
        auto stream = engine.open(config);
        if (!stream.ok()) return stream.status();
        player.stream = std::move(*stream);
        const auto patch = work_patch(work);
        if (!patch.ok()) return patch.status();
        for (int part = 0; part < config.parts; ++part)
            if (Status status = player.stream->set_patch(part, *patch, 0); !status.ok()) return status;
        auto sender = player.stream->make_sender();
        if (!sender.ok()) return sender.status();
        player.sender = std::move(*sender);
        player.sound.assign(static_cast<std::size_t>(work.channels),
                            std::vector<float>(static_cast<std::size_t>(config.max_frames)));
        for (auto& channel : player.sound)
            player.out.push_back(channel.data());
        player.work = work;
        for (int voice = 0; voice < work.voices; ++voice) {
            if (voice % 8192 == 8191) player.pull(k_block);
            start_voice(player.sender, work, voice, player.frame);
        }
        for (int i = 0; i < 200; ++i) // past the attacks
            player.pull(k_block);
        return player;
    }
    void pull(int frames) {
        stream->pull(out.data(), frames);
        frame += frames;
    }
    // CPU seconds a second of sound takes.
    double load(double seconds) {
        const double begin = cpu_seconds_now();
        const std::int64_t from = frame;
        while (static_cast<double>(frame - from) < seconds * work.rate)
            pull(k_block);
        return (cpu_seconds_now() - begin) / (static_cast<double>(frame - from) / work.rate);
    }
};

Result<double> load_of(Engine& engine, const Options& options, int voices) {
    VoiceWork work = options.work;
    work.voices = voices;
    auto player = Player::open(engine, work, k_block);
    if (!player.ok()) return player.status();
    return player->load(options.seconds);
}

// VoiceMark: voices that take `load` of a core. Two points of a line give the next guess.
Status voice_mark(Engine& engine, const Options& options, nlohmann::json& result) {
    int voices = 1024;
    double load = 0.0;
    for (int round = 0; round < 5; ++round) {
        const auto measured = load_of(engine, options, voices);
        if (!measured.ok()) return measured.status();
        load = *measured;
        if (std::fabs(load / options.load - 1.0) < 0.02) break;
        if (round < 4) voices = std::clamp(static_cast<int>(voices * options.load / std::max(load, 1e-6)), 16, 131072);
    }
    result["voice_mark"] = {{"voices", static_cast<int>(voices * options.load / load)},
                            {"measured_voices", voices},
                            {"measured_load", load},
                            {"load", options.load}};
    return {};
}

// UtilizationMark: the part of a core that a fixed number of voices takes.
Status utilization_mark(Engine& engine, const Options& options, nlohmann::json& result) {
    const auto load = load_of(engine, options, options.voices);
    if (!load.ok()) return load.status();
    result["utilization_mark"] = {{"voices", options.voices}, {"percent", 100.0 * *load}};
    return {};
}

using Clock = std::chrono::steady_clock;

bool ask_for_real_time() noexcept {
#if defined(__unix__)
    sched_param parameter{};
    parameter.sched_priority = 60;
    return pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameter) == 0;
#else
    return false;
#endif
}

// JitterMark: how late a thread wakes that sleeps to each block's beginning.
void jitter_mark(const Options& options, nlohmann::json& result) {
    std::vector<double> late;
    bool real_time = false;
    std::thread([&] {
        real_time = ask_for_real_time();
        const std::chrono::duration<double> period(k_block / options.work.rate);
        const auto blocks = static_cast<std::size_t>(2.0 * options.seconds / period.count());
        late.reserve(blocks);
        auto due = Clock::now();
        for (std::size_t i = 0; i < blocks && !g_interrupted; ++i) {
            due += std::chrono::duration_cast<Clock::duration>(period);
            std::this_thread::sleep_until(due);
            late.push_back(std::chrono::duration<double, std::micro>(Clock::now() - due).count());
        }
    }).join();
    result["jitter_mark"] = {{"wake_us", percentiles(late)}, {"real_time", real_time}};
}

// LatencyMark: the smallest block, in a device of two, that is never late while the load changes each half second between a
// quarter of the voices and all of them.
Status latency_mark(Engine& engine, const Options& options, nlohmann::json& result) {
    nlohmann::json tried = nlohmann::json::array();
    int found = 0;
    for (int frames = 16; frames <= 8192 && found == 0; frames *= 2) {
        VoiceWork work = options.work;
        work.voices = options.voices;
        auto player = Player::open(engine, work, frames);
        if (!player.ok()) return player.status();
        int glitches = 0;
        std::thread([&] {
            ask_for_real_time();
            const auto period =
                std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(frames / work.rate));
            const auto blocks = static_cast<int>(2.0 * options.seconds * work.rate / frames);
            const int half_second = std::max(1, static_cast<int>(0.5 * work.rate / frames));
            auto due = Clock::now() + period;
            for (int i = 0; i < blocks && !g_interrupted; ++i) {
                for (int voice = work.voices / 4; i % half_second == 0 && voice < work.voices; ++voice) {
                    if (i / half_second % 2 == 0)
                        release_voice(player->sender, voice, player->frame);
                    else
                        start_voice(player->sender, work, voice, player->frame);
                }
                std::this_thread::sleep_until(due);
                player->pull(frames);
                // The other block of the two plays meanwhile.
                due += period;
                if (Clock::now() > due) {
                    ++glitches;
                    due = Clock::now() + period;
                }
            }
        }).join();
        tried.push_back({{"frames", frames}, {"glitches", glitches}});
        if (glitches == 0) found = frames;
    }
    result["latency_mark"] = {{"frames", found}, // 0: none was free of glitches
                              {"milliseconds", 1000.0 * 2.0 * found / options.work.rate},
                              {"voices", options.voices},
                              {"tried", tried}};
    return {};
}

int run(const Options& options) {
    const bool known = options.only == "all" || options.only == "voice" || options.only == "utilization" ||
                       options.only == "jitter" || options.only == "latency";
    if (!known)
        return fail(Status(Code::invalid_argument, fmt::format("--only {} is unknown", options.only),
                           "nothing was measured", "use voice, utilization, jitter, latency or all"));
    if (!(options.load > 0.0 && options.load <= 1.0) || options.voices < 1 || options.voices > 65536 ||
        !(options.seconds > 0.0 && options.seconds <= 600.0))
        return fail(Status(Code::out_of_range, "--load, --voices or --seconds is out of range", "nothing was measured",
                           "use 0..1, 1..65536 and up to 600"));
    catch_interrupts();
    auto engine = Engine::create({.threads = 1});
    if (!engine.ok()) return fail(engine.status());
    nlohmann::json result = {
        {"backend", (*engine)->backend()}, {"quality", options.work.quality}, {"rate", options.work.rate}};
    const auto wanted = [&](const char* name) { return options.only == "all" || options.only == name; };
    if (wanted("voice"))
        if (Status status = voice_mark(**engine, options, result); !status.ok()) return fail(status);
    if (wanted("utilization"))
        if (Status status = utilization_mark(**engine, options, result); !status.ok()) return fail(status);
    if (wanted("jitter")) jitter_mark(options, result);
    if (wanted("latency"))
        if (Status status = latency_mark(**engine, options, result); !status.ok()) return fail(status);
    print_result(result, options.json);
    return g_interrupted ? exit_interrupted : exit_ok;
}

} // namespace

Command add_bench_marks(CLI::App& app) {
    CLI::App* sub =
        app.add_subcommand("marks", "VoiceMark, UtilizationMark, JitterMark and LatencyMark of this machine");
    auto options = std::make_shared<Options>();
    options->work.quality = "standard";
    option(*sub, "--only", options->only, "voice, utilization, jitter, latency or all");
    option(*sub, "--quality", options->work.quality, "eco, standard or ultra");
    option(*sub, "--load", options->load, "VoiceMark: the part of a core to fill");
    option(*sub, "--voices", options->voices, "Voices of UtilizationMark and LatencyMark");
    option(*sub, "--seconds", options->seconds, "Seconds a measurement");
    option(*sub, "--rate", options->work.rate, "Sample rate in Hz");
    sub->add_flag("--json", options->json, "Print one JSON object");
    return {sub, [options] { return run(*options); }};
}

} // namespace tutti::cli
