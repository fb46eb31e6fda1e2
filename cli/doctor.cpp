// SPDX-License-Identifier: MIT
// tutti doctor: what this machine and this build offer to audio, each with a verdict and what to do.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <tutti/engine.h>

#include "cli/command.h"
#include "engine/cpu/isa.h"
#include "io/audio_device.h"

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>
#endif

namespace tutti::cli {

namespace {

namespace fs = std::filesystem;

// good: as it should be; note: works, less well or without something; poor: will be heard.
struct Finding {
    std::string name, value, verdict, remedy;
};
using Findings = std::vector<Finding>;

std::string first_line(const fs::path& file) {
    std::ifstream in(file);
    std::string line;
    std::getline(in, line);
    return line;
}

// The value of the first "key : value" of a file.
std::string field(const fs::path& file, const std::string& key) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
        if (line.compare(0, key.size(), key) != 0) continue;
        const auto colon = line.find(':');
        if (colon == std::string::npos) continue;
        const auto begin = line.find_first_not_of(" \t", colon + 1);
        return begin == std::string::npos ? std::string() : line.substr(begin);
    }
    return {};
}

bool is_there(const fs::path& path) {
    std::error_code error;
    return fs::exists(path, error);
}

std::string environment(const char* name) {
    const char* const value = std::getenv(name);
    return value != nullptr ? value : "";
}

void processor(Findings& out) {
    const std::string model = field("/proc/cpuinfo", "model name");
    const unsigned cores = std::thread::hardware_concurrency();
    out.push_back(
        {"processor", fmt::format("{}, {} threads", model.empty() ? "not told" : model, cores),
         cores >= 2 ? "good" : "note",
         cores >= 2 ? "" : "the render thread shares the only core with everything else: use a larger look-ahead"});
    std::string sets;
    for (const engine::Isa isa :
         {engine::Isa::scalar, engine::Isa::sse2, engine::Isa::avx2, engine::Isa::avx512, engine::Isa::neon})
        if (engine::isa_supported(isa)) sets += (sets.empty() ? "" : ", ") + std::string(engine::isa_name(isa));
    const auto chosen = engine::select_isa();
    if (!chosen.ok())
        out.push_back(
            {"instruction set", "TUTTI_ISA asks for one that is not there; here: " + sets, "poor", "unset TUTTI_ISA"});
    else if (*chosen != engine::best_isa())
        out.push_back({"instruction set", fmt::format("{} by TUTTI_ISA, of {}", engine::isa_name(*chosen), sets),
                       "note", "unset TUTTI_ISA for the fastest"});
    else
        out.push_back({"instruction set", fmt::format("{}, of {}", engine::isa_name(*chosen), sets), "good", ""});
    std::istringstream loads(first_line("/proc/loadavg"));
    double busy = -1.0;
    loads >> busy;
    if (busy >= 0.0 && cores > 0) {
        const bool idle = busy < 0.5 * cores;
        out.push_back({"other work", fmt::format("{:.1f} of {} threads busy", busy, cores), idle ? "good" : "note",
                       idle ? "" : "end other programs before you measure or play live"});
    }
    const std::string governor = first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    if (governor.empty())
        out.push_back({"frequency governor", "not told (a virtual machine, or fixed)", "good", ""});
    else
        out.push_back({"frequency governor", governor, governor == "performance" ? "good" : "note",
                       governor == "performance" ? "" : "sudo cpupower frequency-set -g performance"});
    const std::string clock = first_line("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    if (!clock.empty()) {
        const bool quick = clock == "tsc" || clock == "kvm-clock" || clock == "arch_sys_counter" ||
                           clock == "hyperv_clocksource_tsc_page";
        out.push_back(
            {"clock", clock, quick ? "good" : "note",
             quick ? "" : "reading this clock is a system call: boot with clocksource=tsc if the processor allows it"});
    }
}

#if defined(__unix__) || defined(__APPLE__)
std::string limit_text(rlim_t limit, rlim_t unit, const char* name) {
    return limit == RLIM_INFINITY ? std::string("unlimited") : fmt::format("{}{}", limit / unit, name);
}

