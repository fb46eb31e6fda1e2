// SPDX-License-Identifier: MIT
#include <models/parity/parity.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <set>

#include <models/checkpoint/json_file.h>
#include <models/parity/case_data.h>
#include <models/parity/sha256.h>

namespace tutti::models {
namespace {

using parity::Json;

// Every file of the manifest must be there unchanged, and every case file must be in the manifest.
void check_manifest(const std::filesystem::path& folder, const Json& manifest, ParityReport& report) {
    for (const auto& [name, entry] : manifest.at("files").items()) {
        const auto path = folder / name;
        std::error_code error;
        if (!std::filesystem::is_regular_file(path, error)) {
            report.problems.push_back(name + " is in MANIFEST.json and not in the folder");
            continue;
        }
        const auto digest = sha256_of_file(path);
        if (!digest)
            report.problems.push_back(digest.status().message());
        else if (*digest != entry.at("sha256").get<std::string>())
            report.problems.push_back(name + " is not the file that MANIFEST.json describes");
    }
}

void run_file(const std::filesystem::path& folder, const std::string& name, const ParityOptions& options,
              const std::map<std::string, parity::Checker>& checkers, parity::Library& library, ParityReport& report) {
    auto json = read_json_file(folder / name);
    if (!json || !json->is_object() || !json->contains("cases") || !(*json)["cases"].is_object()) {
        report.problems.push_back(name + ": no cases");
        return;
    }
    const auto tensor_path = std::filesystem::path(folder / name).replace_extension(".safetensors");
    auto tensors = Checkpoint::open_file(tensor_path);
    std::error_code error;
    if (!tensors && std::filesystem::exists(tensor_path, error)) report.problems.push_back(tensors.status().message());
    std::set<std::string> known;
    for (const auto& [case_name, data] : (*json)["cases"].items()) {
        known.insert(case_name);
        if (!options.only.empty() && (name + "/" + case_name + "/").find(options.only) == std::string::npos) continue;
        ParityCase outcome;
        outcome.file = name;
        outcome.name = case_name;
        outcome.kind = data.value("kind", "");
        // A file's own meaning of a kind comes first: "openai/decode" is another thing than a crafted "decode".
        const std::string stem = std::filesystem::path(name).stem().string();
        auto checker = checkers.find(stem + "/" + outcome.kind);
        if (checker == checkers.end()) checker = checkers.find(outcome.kind);
        if (checker == checkers.end()) {
            outcome.note = "unknown kind of case";
        } else {
            try {
                parity::Case one(library, *json, data, tensors ? &*tensors : nullptr, outcome, options);
                checker->second(one);
                if (outcome.points.empty()) outcome.note = "nothing was compared";
            } catch (const std::exception& exception) {
                outcome.note = exception.what();
            }
        }
        outcome.holds = outcome.note.empty() && std::all_of(outcome.points.begin(), outcome.points.end(),
                                                            [](const ParityPoint& point) { return point.holds; });
        if (options.progress) options.progress(outcome);
        report.cases.push_back(std::move(outcome));
    }
    if (options.only.empty() && !options.strict) // an exception for a case that is gone would hide its loss
        for (const auto& [key, exception] : parity::default_exceptions().items())
            if (key.starts_with(name + "/") && !known.contains(key.substr(name.size() + 1)))
                report.problems.push_back(key + " is in the list of exceptions and not in the data");
    if (tensors) // tensors that no case owns mean cases that were lost
        for (const TensorInfo* tensor : tensors->tensors())
            if (!known.contains(tensor->name.substr(0, tensor->name.find('/'))) &&
                tensor->name.find("/in/noise_pool") == std::string::npos) // shared by the cases of one checkpoint
                report.problems.push_back(name + ": tensor '" + tensor->name + "' belongs to no case");
}

} // namespace

std::size_t ParityReport::failed() const noexcept {
    return static_cast<std::size_t>(
        std::count_if(cases.begin(), cases.end(), [](const ParityCase& c) { return !c.holds; }));
}

std::size_t ParityReport::exceptions() const noexcept {
    return static_cast<std::size_t>(
        std::count_if(cases.begin(), cases.end(), [](const ParityCase& c) { return !c.quirk.empty(); }));
}

std::string ParityCase::text(bool points_that_hold) const {
    std::string out = (holds ? "ok   " : "FAIL ") + file + " " + name + " (" + kind + ")";
    if (!note.empty()) out += ": " + note;
    if (!quirk.empty()) out += "; differs on purpose: " + quirk;
    out += "\n";
    for (const ParityPoint& point : points) {
        if (point.holds && !points_that_hold) continue;
        char line[160];
        std::snprintf(line, sizeof line, "       %-4s %-28s %.3g of %.3g  ", point.holds ? "ok" : "FAIL",
                      point.name.c_str(), point.error, point.tolerance);
        out += line + point.note + "\n";
    }
    return out;
}

Result<ParityReport> run_parity(const std::filesystem::path& folder, const ParityOptions& options) {
    auto manifest = read_json_file(folder / "MANIFEST.json");
    if (!manifest) return manifest.status();
    if (!manifest->is_object() || !manifest->contains("files") || !(*manifest)["files"].is_object())
        return Status(Code::malformed, (folder / "MANIFEST.json").string() + ": no list of files",
                      "nothing was compared", "give a folder of reference data");
    ParityReport report;
    std::map<std::string, parity::Checker> checkers;
    parity::add_mel_checkers(checkers);
    parity::add_text_checkers(checkers);
    parity::add_whisper_checkers(checkers);
    parity::add_writer_checkers(checkers);
    parity::add_openai_checkers(checkers);
    parity::add_heartmula_checkers(checkers);
    parity::add_codec_checkers(checkers);
    parity::Library library(folder);
    try {
        check_manifest(folder, *manifest, report);
        for (const auto& [name, entry] : (*manifest)["files"].items()) {
            const std::filesystem::path path(name);
            // Case files stand one folder deep; what lies deeper belongs to a checkpoint.
            if (path.extension() == ".json" && std::distance(path.begin(), path.end()) == 2)
                run_file(folder, name, options, checkers, library, report);
        }
    } catch (const std::exception& exception) {
        report.problems.push_back(exception.what());
    }
    return report;
}

} // namespace tutti::models
