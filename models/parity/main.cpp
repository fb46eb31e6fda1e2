// SPDX-License-Identifier: MIT
// parity DIR [--strict | --default] [--threads N] [--only TEXT] [--quiet] [--record]: runs every case of a folder of reference data,
// both ways where none is named; exit code 0 when all hold. --record prints default results for the list of exceptions.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <models/parity/parity.h>

int main(int argc, char** argv) {
    tutti::models::ParityOptions options;
    const char* folder = nullptr;
    bool quiet = false, record = false, strict = true, ours = true;
    for (int i = 1; i < argc; ++i) {
        if (!std::strcmp(argv[i], "--default"))
            strict = false;
        else if (!std::strcmp(argv[i], "--strict"))
            ours = false;
        else if (!std::strcmp(argv[i], "--quiet"))
            quiet = true;
        else if (!std::strcmp(argv[i], "--record"))
            record = true;
        else if (!std::strcmp(argv[i], "--threads") && i + 1 < argc)
            options.threads = std::atoi(argv[++i]);
        else if (!std::strcmp(argv[i], "--only") && i + 1 < argc)
            options.only = argv[++i];
        else
            folder = argv[i];
    }
    if (!folder) {
        std::fprintf(stderr,
                     "usage: parity DIR [--strict | --default] [--threads N] [--only TEXT] [--quiet] [--record]\n");
        return 2;
    }
    options.progress = [&](const tutti::models::ParityCase& one) {
        if (record) {
            if (!one.holds) std::printf("\"%s/%s\": %s\n", one.file.c_str(), one.name.c_str(), one.record.c_str());
            return;
        }
        if (!quiet || !one.holds) std::fputs(one.text(!quiet).c_str(), stdout);
    };
    bool holds = true;
    for (const bool now_strict : {true, false}) {
        if (!(now_strict ? strict : ours)) continue;
        options.strict = now_strict;
        const auto report = tutti::models::run_parity(folder, options);
        if (!report) {
            std::fprintf(stderr, "%s\n", report.status().message().c_str());
            return 2;
        }
        for (const auto& problem : report->problems)
            std::printf("FAIL %s\n", problem.c_str());
        std::printf("%s: %zu cases, %zu failed, %zu problems\n", now_strict ? "strict" : "default",
                    report->cases.size(), report->failed(), report->problems.size());
        holds = holds && report->holds();
    }
    return holds ? 0 : 1;
}
