// SPDX-License-Identifier: MIT
// --trace FILE, for every command that has it.
#include <fmt/format.h>

#include <tutti/trace.h>

#include "cli/command.h"

namespace tutti::cli {

void trace_option(CLI::App& app, std::string& path) {
    app.add_option("--trace", path, "Write where time goes to this file (Trace Event JSON, for ui.perfetto.dev)");
}

int traced(const std::string& path, bool quiet, const std::function<int()>& run) {
    if (path.empty()) return run();
    if (Status status = trace::start(); !status.ok()) return fail(status);
    trace::name_thread("main");
    int code = exit_failed;
    {
        const trace::Span span("command");
        try {
            code = run();
        } catch (...) {
            (void)trace::stop({});
            throw;
        }
    }
    const auto told = trace::stop(path);
    if (!told.ok()) {
        const int failed = fail(told.status());
        return code == exit_ok ? failed : code;
    }
    if (!quiet)
        tell("{}: {} events of {} threads in {:.1f} s{}; open it in ui.perfetto.dev\n", path, told->events,
             told->threads, told->seconds,
             told->dropped > 0 ? fmt::format(", {} did not fit", told->dropped) : std::string());
    return code;
}

} // namespace tutti::cli
