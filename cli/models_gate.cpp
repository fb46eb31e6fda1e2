// SPDX-License-Identifier: MIT
#include "cli/models_gate.h"

#include <algorithm>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/model_dtype.h"
#include "io/audio_file.h"

namespace tutti::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_longest = 30 * 16000; // one window

// What a folder holds, mono at 16 kHz, in windows of at most 30 s, each with its altered copies.
Result<std::vector<std::vector<float>>> recordings_of(const fs::path& folder) {
    std::error_code error;
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder, error))
        if (io::format_of(entry.path())) files.push_back(entry.path());
    if (error || files.empty())
        return Status(Code::file_not_found, folder.string() + ": holds no sound files", "nothing was checked",
                      "name a folder of recorded speech");
    std::sort(files.begin(), files.end());
    std::vector<std::vector<float>> all;
    unsigned seed = 1;
    for (const fs::path& file : files) {
        const auto sound = io::load_audio(file, 16000.0);
        if (!sound) return sound.status();
        std::vector<float> mean(sound->frames());
        for (const std::vector<float>& channel : sound->channels)
            for (std::size_t i = 0; i < mean.size(); ++i)
                mean[i] += channel[i] / static_cast<float>(sound->channels.size());
        for (std::size_t at = 0; at + 16000 <= mean.size(); at += k_longest)
            for (auto& version :
                 models::altered_versions(std::span(mean).subspan(at, std::min(k_longest, mean.size() - at)), seed++))
                all.push_back(std::move(version));
    }
    return all;
}

} // namespace

Result<models::GateRecord> run_gate(const fs::path& folder, const fs::path& speech, const models::Transcriber& float32,
                                    models::Compute compute, int threads, std::string& line) {
    const auto cancelled = [] { return g_interrupted.load(); };
    const auto recordings = recordings_of(speech);
    if (!recordings) return recordings.status();
    const auto expected = models::hear(float32, *recordings, cancelled);
    if (!expected) return expected.status();
    const auto narrow = models::Transcriber::open(folder, std::max(1, threads), cancelled, compute);
    if (!narrow) return narrow.status();
    const auto heard = models::hear(*narrow, *recordings, cancelled);
    if (!heard) return heard.status();
    if (g_interrupted)
        return Status(Code::cancelled, "interrupted", "the gate has not said anything", "let it run to its end");
    const models::GateReport report = models::compare_texts(*expected, *heard);
    if (report.words < models::k_gate_words)
        return Status(Code::out_of_range,
                      fmt::format("{} holds {} words with its altered copies, {} are needed", speech.string(),
                                  report.words, models::k_gate_words),
                      "nothing can be said of " + std::string(dtype_name(compute)), "give more recorded speech");
    const models::GateRecord record = models::gate_record_of(report);
    const auto kept = models::keep_gate_record(folder, compute, record);
    line = fmt::format("{}: {} in {} recordings; {}", dtype_name(compute), record.text(), report.recordings,
                       kept ? kept->string() : kept.status().message());
    return record;
}

} // namespace tutti::cli