bool real_time_is_given() {
    bool given = false;
    std::thread([&] {
        sched_param parameter{};
        parameter.sched_priority = 60;
        given = pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameter) == 0;
    }).join();
    return given;
}
#endif

void limits(Findings& out) {
#if defined(__unix__) || defined(__APPLE__)
    const std::string limits_file = "in /etc/security/limits.d/audio.conf, join the group audio and log in anew";
    std::string range = "no limit on this system";
    rlimit limit{};
#if defined(RLIMIT_RTPRIO)
    if (getrlimit(RLIMIT_RTPRIO, &limit) == 0) range = fmt::format("limit {}", limit_text(limit.rlim_cur, 1, ""));
#endif
    const bool given = real_time_is_given();
    out.push_back({"real-time priority", fmt::format("{} ({})", given ? "given" : "refused", range),
                   given ? "good" : "note", given ? "" : "write '@audio - rtprio 95' " + limits_file});
    if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0) {
        const bool enough = limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= (rlim_t{64} << 20);
        out.push_back({"locked memory", limit_text(limit.rlim_cur, 1024, " KiB"), enough ? "good" : "note",
                       enough ? "" : "write '@audio - memlock unlimited' " + limits_file});
    }
#endif
    const std::string swappiness = first_line("/proc/sys/vm/swappiness");
    const std::string swap = field("/proc/meminfo", "SwapTotal");
    const std::string available = field("/proc/meminfo", "MemAvailable");
    if (!available.empty()) {
        const long long kilobytes = std::atoll(available.c_str());
        out.push_back({"free memory",
                       fmt::format("{} MiB, swap {}", kilobytes / 1024, swap.empty() ? "not told" : swap),
                       kilobytes > 512 * 1024 ? "good" : "note",
                       kilobytes > 512 * 1024 ? "" : "close something: pages that are swapped out are heard as gaps"});
    }
}

void audio(Findings& out) {
    const std::string runtime = environment("XDG_RUNTIME_DIR");
    std::string servers;
    const auto note = [&](const char* name, bool there) {
        if (there) servers += (servers.empty() ? "" : ", ") + std::string(name);
    };
    note("PipeWire", !runtime.empty() && is_there(fs::path(runtime) / "pipewire-0"));
    note("PulseAudio", !runtime.empty() && is_there(fs::path(runtime) / "pulse" / "native"));
    bool jack = false;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator("/dev/shm", error))
        jack = jack || entry.path().filename().string().rfind("jack_default", 0) == 0;
    note("JACK", jack);
    out.push_back({"audio servers", servers.empty() ? "none runs" : servers, servers.empty() ? "note" : "good",
                   servers.empty() ? "devices are opened directly; start PipeWire or jackd to share them" : ""});
    const auto devices = io::list_output_devices();
    std::string named;
    for (const auto& device : devices)
        if (device.is_default) named = device.name;
    out.push_back(
        {"output devices",
         devices.empty() ? "none" : fmt::format("{}{}", devices.size(), named.empty() ? "" : ", default " + named),
         devices.empty() ? "poor" : "good",
         devices.empty() ? "connect one, or start a sound server; `tutti render` and `play --null` need none" : ""});
}

std::string found_in(const std::vector<fs::path>& folders, const char* name) {
    for (const fs::path& folder : folders)
        if (!folder.empty() && is_there(folder / name)) return (folder / name).string();
    return {};
}

std::vector<fs::path> split_paths(const std::string& text) {
    std::vector<fs::path> paths;
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, ':');)
        if (!part.empty()) paths.emplace_back(part);
    return paths;
}

