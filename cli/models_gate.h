// SPDX-License-Identifier: MIT
// The gate of narrow weights on recordings of the user's.
#pragma once

#include <filesystem>
#include <string>

#include <models/whisper/gate_record.h>

namespace tutti::cli {

// Hears every sound file of `speech` and altered copies of it in float32 and in `compute`, keeps what it found where
// `transcribe --dtype` looks, and says it in `line`. Errors: file_not_found (no sound files), out_of_range (too few words),
// those of opening. [control]
Result<models::GateRecord> run_gate(const std::filesystem::path& folder, const std::filesystem::path& speech,
                                    const models::Transcriber& float32, models::Compute compute, int threads,
                                    std::string& line);

} // namespace tutti::cli
