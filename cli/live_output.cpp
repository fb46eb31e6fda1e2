// SPDX-License-Identifier: MIT
#include "cli/live_output.h"

#include <chrono>
#include <cmath>
#include <utility>
#include <vector>

#include <tutti/trace.h>

#include "cli/pacer.h"

namespace tutti::cli {

LiveOutput::LiveOutput(std::shared_ptr<Stream> stream, bool record)
    : m_stream(std::move(stream)), m_ring(record ? std::make_unique<RecordRing<>>(std::size_t{1} << 18) : nullptr) {}

LiveOutput::~LiveOutput() {
    stop_null();
}

void LiveOutput::callback(void* user, float* const* out, int frames) noexcept {
    static_cast<LiveOutput*>(user)->pull(out, frames);
}

void LiveOutput::pull(float* const* out, int frames) noexcept TUTTI_NONBLOCKING {
    trace::name_thread("audio");
    const trace::Span span("audio callback", frames);
    const auto begin = std::chrono::steady_clock::now();
    m_stream->pull(out, frames);
    if (const bool closing = m_closing.load(std::memory_order_relaxed); closing || m_gain < 1.0f) {
        const float step = (closing ? -1.0f : 1.0f) / (0.02f * static_cast<float>(m_stream->sample_rate()));
        for (int i = 0; i < frames; ++i) {
            m_gain = std::fmin(1.0f, std::fmax(0.0f, m_gain + step));
            for (int c = 0; c < 2; ++c)
                out[c][i] *= m_gain;
        }
    }
    if (m_ring) m_ring->write(out, frames);
    const auto rate = static_cast<float>(m_stream->sample_rate());
    const float speed = std::fmin(1.0f, static_cast<float>(frames) / (0.05f * rate));
    for (int c = 0; c < 2; ++c) {
        float peak = 0.0f, square = 0.0f;
        for (int i = 0; i < frames; ++i) {
            peak = std::fmax(peak, std::fabs(out[c][i]));
            square += out[c][i] * out[c][i];
        }
        // This thread alone raises a peak, the meter alone clears it: a lost race is a peak shown one redraw late.
        if (peak > m_peak[c].load(std::memory_order_relaxed)) m_peak[c].store(peak, std::memory_order_relaxed);
        const float before = m_square[c].load(std::memory_order_relaxed);
        m_square[c].store(before + speed * (square / static_cast<float>(frames) - before), std::memory_order_relaxed);
    }
    const float taken = std::chrono::duration<float>(std::chrono::steady_clock::now() - begin).count();
    const float load = m_load.load(std::memory_order_relaxed);
    m_load.store(load + speed * (taken * rate / static_cast<float>(frames) - load), std::memory_order_relaxed);
}

void LiveOutput::start_null(int frames) {
    m_running = true;
    m_null = std::thread([this, frames] {
        std::vector<float> left(static_cast<std::size_t>(frames)), right(left.size());
        float* out[2] = {left.data(), right.data()};
        Pacer pacer(frames / m_stream->sample_rate(), Pacer::Clock::now());
        while (m_running.load(std::memory_order_relaxed)) {
            pull(out, frames);
            const Pacer::Next next = pacer.next(Pacer::Clock::now());
            if (next.late) m_underruns.fetch_add(1, std::memory_order_relaxed);
            std::this_thread::sleep_until(next.due);
        }
    });
}

void LiveOutput::stop_null() {
    m_running = false;
    if (m_null.joinable()) m_null.join();
}

LiveOutput::Meter LiveOutput::meter() noexcept {
    Meter meter{};
    for (int c = 0; c < 2; ++c) {
        meter.peak[c] = m_peak[c].exchange(0.0f, std::memory_order_relaxed);
        meter.average[c] = std::sqrt(m_square[c].load(std::memory_order_relaxed));
    }
    meter.load = m_load.load(std::memory_order_relaxed);
    return meter;
}

} // namespace tutti::cli
