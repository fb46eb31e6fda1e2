// SPDX-License-Identifier: MIT
// What the gate said of a checkpoint, kept in the user's cache: narrow weights that failed there are not used again.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <models/nn/kernels.h>
#include <models/whisper/gate.h>
#include <tutti/status.h>

namespace tutti::models {

inline constexpr int k_gate_words = 1000; // fewer say too little

struct GateRecord {
    int words = 0;
    int changed = 0;
    double worst = 0.0; // in one recording
    bool passed = false;
    std::string text() const; // "3.1 % of 1135 words differ, at worst 12.0 % of a recording"
};

// TUTTI_CACHE, else XDG_CACHE_HOME/tutti, else ~/.cache/tutti. Errors: not_found (none of them is set). [control]
Result<std::filesystem::path> cache_folder();
// SHA-256 over config.json, the sizes of the weight files, and of each its first 64 KB and 64 pages spread over it: the same for
// the same weights, wherever they stand, in milliseconds. Errors: file_not_found, file_unreadable. [worker]
Result<std::string> checkpoint_key(const std::filesystem::path& folder);

// None where the checkpoint was never asked, or the record cannot be read. [worker]
std::optional<GateRecord> find_gate_record(const std::filesystem::path& folder, Compute compute);
// Returns the file's path. Errors: file_unwritable. [worker]
Result<std::filesystem::path> keep_gate_record(const std::filesystem::path& folder, Compute compute,
                                               const GateRecord& record);
// passed only where there were words enough. [any]
GateRecord gate_record_of(const GateReport& report);

} // namespace tutti::models
