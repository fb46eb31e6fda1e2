// SPDX-License-Identifier: MIT
// What the environment asks for, what is chosen and why; level 2: what is kept, what is stored, what a broken cache does.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <doctest/doctest.h>

#include "engine/cpu/backend.h"
#include "gpu/discovery.h"
#include "gpu/simulated/device.h"
#include "gpu/tuning/choose.h"
#include "gpu/tuning/load.h"

using namespace tutti;

namespace {

gpu::Settings read(const std::map<std::string, std::string>& environment) {
    return gpu::read_settings([&](const char* name) -> const char* {
        const auto found = environment.find(name);
        return found == environment.end() ? nullptr : found->second.c_str();
    });
}

struct Folder {
    std::filesystem::path path;
    Folder() : path(std::filesystem::temp_directory_path() / ("tutti-tuning-" + std::to_string(std::rand()))) {
        std::filesystem::remove_all(path);
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::filesystem::path only_file() const {
        std::filesystem::path file;
        for (const auto& each : std::filesystem::directory_iterator(path)) {
            CHECK(file.empty());
            file = each.path();
        }
        return file;
    }
};

gpu::DeviceSource simulated(const gpu::SimulatedOptions& options = {}) {
    gpu::DeviceSource source;
    source.devices.push_back(gpu::make_simulated_device(options)->info());
    source.open = [options](int) -> Result<std::unique_ptr<gpu::Device>> {
        return gpu::make_simulated_device(options);
    };
    return source;
}
const std::string* value_of(const gpu::Discovery& found, const std::string& setting) {
    for (const gpu::Applied& each : found.applied)
        if (each.setting == setting) return &each.value;
    return nullptr;
}

// Times in turn, from a list.
gpu::Candidate timed(const char* name, std::vector<double> times, double difference = 0.0) {
    auto at = std::make_shared<std::size_t>(0);
    return {name, [at, times] { return times[(*at)++ % times.size()]; }, [difference] { return difference; }};
}

} // namespace

TEST_CASE(
    "every name of a setting is read; the first one wins; a value that means nothing is one warning and the default") {
    CHECK(read({}).backend == "auto");
    CHECK(read({}).level == 1);
    for (const char* backend : {"auto", "cpu", "cuda", "torch", "metal"}) {
        CHECK(read({{"TUTTI_BACKEND", backend}}).backend == backend);
        CHECK(read({{"GPU_BACKEND", backend}}).backend == backend);
        CHECK(read({{"TUTTI_BACKEND", backend}}).warnings.empty());
    }
    CHECK(read({{"TUTTI_BACKEND", "cpu"}, {"GPU_BACKEND", "cuda"}}).backend == "cpu");
    CHECK(read({{"USE_CUDA", "1"}}).backend == "cuda");
    CHECK(read({{"USE_CUDA", "0"}}).backend == "cpu");
    CHECK(read({{"TUTTI_BACKEND", "auto"}, {"USE_CUDA", "1"}}).backend == "auto");
    CHECK(read({{"TUTTI_BACKEND", ""}}).warnings.empty());
    for (const int level : {0, 1, 2}) {
        CHECK(read({{"TUTTI_OPTIMIZATION", std::to_string(level)}}).level == level);
        CHECK(read({{"OPTIMIZATION_LEVEL", std::to_string(level)}}).level == level);
    }
    CHECK(read({{"TUTTI_TORCH_DEVICE", "xpu"}}).torch_device == "xpu");
    const auto wrong = read({{"TUTTI_BACKEND", "abacus"}, {"TUTTI_OPTIMIZATION", "3"}, {"TUTTI_TORCH_DEVICE", "tpu"}});
    CHECK(wrong.backend == "auto");
    CHECK(wrong.level == 1);
    CHECK(wrong.torch_device == "cpu");
    REQUIRE(wrong.warnings.size() == 3);
    CHECK(wrong.warnings[0].find("TUTTI_BACKEND=abacus") != std::string::npos);
    CHECK(read({{"USE_CUDA", "yes"}}).warnings.size() == 1);
}

TEST_CASE("the cache's folder is the user's") {
    CHECK(read({{"XDG_CACHE_HOME", "/c"}, {"HOME", "/h"}}).cache == std::filesystem::path("/c/tutti"));
    CHECK(read({{"HOME", "/h"}}).cache == std::filesystem::path("/h/.cache/tutti"));
}

TEST_CASE("auto takes a device that is there, says why it has none, and never torch") {
    gpu::Settings settings;
    const auto with = gpu::discover(settings, simulated());
    CHECK(with.chosen == "simulated 0");
    CHECK_FALSE(with.applied.empty());
    for (const gpu::Applied& each : with.applied)
        CHECK_FALSE(each.reason.empty());
    gpu::DeviceSource none;
    none.why = "there is no driver";
    const auto without = gpu::discover(settings, none);
    CHECK(without.chosen == "cpu");
    CHECK(without.reason == "there is no driver");
    settings.backend = "cuda";
    CHECK(gpu::discover(settings, none).reason == "cuda was asked for, but there is no driver");
    CHECK(gpu::discover(settings, simulated()).chosen == "cpu"); // another kind
    settings.backend = "metal";
    CHECK(gpu::discover(settings, none).reason == "metal was asked for, but there is no driver");
#ifndef __APPLE__
    CHECK(gpu::discover(settings).reason == "metal was asked for, but Metal is Apple's alone");
#endif
    settings.backend = "torch";
    CHECK(gpu::discover(settings).chosen == "torch cpu");
    settings.backend = "cpu";
    CHECK(gpu::discover(settings).chosen == "cpu");
}

TEST_CASE("level 0 is what is always safe, level 1 follows the device's own figures") {
    gpu::DeviceInfo card;
    card.kind = "cuda";
    card.memory = std::size_t{24} << 30;
    std::vector<gpu::Applied> applied;
    const auto safe = gpu::settings_for(card, 0, applied);
    CHECK_FALSE(safe.graphs);
    CHECK(safe.keep_warm_ms == 0.0);
    const auto large = gpu::settings_for(card, 1, applied);
    CHECK(large.graphs);
    CHECK(large.keep_warm_ms > 0.0);
    card.memory = std::size_t{2} << 30;
    CHECK(gpu::settings_for(card, 1, applied).rows < large.rows);
    card.unified = true;
    CHECK(gpu::settings_for(card, 1, applied).keep_warm_ms == 0.0);
}

TEST_CASE("a setting is kept only if it is faster beyond noise and sounds the same") {
    const auto taken = [](gpu::Candidate other) {
        return gpu::choose({timed("default", {1.0, 1.02, 0.99, 1.01}), std::move(other)}, 8, 1e-5);
    };
    CHECK(taken(timed("faster", {0.80, 0.82, 0.79, 0.81})).taken == 1);
    CHECK(taken(timed("as fast", {0.99, 1.01, 1.0, 0.98})).taken == 0);
    CHECK(taken(timed("sometimes faster", {0.5, 1.1, 0.6, 1.2})).taken == 0);
    const auto other_sound = taken(timed("faster, but another sound", {0.5}, 1e-3));
    CHECK(other_sound.taken == 0);
    CHECK(other_sound.reason.find("differs") != std::string::npos);
    CHECK(taken(timed("fails", {0.5, 0.5, -1.0})).taken == 0);
    CHECK(taken(timed("no number", {0.5}, std::nan(""))).taken == 0);
    CHECK(gpu::choose({timed("a", {1.0}), timed("b", {0.9}), timed("c", {0.7})}, 6, 0.0).taken == 2);
}

TEST_CASE("a tuning is stored and read back; what is broken, cut off or another machine's is refused by name") {
    const Folder folder;
    const std::string key = gpu::tuning_key(nullptr);
    CHECK(gpu::load_tuning(folder.path, key).status().code() == Code::file_not_found);
    gpu::Tuning tuning;
    tuning.graphs = 0;
    tuning.crossover_voices = 257;
    tuning.threads = 3;
    tuning.look_ahead_blocks = 4;
    tuning.reasons = {{"threads", "measured: 0.80 of the default's time"}};
    REQUIRE(gpu::save_tuning(folder.path, key, tuning).ok());
    const auto back = gpu::load_tuning(folder.path, key);
    REQUIRE(back.ok());
    CHECK(back->graphs == 0);
    CHECK(back->crossover_voices == 257);
    CHECK(back->threads == 3);
    CHECK(back->reasons[2].second == "measured: 0.80 of the default's time");
    const auto file = folder.only_file(); // no half file is left
    std::string text;
    {
        std::ifstream in(file);
        text.assign(std::istreambuf_iterator<char>(in), {});
    }
    const auto broken = [&](const std::string& what) {
        std::ofstream(file) << what;
        const auto read_back = gpu::load_tuning(folder.path, key);
        return !read_back.ok() && read_back.status().code() == Code::malformed;
    };
    CHECK(broken(""));
    CHECK(broken(text.substr(0, text.size() / 2)));
    CHECK(broken(text.substr(0, text.size() - 4)));
    CHECK(broken("tutti_tuning 2\n" + text.substr(15)));
    CHECK(broken("tutti_tuning 1\nanother machine\nend\n"));
    CHECK(broken("tutti_tuning 1\n" + key + "\nthreads many\nend\n"));
    CHECK(broken("tutti_tuning 1\n" + key + "\nthreads 100000\nend\n"));
    CHECK(broken("tutti_tuning 1\n" + key + "\nspoons 3\nend\n"));
    CHECK_FALSE(broken(text));
    // A place that cannot be written to is said, and that is all.
    CHECK(gpu::save_tuning(file / "below-a-file", key, tuning).code() == Code::file_unwritable);
}

TEST_CASE(
    "level 2 measures once, stores, applies what it stored, and a broken cache is one warning and a new measurement") {
    const Folder folder;
    gpu::Settings settings;
    settings.level = 2;
    settings.cache = folder.path;
    const auto first = gpu::discover(settings, simulated());
    CHECK(first.settings.warnings.empty());
    for (const char* setting : {"graph", "crossover", "CPU threads", "look-ahead, advised"}) {
        CAPTURE(setting);
        CHECK(value_of(first, setting) != nullptr);
    }
    // The stored figures are what counts from then on.
    const auto file = folder.only_file();
    const std::string key = gpu::tuning_key(&first.devices.front());
    gpu::Tuning own;
    own.graphs = 0;
    own.crossover_voices = 99;
    own.threads = 1;
    REQUIRE(gpu::save_tuning(folder.path, key, own).ok());
    const auto second = gpu::discover(settings, simulated());
    CHECK_FALSE(second.config.graphs);
    CHECK(second.config.crossover_voices == 99);
    CHECK(second.cpu_threads == 1);
    std::ofstream(file) << "rubbish";
    const auto third = gpu::discover(settings, simulated());
    REQUIRE(third.settings.warnings.size() == 1);
    CHECK(third.settings.warnings[0].find("broken") != std::string::npos);
    CHECK(gpu::load_tuning(folder.path, key).ok());
    // A device that fails while it is measured keeps its defaults.
    std::filesystem::remove(file);
    gpu::SimulatedOptions faulty;
    faulty.fault = [](std::int64_t call) { return call > 200 ? int(gpu::simulated_fault) : 0; };
    const auto fourth = gpu::discover(settings, simulated(faulty));
    CHECK(fourth.config.graphs);
}

TEST_CASE("measured settings go back to the defaults where the device is lost with them, and stay where it is not") {
    Folder folder;
    gpu::Tuning tuning;
    tuning.graphs = 0;
    tuning.crossover_voices = 257;
    tuning.threads = 1;
    tuning.reasons = {{"graphs", "measured"}, {"crossover_voices", "measured"}, {"threads", "measured"}};
    const std::string key = "a machine";
    for (const bool fails : {false, true}) {
        REQUIRE(gpu::save_tuning(folder.path, key, tuning).ok());
        gpu::SimulatedOptions options;
        bool now = false;
        options.fault = [&](std::int64_t) { return now ? int(gpu::simulated_fault) : 0; };
        gpu::BackendConfig config;
        config.rows = 16;
        config.budget_us = 10e6;
        auto made = gpu::DeviceBackend::make(gpu::make_simulated_device(options),
                                             engine::make_cpu_backend(1, engine::Isa::scalar), config);
        REQUIRE(made.ok());
        auto backend = gpu::revert_on_loss(std::move(*made), folder.path, key);
        gpu::VoiceLoad load(32);
        load.begin(*backend, 1);
        now = fails;
        load.step(*backend, 1);
        backend.reset();
        const auto kept = gpu::load_tuning(folder.path, key);
        REQUIRE(kept.ok());
        CHECK(kept->graphs == (fails ? 1 : 0));
        CHECK(kept->crossover_voices == (fails ? 0 : 257));
        CHECK(kept->threads == 1);
        for (const auto& [setting, reason] : kept->reasons)
            if (setting == "graphs") CHECK((reason == "measured") == !fails);
    }
}

TEST_CASE("below the crossover voices stay on the CPU; from it on they move to the device, with the same bits") {
    const auto run = [](int voices, int crossover, gpu::BackendStats& stats) {
        gpu::BackendConfig config;
        config.crossover_voices = crossover;
        config.budget_us = 10e6;
        auto made = gpu::DeviceBackend::make(gpu::make_simulated_device(),
                                             engine::make_cpu_backend(1, engine::Isa::scalar), config);
        REQUIRE(made.ok());
        gpu::VoiceLoad load(voices);
        load.begin(**made, 1);
        stats = (*made)->stats();
        return load.left();
    };
    gpu::BackendStats few, many;
    const auto on_cpu = run(48, 100, few), on_device = run(48, 0, many);
    CHECK(few.cpu_banks > 0);
    CHECK(few.voices_moved == 0);
    CHECK(many.cpu_banks == 0);
    CHECK(on_cpu == on_device);
    run(128, 100, many);
    CHECK(many.cpu_banks == 0);
}

TEST_CASE("the CPU backend with a cap renders the same bits") {
    gpu::VoiceLoad a(100), b(100);
    auto plain = engine::make_cpu_backend(2, engine::best_isa());
    auto capped = gpu::cap_threads(engine::make_cpu_backend(2, engine::best_isa()), 1);
    a.begin(*plain, 2);
    b.begin(*capped, 2);
    CHECK(a.left() == b.left());
    CHECK(std::string(capped->name()) == plain->name());
}
