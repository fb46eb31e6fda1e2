// SPDX-License-Identifier: MIT
// The backend on libtorch's tensors: `subtractive` with linear filters, `ambient_pad`, `fm` without feedback and
// `torchsynth_voice`, for every device that libtorch knows. What it does not take stays on the CPU backend, and it says so.
//
// A row of sixteen voices goes to the tensors in every render block in which no voice of it begins, ends or is written to; in the
// others, and where a bank's patch is not for tensors (hard sync, ladder, audio-rate cutoff, feedback, `ultra`), the CPU renders it. Rows
// live in the stream's memory either way, so they go to and fro without a hand-over. It agrees with the CPU to -90 dBFS, not bit for
// bit: ramps are closed forms and sums have libtorch's order. Its own bits repeat from run to run.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <tutti/status.h>

#include "engine/backend.h"

namespace tutti::gpu {

struct TorchConfig {
    std::string device = "cpu"; // as libtorch names it
    int threads = 1;            // of libtorch's own; more wait for each other badly beside live audio
    bool pure = false;          // filters as tensors on the CPU, too, where a loop of our own is faster
};

struct TorchStats {
    std::int64_t voice_blocks = 0;     // rendered by tensors
    std::int64_t cpu_voice_blocks = 0; // by the CPU: begins, ends and edits, and patches that are not for tensors
    std::int64_t batches = 0;
    bool lost = false;
};

class TorchBackend final : public engine::Backend {
public:
    // Loads libtorch. Errors: unsupported (no library, no such device), out_of_memory. [control]
    static Result<std::unique_ptr<TorchBackend>> make(const TorchConfig& config, std::unique_ptr<engine::Backend> cpu);
    ~TorchBackend() override;

    const char* name() const noexcept override; // "torch (cpu), cpu (avx512) standing by"
    // [device]
    void render(engine::BankStep* steps, int count, int threads) noexcept override;

    TorchStats stats() const noexcept; // by the thread that renders, or while nobody does
    std::string loss() const;          // why libtorch was given up, or "" [control]
    // Why a bank's patch is not for tensors, or null. [any]
    static const char* refusal(const engine::Bank& bank) noexcept;

private:
    struct Impl;
    explicit TorchBackend(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> m_impl;
};

} // namespace tutti::gpu
