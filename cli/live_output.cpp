// SPDX-License-Identifier: MIT
#include "cli/live_output.h"

#include <chrono>
#include <cmath>
#include <utility>

#include <tutti/trace.h>

namespace tutti::cli {

RecordRing::RecordRing(std::size_t frames) : m_samples(2 * frames), m_mask(frames - 1) {}

void RecordRing::write(float* const* in, int frames) noexcept TUTTI_NONBLOCKING {
    const std::uint64_t at = m_written.load(std::memory_order_relaxed);
    // Acquire: the reader is done with the places that are about to be written.
    const std::uint64_t room = m_mask + 1 - (at - m_read.load(std::memory_order_acquire));
    const auto fits = static_cast<std::uint64_t>(frames) < room ? frames : static_cast<int>(room);
    for (int i = 0; i < fits; ++i) {
        const std::size_t place = 2 * ((at + static_cast<std::uint64_t>(i)) & m_mask);
        m_samples[place] = in[0][i];
        m_samples[place + 1] = in[1][i];
    }
    m_written.store(at + static_cast<std::uint64_t>(fits), std::memory_order_release);
    if (fits < frames) m_dropped.fetch_add(frames - fits, std::memory_order_relaxed);
}

std::size_t RecordRing::read(std::vector<float>& out) noexcept {
    const std::uint64_t at = m_read.load(std::memory_order_relaxed);
    // Acquire: the samples up to the index are written.
    const std::uint64_t ready = m_written.load(std::memory_order_acquire) - at;
    const std::uint64_t frames = ready < out.size() / 2 ? ready : out.size() / 2;
    for (std::uint64_t i = 0; i < frames; ++i) {
        const std::size_t place = 2 * ((at + i) & m_mask);
        out[2 * i] = m_samples[place];
        out[2 * i + 1] = m_samples[place + 1];
    }
    m_read.store(at + frames, std::memory_order_release);
    return frames;
}

LiveOutput::LiveOutput(std::shared_ptr<Stream> stream, bool record)
    : m_stream(std::move(stream)), m_ring(record ? std::make_unique<RecordRing>(std::size_t{1} << 18) : nullptr) {}

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
    if (m_closing.load(std::memory_order_relaxed)) {
        const float step = 1.0f / (0.02f * static_cast<float>(m_stream->sample_rate()));
        for (int i = 0; i < frames; ++i) {
            m_gain = std::fmax(0.0f, m_gain - step);
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
        const std::chrono::duration<double> period(frames / m_stream->sample_rate());
        auto due = std::chrono::steady_clock::now();
        while (m_running.load(std::memory_order_relaxed)) {
            pull(out, frames);
            due += std::chrono::duration_cast<std::chrono::steady_clock::duration>(period);
            if (std::chrono::steady_clock::now() > due) m_underruns.fetch_add(1, std::memory_order_relaxed);
            std::this_thread::sleep_until(due);
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
