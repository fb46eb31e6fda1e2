// SPDX-License-Identifier: MIT
// What every sub-command of `tutti` shares: options that are also environment variables, messages, exit codes, Ctrl-C.
#pragma once

#include <atomic>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <tutti/status.h>

namespace tutti::cli {

enum Exit : int {
    exit_ok = 0,
    exit_failed = 1,    // the work itself failed
    exit_usage = 2,     // an option or argument is wrong
    exit_no_device = 3, // no audio device or MIDI port
    exit_input = 4,     // an input is missing, unreadable or malformed
    exit_output = 5,    // an output cannot be written
    exit_interrupted = 130,
};

// The exit code that documents a status.
int exit_code(const Status& status) noexcept;

// "tutti: what; what it means; what to do" on standard error; returns exit_code(status).
int fail(const Status& status);

// To standard error; where nobody listens any more (a closed pipe) the work goes on all the same.
template <class... Values>
void tell(fmt::format_string<Values...> format, Values&&... values) {
    const std::string text = fmt::format(format, std::forward<Values>(values)...);
    (void)std::fwrite(text.data(), 1, text.size(), stderr);
}

// Ok, or "--tempo 1 is out of range; DONE; use 10 to 1000": also for what is no number.
Status check_range(const char* name, double value, double low, double high, const char* done);

// A sub-command registers its options on `app` and leaves what to run in `run`.
struct Command {
    CLI::App* app = nullptr;
    std::function<int()> run;
};

// Adds an option whose default --help shows.
template <class T>
CLI::Option* option(CLI::App& app, const std::string& name, T& value, const std::string& help) {
    return app.add_option(name, value, help)->capture_default_str();
}

// Gives every named option of `app` and of its sub-commands its TUTTI_... variable; called once, after registration.
void name_environment(CLI::App& app);

// Set by SIGINT and SIGTERM once `catch_interrupts` was called; a second signal ends the process at once.
extern std::atomic<bool> g_interrupted;
void catch_interrupts();

bool is_terminal(int descriptor) noexcept;

// One line of progress with time left: redrawn on a terminal; elsewhere a plain line a tenth, at most one a second; nothing when
// quiet.
class Progress {
public:
    Progress(std::string label, double total, bool quiet);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    void update(double done);
    void finish();

private:
    void draw(double fraction, double left_seconds);

    std::string m_label;
    double m_total;
    double m_begin;
    double m_last = -1.0;
    int m_tenth = 0;
    bool m_quiet;
    bool m_terminal;
    bool m_drawn = false;
};

// `--trace FILE`: spans, instants and counters of all threads while the command runs.
void trace_option(CLI::App& app, std::string& path);
// Runs the command, traced where `path` is not empty; says where the trace is, unless quiet. Returns the command's exit code, or
// that of a trace that could not be begun or written.
int traced(const std::string& path, bool quiet, const std::function<int()>& run);

double seconds_now() noexcept;            // steady clock
double cpu_seconds_now() noexcept;        // of this process, all threads
double thread_cpu_seconds_now() noexcept; // of this thread; 0 where the system does not say

// Registered by their own files.
Command add_render(CLI::App& app);
Command add_phrase(CLI::App& app);
Command add_play(CLI::App& app);
Command add_devices(CLI::App& app);
Command add_patches(CLI::App& app);
Command add_bench(CLI::App& app);
Command add_transcribe(CLI::App& app); // the next three where the models are built
Command add_mel(CLI::App& app);
Command add_models(CLI::App& app);
Command add_doctor(CLI::App& app);
Command add_soak(CLI::App& app);
Command add_fit(CLI::App& app);

} // namespace tutti::cli
