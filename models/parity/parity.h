// SPDX-License-Identifier: MIT
// Runs every case of a folder of reference data (inputs and expected results of the public reference implementations) and says
// for each case and point how far off we are.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <tutti/status.h>

namespace tutti::models {

struct ParityPoint {
    std::string name;
    double error = 0.0;     // largest, in the unit of the tolerance; for exact points the number of differences
    double tolerance = 0.0; // 0: must be equal
    bool holds = false;
    std::string note; // where the first difference stands
};

struct ParityCase {
    std::string file; // "mel/mel.json"
    std::string name;
    std::string kind;
    bool holds = false;
    std::vector<ParityPoint> points;
    std::string note; // why it could not be run
    std::string
        quirk; // default mode: which slip of the reference is not reproduced, and so what the result is compared with
    std::string text(bool points_that_hold) const; // lines for a terminal
    std::string record;                            // default mode: the result, as JSON, for the list of such cases
};

struct ParityReport {
    std::vector<ParityCase> cases;
    std::vector<std::string> problems; // of the folder: missing or changed files, files without a checker
    std::size_t failed() const noexcept;
    std::size_t exceptions() const noexcept; // cases that were compared with the list instead
    bool holds() const noexcept { return problems.empty() && !cases.empty() && failed() == 0; }
};

struct ParityOptions {
    bool strict = true; // reproduce the references' slips; otherwise our defaults, with their committed exceptions
    int threads = 1;
    std::string only; // part of "file/case"; empty: all, and then the case files must be those of MANIFEST.json
    std::function<void(const ParityCase&)> progress; // called after each case
};

// A Status only when the folder is not one of reference data at all; everything else is in the report. [control] [worker]
Result<ParityReport> run_parity(const std::filesystem::path& folder, const ParityOptions& options = {});

} // namespace tutti::models
