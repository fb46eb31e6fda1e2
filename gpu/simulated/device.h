// SPDX-License-Identifier: MIT
// A device made of two CPU threads, one for synthesis, one for transfers, that runs the very same program: for tests of everything around a device.
#pragma once

#include <memory>

#include "gpu/device/device.h"

namespace tutti::gpu {

// Errors that the simulated device gives.
enum SimulatedError : int { simulated_out_of_memory = 2, simulated_fault = 700 };

struct SimulatedOptions {
    double latency_us = 0.0; // of every launch or replay
    double jitter_us = 0.0;  // added evenly, 0..jitter
    double upload_us = 0.0;  // of every upload
    std::size_t memory = std::size_t{1} << 30;
    std::uint64_t seed = 1;
    // Asked at every call: 0, or an error that this call gives. It may block: a stall of the caller.
    std::function<int(std::int64_t call)> fault;
    // Asked before each launch on the device's thread: microseconds that the device stands still.
    std::function<double(std::int64_t launch)> stall;
};

std::unique_ptr<Device> make_simulated_device(const SimulatedOptions& options = {}); // [control]
std::int64_t simulated_allocations(Device& device);                                  // so far [any]

} // namespace tutti::gpu
