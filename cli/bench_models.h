// SPDX-License-Identifier: MIT
// What the model benchmarks share: this machine's own limits, peak memory, a checksum, and a signal to work on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <models/nn/kernels.h>

namespace tutti::cli {

// Bytes read a second by `threads` threads from memory far larger than the caches.
double read_bandwidth(int threads);
// Floating-point (or integer) operations a second of the product with this kind of weights, 1500 x 2048 x 512.
double product_rate(models::Compute compute, int threads);
double peak_megabytes(); // resident, mapped pages included
// FNV-1a over 64 bits, in hexadecimal.
std::string checksum(const void* data, std::size_t bytes);
// A tone that glides, with harmonics and some noise; the same for the same length.
std::vector<float> test_signal(std::int64_t samples);
// fp32, bf16, int8
bool parse_compute(const std::string& name, models::Compute& compute);

} // namespace tutti::cli
