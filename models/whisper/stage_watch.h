// SPDX-License-Identifier: MIT
// Adds the seconds of a scope to a sum, and shows it in a trace.
#pragma once

#include <chrono>

#include <tutti/trace.h>

namespace tutti::models {

class StageWatch {
public:
    StageWatch(double& sum, const char* name) : m_span(name), m_sum(sum), m_begin(std::chrono::steady_clock::now()) {}
    ~StageWatch() { m_sum += std::chrono::duration<double>(std::chrono::steady_clock::now() - m_begin).count(); }
    StageWatch(const StageWatch&) = delete;
    StageWatch& operator=(const StageWatch&) = delete;

private:
    trace::Span m_span;
    double& m_sum;
    std::chrono::steady_clock::time_point m_begin;
};

} // namespace tutti::models
