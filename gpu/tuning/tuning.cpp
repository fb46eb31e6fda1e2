// SPDX-License-Identifier: MIT
#include "gpu/tuning/tuning.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <random>
#include <thread>

#include "engine/cpu/backend.h"
#include "gpu/tuning/choose.h"
#include "gpu/tuning/load.h"

namespace tutti::gpu {

namespace {

using Clock = std::chrono::steady_clock;
constexpr int k_format = 1;
constexpr int k_pairs = 7;
constexpr double k_block_seconds = 64.0 / 48000.0;

double seconds_of(VoiceLoad& load, engine::Backend& backend, int threads, int blocks) {
    const auto begin = Clock::now();
    for (int i = 0; i < blocks; ++i)
        load.step(backend, threads);
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    const auto* const device = dynamic_cast<const DeviceBackend*>(&backend);
    return device != nullptr && device->stats().lost ? -1.0 : seconds; // the CPU went on
}

std::uint64_t hash_of(const std::string& text) {
    std::uint64_t hash = 14695981039346656037u; // FNV-1a
    for (const char c : text)
        hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
    return hash;
}
std::filesystem::path file_of(const std::filesystem::path& folder, const std::string& key) {
    char name[32];
    std::snprintf(name, sizeof name, "tuning-%016llx.txt", static_cast<unsigned long long>(hash_of(key)));
    return folder / name;
}

class Capped final : public engine::Backend {
public:
    Capped(std::unique_ptr<engine::Backend> backend, int threads) : m_backend(std::move(backend)), m_threads(threads) {}
    const char* name() const noexcept override { return m_backend->name(); }
    void render(engine::BankStep* steps, int count, int threads) noexcept override {
        m_backend->render(steps, count, std::min(threads, m_threads));
    }
    void render_with(engine::BankStep* steps, int count, Work work, void* context, int jobs,
                     int threads) noexcept override {
        m_backend->render_with(steps, count, work, context, jobs, std::min(threads, m_threads));
    }
    const char* lost() const noexcept override { return m_backend->lost(); }
    void each(Work work, void* context, int count, int threads) noexcept override {
        m_backend->each(work, context, count, std::min(threads, m_threads));
    }

private:
    std::unique_ptr<engine::Backend> m_backend;
    int m_threads;
};

class Reverting final : public engine::Backend {
public:
    Reverting(std::unique_ptr<DeviceBackend> device, std::filesystem::path folder, std::string key)
        : m_device(std::move(device)), m_folder(std::move(folder)), m_key(std::move(key)) {}
    ~Reverting() override {
        if (!m_device->stats().lost) return;
        auto known = load_tuning(m_folder, m_key);
        const Tuning defaults;
        if (!known || (known->graphs == defaults.graphs && known->crossover_voices == defaults.crossover_voices))
            return;
        known->graphs = defaults.graphs;
        known->crossover_voices = defaults.crossover_voices;
        for (auto& [setting, reason] : known->reasons)
            if (setting == "graphs" || setting == "crossover_voices")
                reason = "default again: the device was lost (" + m_device->loss() + ")";
        (void)save_tuning(m_folder, m_key, *known); // where that fails, it is tried again at the next loss
    }
    const char* name() const noexcept override { return m_device->name(); }
    void render(engine::BankStep* steps, int count, int threads) noexcept override {
        m_device->render(steps, count, threads);
    }

private:
    std::unique_ptr<DeviceBackend> m_device;
    std::filesystem::path m_folder;
    std::string m_key;
};

} // namespace

std::unique_ptr<engine::Backend> revert_on_loss(std::unique_ptr<DeviceBackend> device, std::filesystem::path folder,
                                                std::string key) {
    return std::make_unique<Reverting>(std::move(device), std::move(folder), std::move(key));
}

std::unique_ptr<engine::Backend> cap_threads(std::unique_ptr<engine::Backend> backend, int threads) {
    return std::make_unique<Capped>(std::move(backend), threads);
}

std::filesystem::path cache_folder(const std::function<const char*(const char*)>& get) {
    const auto named = [&](const char* name) -> std::string {
        const char* const value = get(name);
        return value == nullptr ? "" : value;
    };
#if defined(_WIN32)
    const std::string local = named("LOCALAPPDATA");
    return local.empty() ? std::filesystem::path() : std::filesystem::path(local) / "tutti";
#else
    if (const std::string cache = named("XDG_CACHE_HOME"); !cache.empty())
        return std::filesystem::path(cache) / "tutti";
    const std::string home = named("HOME");
    return home.empty() ? std::filesystem::path() : std::filesystem::path(home) / ".cache" / "tutti";
#endif
}

std::string tuning_key(const DeviceInfo* device) {
    std::string key = std::string("tutti " TUTTI_VERSION_TEXT ", ") + engine::isa_name(engine::best_isa()) + ", " +
                      std::to_string(std::thread::hardware_concurrency()) + " cores";
    if (device != nullptr) key += ", " + device->kind + " " + device->name + ", driver " + device->driver;
    return key;
}

Result<Tuning> load_tuning(const std::filesystem::path& folder, const std::string& key) {
    const auto path = file_of(folder, key);
    std::ifstream file(path);
    const char* const meaning = "the defaults are taken";
    if (!file)
        return Status(Code::file_not_found, path.string() + " is not there yet", meaning,
                      "it is written when the machine was measured");
    const auto broken = [&](const std::string& what) {
        return Status(Code::malformed, path.string() + " is broken: " + what, meaning,
                      "remove it: it is measured anew");
    };
    Tuning tuning;
    int format = 0;
    std::string word, line;
    if (!(file >> word >> format) || word != "tutti_tuning" || format != k_format)
        return broken("its first line is not this version's");
    std::getline(file, line);
    if (!std::getline(file, line) || line != key) return broken("it was made for another machine");
    bool ended = false;
    while (file >> word) {
        if (word == "end") {
            ended = true;
            break;
        }
        int value = 0;
        if (!(file >> value)) return broken("'" + word + "' has no number");
        std::getline(file, line);
        const auto within = [&](int least, int most) { return value >= least && value <= most; };
        if (word == "graphs" && within(0, 1))
            tuning.graphs = value;
        else if (word == "crossover_voices" && within(0, 1 << 20))
            tuning.crossover_voices = value;
        else if (word == "threads" && within(0, 1024))
            tuning.threads = value;
        else if (word == "look_ahead_blocks" && within(0, 256))
            tuning.look_ahead_blocks = value;
        else
            return broken("'" + word + " " + std::to_string(value) + "' means nothing");
        tuning.reasons.emplace_back(word, line.empty() ? line : line.substr(1));
    }
    if (!ended) return broken("it ends too early");
    return tuning;
}

Status save_tuning(const std::filesystem::path& folder, const std::string& key, const Tuning& tuning) {
    const auto path = file_of(folder, key);
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    const auto half = path.string() + "." + std::to_string(std::random_device{}()) + ".part";
    std::ofstream file(half);
    const auto reason = [&](const char* setting) -> std::string {
        for (const auto& [name, text] : tuning.reasons)
            if (name == setting) return text;
        return "default";
    };
    file << "tutti_tuning " << k_format << "\n" << key << "\n";
    file << "graphs " << tuning.graphs << " " << reason("graphs") << "\n";
    file << "crossover_voices " << tuning.crossover_voices << " " << reason("crossover_voices") << "\n";
    file << "threads " << tuning.threads << " " << reason("threads") << "\n";
    file << "look_ahead_blocks " << tuning.look_ahead_blocks << " " << reason("look_ahead_blocks") << "\n";
    file << "end\n";
    file.close();
    if (file) std::filesystem::rename(half, path, error);
    if (file && !error) return {};
    std::filesystem::remove(half, error);
    return Status(Code::file_unwritable, path.string() + " cannot be written",
                  "this machine is measured again the next time", "make its folder writable, or set XDG_CACHE_HOME");
}

Tuning measure_tuning(const MakeDevice& make_device, const BackendConfig& config, int cores) {
    Tuning tuning;
    const auto note = [&](const char* setting, const std::string& reason) {
        tuning.reasons.emplace_back(setting, reason);
    };
    constexpr int k_voices = 2048;
    {
        auto cpu = engine::make_cpu_backend(std::max(1, cores), engine::best_isa());
        VoiceLoad load(k_voices);
        load.begin(*cpu, cores);
        // More threads give the same bits (tests/engine/cpu), so only time is asked.
        std::vector<Candidate> candidates;
        std::vector<int> counts = {std::max(1, cores)};
        for (int n = 1; n < cores; n *= 2)
            counts.push_back(n);
        for (const int n : counts)
            candidates.push_back(
                {std::to_string(n) + " threads", [&, n] { return seconds_of(load, *cpu, n, 40); }, {}});
        const Choice choice = choose(candidates, k_pairs, 0.0);
        tuning.threads = choice.taken == 0 ? 0 : counts[static_cast<std::size_t>(choice.taken)];
        note("threads", choice.reason);
        // What a block takes at worst, at 70 % of what the machine holds.
        std::vector<double> took;
        for (int i = 0; i < 400; ++i)
            took.push_back(seconds_of(load, *cpu, std::max(1, cores), 1));
        std::sort(took.begin(), took.end());
        const double middle = took[took.size() / 2], slow = took[took.size() - 2];
        const double excess = 0.7 * k_block_seconds * (slow / middle - 1.0);
        tuning.look_ahead_blocks = std::clamp(2 + static_cast<int>(std::ceil(excess / k_block_seconds)), 2, 16);
        note("look_ahead_blocks", "measured: the slowest of 400 blocks took " +
                                      std::to_string(slow / middle).substr(0, 4) + " times the middle one");
    }
    if (!make_device) return tuning;
    BackendConfig launches = config;
    launches.graphs = false;
    const auto graphs = make_device(config), plain = make_device(launches);
    if (graphs == nullptr || plain == nullptr) {
        note("graphs", "default: the device failed while it was measured");
        return tuning;
    }
    {
        VoiceLoad a(k_voices), b(k_voices);
        a.begin(*graphs, 1);
        b.begin(*plain, 1);
        const std::vector<Candidate> candidates = {
            {"graphs", [&] { return seconds_of(a, *graphs, 1, 20); }, {}},
            {"launches", [&] { return seconds_of(b, *plain, 1, 20); },
             [&] {
                 // Both have run as many blocks.
                 double largest = 0.0, peak = 1e-12;
                 a.step(*graphs, 1);
                 b.step(*plain, 1);
                 for (std::size_t i = 0; i < a.left().size(); ++i) {
                     largest = std::max(largest,
                                        std::fabs(static_cast<double>(a.left()[i]) - static_cast<double>(b.left()[i])));
                     peak = std::max(peak, std::fabs(static_cast<double>(a.left()[i])));
                 }
                 return largest / peak;
             }}};
        const Choice choice = choose(candidates, k_pairs, 1e-5);
        tuning.graphs = choice.taken == 0 ? 1 : 0;
        note("graphs", choice.reason);
    }
    // From how many voices on the device is faster than the CPU.
    auto cpu = engine::make_cpu_backend(1, engine::best_isa());
    int crossover = 0;
    for (const int voices : {64, 256, 1024, 4096}) {
        const auto device = make_device(tuning.graphs != 0 ? config : launches);
        if (device == nullptr) break;
        VoiceLoad own(voices), other(voices);
        own.begin(*device, 1);
        other.begin(*cpu, 1);
        const Choice choice = choose({{"the device", [&] { return seconds_of(own, *device, 1, 20); }, {}},
                                      {"the CPU", [&] { return seconds_of(other, *cpu, 1, 20); }, {}}},
                                     k_pairs, 0.0);
        if (choice.taken == 0) break;
        crossover = voices + 1;
    }
    tuning.crossover_voices = crossover;
    note("crossover_voices", crossover == 0
                                 ? "measured: the device is never slower than one core"
                                 : "measured: up to " + std::to_string(crossover - 1) + " voices one core is faster");
    return tuning;
}

} // namespace tutti::gpu
