// SPDX-License-Identifier: MIT
// Log-mel features of a recording that may be hours long, window by window, without ever holding all of it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include <models/mel/mel.h>
#include <tutti/status.h>

namespace tutti::models {

// Mono samples at 16 kHz, from the beginning, any number of times. Implementations decode and resample as they are read.
class SampleSource {
public:
    virtual ~SampleSource() = default;
    // Back to the first sample. [worker]
    virtual Status rewind() = 0;
    // Fills as much of `out` as there is; 0 only at the end. [worker]
    virtual Result<std::size_t> read(std::span<float> out) = 0;
};

// Samples in memory; the caller keeps them.
class MemorySource : public SampleSource {
public:
    explicit MemorySource(std::span<const float> samples) : m_samples(samples) {}
    Status rewind() override {
        m_at = 0;
        return {};
    }
    Result<std::size_t> read(std::span<float> out) override;

private:
    std::span<const float> m_samples;
    std::size_t m_at = 0;
};

// Features whose normalisation needs the largest value of the whole recording: a first pass finds it and the length, windows are
// then computed as they are asked for. A window before the last one asked for starts the source anew.
class FeatureReader {
public:
    // `openai`: padding_samples of zeros behind the recording take part, as openai/whisper has it; `window`: zeros fill it up to
    // padding_samples, a longer one stays as it is; `item`: the recording alone. `cancelled` is asked now and then. [worker]
    static Result<FeatureReader> open(SampleSource& source, int mels, MelExtent extent, std::int64_t padding_samples,
                                      const std::function<bool()>& cancelled = {});

    std::int64_t frames() const noexcept { return m_frames; }    // of the recording itself
    std::int64_t all_frames() const noexcept { return m_total; } // with the zeros behind it
    std::int64_t samples() const noexcept { return m_samples; }
    // rows[count][mels] of frames [from, from + count); zeros behind the last frame of recording and padding. [worker]
    Status read(std::int64_t from, std::int64_t count, std::vector<float>& rows);

private:
    FeatureReader(SampleSource& source, int mels) : m_source(&source), m_mels(mels) {}
    Status restart();
    Status fill(std::int64_t until);

    SampleSource* m_source;
    int m_mels;
    std::int64_t m_padding = 0;
    std::int64_t m_frames = 0;
    std::int64_t m_samples = 0;
    std::int64_t m_total = 0; // frames with the padding
    float m_largest = 0.0f;
    std::unique_ptr<MelStream> m_stream;
    std::vector<float> m_rows; // log10 rows from frame m_first on
    std::int64_t m_first = 0;
    std::int64_t m_padded = 0; // zeros given behind the recording
    bool m_ended = false;
};

} // namespace tutti::models
