// SPDX-License-Identifier: MIT
#include "cli/command.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#if defined(_WIN32)
#include <io.h>
#else
#include <unistd.h>
#endif

#include <fmt/format.h>

#include "cli/terminal.h"
#include "io/audio_file.h"

namespace tutti::cli {

std::atomic<bool> g_interrupted{false};

int exit_code(const Status& status) noexcept {
    switch (status.code()) {
    case Code::ok:
        return exit_ok;
    case Code::invalid_argument:
    case Code::out_of_range:
    case Code::not_found:
    case Code::unsupported:
        return exit_usage;
    case Code::file_not_found:
    case Code::file_unreadable:
    case Code::malformed:
    case Code::truncated:
    case Code::too_large:
        return exit_input;
    case Code::file_unwritable:
        return exit_output;
    case Code::no_device:
    case Code::device_failed:
        return exit_no_device;
    case Code::cancelled:
        return exit_interrupted;
    default:
        return exit_failed;
    }
}

int fail(const Status& status) {
    tell("tutti: {}\n", status.message());
    return exit_code(status);
}

Status check_range(const char* name, double value, double low, double high, const char* done) {
    if (value >= low && value <= high) return {};
    return Status(Code::out_of_range, fmt::format("{} {:g} is out of range", name, value), done,
                  fmt::format("use {:g} to {:g}", low, high));
}

void name_environment(CLI::App& app) {
    for (CLI::Option* each : app.get_options()) {
        if (each->get_lnames().empty() || each->get_configurable() == false) continue;
        const std::string& name = each->get_lnames().front();
        if (name == "help" || name == "version") continue;
        std::string variable = "TUTTI_";
        for (const char c : name)
            variable += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        each->envname(variable);
    }
    for (CLI::App* sub : app.get_subcommands([](CLI::App*) { return true; }))
        name_environment(*sub);
}

namespace {
extern "C" void on_interrupt(int number) {
    if (!g_interrupted.exchange(true)) return;
    RawTerminal::restore();
    io::remove_unfinished_files();
    std::_Exit(128 + number);
}
} // namespace

void catch_interrupts() {
    std::signal(SIGINT, on_interrupt);
    std::signal(SIGTERM, on_interrupt);
#if defined(SIGPIPE)
    std::signal(SIGPIPE, SIG_IGN); // a closed pipe is an error of its writer
#endif
}

bool is_terminal(int descriptor) noexcept {
#if defined(_WIN32)
    return _isatty(descriptor) != 0;
#else
    return isatty(descriptor) != 0;
#endif
}

double seconds_now() noexcept {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double cpu_seconds_now() noexcept {
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

double thread_cpu_seconds_now() noexcept {
#if defined(__unix__) || defined(__APPLE__)
    timespec now{};
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0)
        return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
#endif
    return 0.0;
}

Progress::Progress(std::string label, double total, bool quiet)
    : m_label(std::move(label)), m_total(total), m_begin(seconds_now()), m_quiet(quiet), m_terminal(is_terminal(2)) {}

Progress::~Progress() {
    if (m_drawn && m_terminal) std::fputs("\r\x1b[K", stderr);
}

void Progress::update(double done) {
    if (m_quiet || m_total <= 0.0) return;
    const double fraction = std::clamp(done / m_total, 0.0, 1.0);
    const double now = seconds_now();
    const double spent = now - m_begin;
    const double left = fraction > 0.0 ? spent * (1.0 - fraction) / fraction : 0.0;
    if (m_terminal) {
        if (now - m_last < 0.1) return; // ten redraws a second are steady enough
        m_last = now;
        draw(fraction, left);
    } else if (const int tenth = static_cast<int>(fraction * 10.0);
               tenth > m_tenth && now - std::max(m_last, m_begin) >= 1.0) { // short work needs no lines
        m_tenth = tenth;
        m_last = now;
        tell("{}: {} %, {:.1f} s left\n", m_label, tenth * 10, left);
    }
}

void Progress::draw(double fraction, double left_seconds) {
    constexpr int k_width = 32;
    const int full = static_cast<int>(fraction * k_width);
    std::string bar;
    for (int i = 0; i < k_width; ++i)
        bar += i < full ? "█" : "░";
    tell("\r\x1b[K{} {} {:3.0f} %  {}:{:02d} left", m_label, bar, fraction * 100.0, static_cast<int>(left_seconds) / 60,
         static_cast<int>(left_seconds) % 60);
    std::fflush(stderr);
    m_drawn = true;
}

void Progress::finish() {
    if (m_drawn && m_terminal) std::fputs("\r\x1b[K", stderr);
    m_drawn = false;
    m_quiet = true;
}

} // namespace tutti::cli
