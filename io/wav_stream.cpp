// SPDX-License-Identifier: MIT
#include "io/wav_stream.h"

#include <cstring>

namespace tutti::io {

namespace {

void put_little(std::vector<unsigned char>& out, std::uint32_t value, int count) {
    for (int i = 0; i < count; ++i)
        out.push_back(static_cast<unsigned char>(value >> 8 * i & 0xff));
}

void put_name(std::vector<unsigned char>& out, const char* name) {
    out.insert(out.end(), name, name + 4);
}

} // namespace

WavStream::WavStream(std::FILE* file, int sample_rate, int channels, SampleFormat format)
    : m_file(file), m_sample_rate(sample_rate), m_channels(channels), m_format(format) {}

bool WavStream::write_header() {
    const int width = m_format == SampleFormat::int16 ? 2 : m_format == SampleFormat::int24 ? 3 : 4;
    const auto channels = static_cast<std::uint32_t>(m_channels);
    const auto rate = static_cast<std::uint32_t>(m_sample_rate);
    const auto bytes = static_cast<std::uint32_t>(width);
    std::vector<unsigned char> out;
    put_name(out, "RIFF");
    put_little(out, 0xffffffff, 4);
    put_name(out, "WAVE");
    put_name(out, "fmt ");
    put_little(out, 16, 4);
    put_little(out, m_format == SampleFormat::float32 ? 3 : 1, 2);
    put_little(out, channels, 2);
    put_little(out, rate, 4);
    put_little(out, rate * channels * bytes, 4);
    put_little(out, channels * bytes, 2);
    put_little(out, 8 * bytes, 2);
    put_name(out, "data");
    put_little(out, 0xffffffff, 4);
    return put(out);
}

bool WavStream::write(std::span<const std::int32_t> samples) {
    const int width = m_format == SampleFormat::int16 ? 2 : 3;
    m_bytes.clear();
    for (std::int32_t sample : samples)
        put_little(m_bytes, static_cast<std::uint32_t>(sample), width);
    return put(m_bytes);
}

bool WavStream::write(std::span<const float> samples) {
    m_bytes.clear();
    for (float sample : samples) {
        std::uint32_t bits;
        std::memcpy(&bits, &sample, 4);
        put_little(m_bytes, bits, 4);
    }
    return put(m_bytes);
}

bool WavStream::flush() {
    return std::fflush(m_file) == 0;
}

bool WavStream::put(const std::vector<unsigned char>& bytes) {
    return std::fwrite(bytes.data(), 1, bytes.size(), m_file) == bytes.size();
}

} // namespace tutti::io