void accelerators(Findings& out) {
    const std::string driver = first_line("/proc/driver/nvidia/version");
    if (!driver.empty())
        out.push_back({"GPU", driver, "good", ""});
    else if (is_there("/dev/kfd"))
        out.push_back({"GPU", "AMD (ROCm's device is there)", "good", ""});
    else
        out.push_back({"GPU", "none, or no driver", "note", "voices and models run on the processor; nothing to do"});
    std::vector<fs::path> folders = split_paths(environment("LD_LIBRARY_PATH"));
    for (const char* folder : {"/usr/lib", "/usr/lib64", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu",
                               "/usr/local/lib", "/opt/libtorch/lib"})
        folders.emplace_back(folder);
    const std::string torch = found_in(folders, "libtorch_cpu.so");
    out.push_back(
        {"libtorch", torch.empty() ? "not found; this build's models have kernels of their own" : torch, "good", ""});
}

void versions(Findings& out) {
    std::string system = "not told";
#if defined(__unix__) || defined(__APPLE__)
    utsname name{};
    if (uname(&name) == 0) system = fmt::format("{} {} {}", name.sysname, name.release, name.machine);
#endif
#if defined(__VERSION__)
    const std::string compiler = __VERSION__;
#else
    const std::string compiler = "not told";
#endif
    out.push_back(
        {"versions", fmt::format("tutti {}, compiler {}, {}", TUTTI_VERSION_TEXT, compiler, system), "good", ""});
    auto engine = Engine::create();
    if (!engine.ok()) {
        out.push_back({"backend", engine.status().message(), "poor", "see the message"});
        return;
    }
    out.push_back({"backend", (*engine)->backend(), "good", ""});
}

void folders(Findings& out) {
    std::vector<fs::path> places = split_paths(environment("TUTTI_MODELS"));
    if (places.empty()) {
        const std::string data = environment("XDG_DATA_HOME"), home = environment("HOME");
        if (!data.empty())
            places.push_back(fs::path(data) / "tutti" / "models");
        else if (!home.empty())
            places.push_back(fs::path(home) / ".local" / "share" / "tutti" / "models");
    }
    if (places.empty())
        out.push_back({"model folder", "no home folder", "note", "set TUTTI_MODELS to a folder for models"});
    for (const fs::path& place : places) {
        std::error_code error;
        int models = 0;
        for (const auto& entry : fs::directory_iterator(place, error))
            models += entry.is_directory(error) ? 1 : 0;
        const bool there = is_there(place);
        out.push_back({"model folder",
                       there ? fmt::format("{}, {} models", place.string(), models) : place.string() + " is not there",
                       there ? "good" : "note",
                       there ? "" : "make it, or set TUTTI_MODELS, and put a folder for each model into it"});
    }
}

int run(bool json) {
    Findings findings;
    processor(findings);
    limits(findings);
    audio(findings);
    accelerators(findings);
    versions(findings);
    folders(findings);
    int notes = 0, poor = 0;
    for (const Finding& each : findings) {
        notes += each.verdict == "note" ? 1 : 0;
        poor += each.verdict == "poor" ? 1 : 0;
    }
    const char* const verdict = poor > 0 ? "poor" : notes > 0 ? "note" : "good";
    if (json) {
        nlohmann::json all = nlohmann::json::array();
        for (const Finding& each : findings)
            all.push_back(
                {{"name", each.name}, {"value", each.value}, {"verdict", each.verdict}, {"remedy", each.remedy}});
        fmt::print("{}\n", nlohmann::json({{"findings", all}, {"verdict", verdict}}).dump());
        return exit_ok;
    }
    for (const Finding& each : findings) {
        fmt::print("{:<5} {:<19} {}\n", each.verdict, each.name, each.value);
        if (!each.remedy.empty()) fmt::print("{:<25} -> {}\n", "", each.remedy);
    }
    if (poor + notes == 0)
        fmt::print("all is as it should be\n");
    else
        fmt::print("{} poor, {} to note\n", poor, notes);
    return exit_ok;
}

} // namespace

Command add_doctor(CLI::App& app) {
    CLI::App* sub = app.add_subcommand("doctor", "What this machine offers to audio, with verdicts and what to do");
    auto json = std::make_shared<bool>(false);
    sub->add_flag("--json", *json, "Print one JSON object");
    return {sub, [json] { return run(*json); }};
}

} // namespace tutti::cli
