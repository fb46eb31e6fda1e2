// SPDX-License-Identifier: MIT
// Adds the seconds of a scope to a sum.
#pragma once

#include <chrono>

namespace tutti::models {

class StageWatch {
public:
    explicit StageWatch(double& sum) : m_sum(sum), m_begin(std::chrono::steady_clock::now()) {}
    ~StageWatch() { m_sum += std::chrono::duration<double>(std::chrono::steady_clock::now() - m_begin).count(); }
    StageWatch(const StageWatch&) = delete;
    StageWatch& operator=(const StageWatch&) = delete;

private:
    double& m_sum;
    std::chrono::steady_clock::time_point m_begin;
};

} // namespace tutti::models
