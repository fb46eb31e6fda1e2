// SPDX-License-Identifier: MIT
// WAV into something that cannot seek (standard output, a pipe): the header is final from the start.
#pragma once

#include <cstdint>
#include <cstdio>
#include <span>
#include <vector>

#include "io/audio_file.h"

namespace tutti::io {

// Lengths say 0xffffffff, "until the end", as other programs that write to pipes do. Errors are returned as false with errno.
class WavStream {
public:
    // `file` stays open and belongs to the caller. [control]
    WavStream(std::FILE* file, int sample_rate, int channels, SampleFormat format);

    bool write_header();                               // [control]
    bool write(std::span<const std::int32_t> samples); // integers of the format's width [control]
    bool write(std::span<const float> samples);        // float32 only [control]
    bool flush();                                      // [control]

private:
    bool put(const std::vector<unsigned char>& bytes);

    std::FILE* m_file;
    int m_sample_rate;
    int m_channels;
    SampleFormat m_format;
    std::vector<unsigned char> m_bytes;
};

} // namespace tutti::io
