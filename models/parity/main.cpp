// SPDX-License-Identifier: MIT
// parity DIR [--default] [--threads N] [--only TEXT] [--quiet]: runs every case of a folder of reference data; exit code 0 when all hold.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <models/parity/parity.h>

int main(int argc, char** argv) {
    tutti::models::ParityOptions options;
    const char* folder = nullptr;
    bool quiet = false;
    for (int i = 1; i < argc; ++i) {
        if (!std::strcmp(argv[i], "--default"))
            options.strict = false;
        else if (!std::strcmp(argv[i], "--quiet"))
            quiet = true;
        else if (!std::strcmp(argv[i], "--threads") && i + 1 < argc)
            options.threads = std::atoi(argv[++i]);
        else if (!std::strcmp(argv[i], "--only") && i + 1 < argc)
            options.only = argv[++i];
        else
            folder = argv[i];
    }
    if (!folder) {
        std::fprintf(stderr, "usage: parity DIR [--default] [--threads N] [--only TEXT] [--quiet]\n");
        return 2;
    }
    options.progress = [&](const tutti::models::ParityCase& one) {
        if (quiet && one.holds) return;
        std::printf("%-4s %s %s (%s)%s%s\n", one.holds ? "ok" : "FAIL", one.file.c_str(), one.name.c_str(),
                    one.kind.c_str(), one.note.empty() ? "" : ": ", one.note.c_str());
        for (const auto& point : one.points)
            if (!quiet || !point.holds)
                std::printf("       %-4s %-28s %.3g of %.3g  %s\n", point.holds ? "ok" : "FAIL", point.name.c_str(),
                            point.error, point.tolerance, point.note.c_str());
    };
    const auto report = tutti::models::run_parity(folder, options);
    if (!report) {
        std::fprintf(stderr, "%s\n", report.status().message().c_str());
        return 2;
    }
    for (const auto& problem : report->problems)
        std::printf("FAIL %s\n", problem.c_str());
    std::printf("%zu cases, %zu failed, %zu problems\n", report->cases.size(), report->failed(),
                report->problems.size());
    return report->holds() ? 0 : 1;
}
