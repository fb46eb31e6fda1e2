// SPDX-License-Identifier: MIT
// How values are distributed: counted by one writer without a lock, read by any thread.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

#include <tutti/engine.h>

namespace tutti::engine {

// Sixteen bins a doubling, from 2^-24 to 2^8: a quantile is at most a sixteenth too high, never too low.
class Histogram {
public:
    static constexpr int k_bins = 512;

    // Sums of one or more histograms.
    struct Counts {
        std::array<std::uint64_t, k_bins> bin{};
        std::uint64_t total = 0;
        double max = 0.0;

        // The value that a share `q` of all are at or below, at most its bin's upper edge; 0 where there are none.
        double quantile(double q) const noexcept {
            const auto wanted = static_cast<std::uint64_t>(q * static_cast<double>(total));
            std::uint64_t sum = 0;
            for (int i = 0; i < k_bins && total > 0; ++i) {
                sum += bin[static_cast<std::size_t>(i)];
                if (sum > wanted || sum == total) return std::min(upper_edge(i), max);
            }
            return 0.0;
        }
        Distribution distribution() const noexcept {
            return {quantile(0.5), quantile(0.99), quantile(0.999), max, static_cast<std::int64_t>(total)};
        }
    };

    // `value` is not negative. [one thread]
    void add(double value) noexcept TUTTI_NONBLOCKING {
        // Relaxed throughout, and no read-modify-write: one writer, and each bin is a number of its own.
        std::atomic<std::uint64_t>& bin = m_bin[static_cast<std::size_t>(bin_of(value))];
        bin.store(bin.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        if (value > m_max.load(std::memory_order_relaxed)) m_max.store(value, std::memory_order_relaxed);
    }
    // Forgets half of what was counted, so that the present weighs more. [the same thread]
    void halve() noexcept TUTTI_NONBLOCKING {
        for (auto& bin : m_bin)
            bin.store(bin.load(std::memory_order_relaxed) / 2, std::memory_order_relaxed);
    }
    // [any]
    void add_to(Counts& counts) const noexcept {
        for (std::size_t i = 0; i < m_bin.size(); ++i) {
            const std::uint64_t count = m_bin[i].load(std::memory_order_relaxed);
            counts.bin[i] += count;
            counts.total += count;
        }
        counts.max = std::max(counts.max, m_max.load(std::memory_order_relaxed));
    }
    static int bin_of(double value) noexcept {
        // The upper four bits of the fraction, under the exponent.
        const auto bits = static_cast<int>(std::bit_cast<std::uint32_t>(static_cast<float>(value)) >> 19);
        return std::clamp(bits - k_first, 0, k_bins - 1);
    }
    static double upper_edge(int bin) noexcept {
        return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bin + 1 + k_first) << 19));
    }

private:
    static constexpr int k_first = (127 - 24) << 4;
    static_assert(std::atomic<std::uint64_t>::is_always_lock_free && std::atomic<double>::is_always_lock_free);
    std::array<std::atomic<std::uint64_t>, k_bins> m_bin{};
    std::atomic<double> m_max{0.0};
};

} // namespace tutti::engine
