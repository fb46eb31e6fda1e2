// SPDX-License-Identifier: MIT
// The backend that renders banks on a device, with the CPU backend standing by: residency, messages, graphs, loss.
//
// State of the voices lives on the device. A step goes up as one message (edits, changed parameters), comes back as part
// buses in memory that the host sees, and is waited for by its sequence number: 20 microseconds of looking, then short
// sleeps, until the budget is spent. What does not come back in time, or any error of any call, is a loss: sticky, nothing
// more is asked of the device, and the CPU goes on. Up to `mirror_voices` the state comes back with every block and the hand-over is
// exact; above, voices are rebuilt from their inputs and envelopes (whose course the host knows), loudest first, cross-faded over
// 5 ms; what the CPU cannot hold is shed and counted.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include <tutti/status.h>

#include "engine/backend.h"
#include "gpu/device/device.h"

namespace tutti::gpu {

struct BackendConfig {
    int rows = 1024;           // of sixteen voices, that the device holds at most; further banks stay on the CPU
    int banks = 256;           // patch instances at once
    int edits = 32768;         // of a step
    int deltas = 16384;        // parameters that change in a step
    int mirror_voices = 2048;  // 0: never mirrored
    int standby_voices = 2048; // what the CPU was measured to hold at 70 % load
    int crossover_voices = 0;  // a bank that begins while fewer sound in all stays on the CPU
    double budget_us = 900.0;  // from the submission of a block to giving it up
    double keep_warm_ms = 0.0; // an empty step so long after the last one; 0: none
    bool graphs = true;
};

struct BackendStats {
    std::int64_t steps = 0;       // rendered by the device
    std::int64_t cpu_steps = 0;   // rendered by the CPU after a loss
    std::int64_t cpu_banks = 0;   // that did not fit on the device
    std::int64_t voices_shed = 0; // the CPU could not hold them
    std::int64_t voices_moved = 0;
    std::int64_t graphs = 0; // captured
    std::int64_t heartbeats = 0;
    double longest_us = 0.0; // a step's time on the device, as the host saw it
    bool lost = false;
};

class DeviceBackend final : public engine::Backend {
public:
    // Allocates all device memory there will be. Errors: out_of_memory, unsupported (the device refused a call). [control]
    static Result<std::unique_ptr<DeviceBackend>>
    make(std::unique_ptr<Device> device, std::unique_ptr<engine::Backend> standby, const BackendConfig& config);
    ~DeviceBackend() override;

    const char* name() const noexcept override;
    // [device]
    void render(engine::BankStep* steps, int count, int threads) noexcept override;

    // render() in two halves: up to two steps may be under way; their banks stay as they are until collected, in order. False
    // where both places are taken. [device]
    bool submit(engine::BankStep* steps, int count) noexcept;
    void collect(int threads) noexcept;

    BackendStats stats() const noexcept; // by the thread that renders, or while nobody does
    std::string loss() const;            // why the device was given up, or "" [control]
    Device& device() noexcept;

private:
    struct Impl;
    explicit DeviceBackend(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> m_impl;
};

} // namespace tutti::gpu
