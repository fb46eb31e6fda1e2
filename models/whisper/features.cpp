// SPDX-License-Identifier: MIT
#include <models/whisper/features.h>

#include <algorithm>

namespace tutti::models {
namespace {

constexpr std::size_t k_block = 16000; // samples read at a time
constexpr std::int64_t k_hop = 160;

} // namespace

Result<std::size_t> MemorySource::read(std::span<float> out) {
    const std::size_t count = std::min(out.size(), m_samples.size() - m_at);
    std::copy_n(m_samples.begin() + static_cast<std::ptrdiff_t>(m_at), count, out.begin());
    m_at += count;
    return count;
}

Status FeatureReader::restart() {
    auto stream = MelStream::create(MelConfig::whisper(m_mels));
    if (!stream) return stream.status();
    m_stream = std::make_unique<MelStream>(std::move(stream).value());
    m_rows.clear();
    m_first = 0;
    m_padded = 0;
    m_ended = false;
    return m_source->rewind();
}

// Appends rows until frame `until` is there or nothing comes any more.
Status FeatureReader::fill(std::int64_t until) {
    std::vector<float> block(k_block);
    while (!m_ended && m_first + static_cast<std::int64_t>(m_rows.size()) / m_mels < until) {
        auto count = m_source->read(block);
        if (!count) return count.status();
        if (*count > 0) {
            m_stream->push(std::span(block).first(*count), m_rows);
            continue;
        }
        if (m_padded < m_padding) {
            const auto zeros = std::min<std::int64_t>(m_padding - m_padded, static_cast<std::int64_t>(k_block));
            std::fill(block.begin(), block.end(), 0.0f);
            m_stream->push(std::span(block).first(static_cast<std::size_t>(zeros)), m_rows);
            m_padded += zeros;
            continue;
        }
        m_stream->finish(m_rows);
        m_ended = true;
    }
    return {};
}

Result<FeatureReader> FeatureReader::open(SampleSource& source, int mels, MelExtent extent, std::int64_t padding,
                                          const std::function<bool()>& cancelled) {
    FeatureReader reader(source, mels);
    reader.m_padding = extent == MelExtent::openai ? padding : 0;
    auto stream = MelStream::create(MelConfig::whisper(mels));
    if (!stream) return stream.status();
    if (Status status = source.rewind(); !status) return status;
    std::vector<float> block(k_block), rows, last;
    reader.m_largest = -10.0f; // the floor of log10
    std::int64_t frames = 0;
    // The transform's last column is dropped by both references, so it must not count for the maximum, either: the newest row
    // waits until another one has come.
    const auto take = [&] {
        const auto width = static_cast<std::size_t>(mels);
        if (rows.empty()) return;
        for (float x : last)
            reader.m_largest = std::max(reader.m_largest, x);
        for (std::size_t i = 0; i + width < rows.size(); ++i)
            reader.m_largest = std::max(reader.m_largest, rows[i]);
        last.assign(rows.end() - static_cast<std::ptrdiff_t>(width), rows.end());
        frames += static_cast<std::int64_t>(rows.size() / width);
        rows.clear();
    };
    for (;;) {
        if (cancelled && cancelled())
            return Status(Code::cancelled, "reading was cancelled", "nothing was transcribed", "start it again");
        auto count = source.read(block);
        if (!count) return count.status();
        if (*count == 0) break;
        for (float x : std::span(block).first(*count))
            if (!(x - x == 0.0f))
                return Status(Code::malformed,
                              "the sound holds a value that is no number at second " +
                                  std::to_string(reader.m_samples / 16000),
                              "nothing was transcribed", "mend the file");
        reader.m_samples += static_cast<std::int64_t>(*count);
        stream->push(std::span(block).first(*count), rows);
        take();
    }
    if (extent == MelExtent::window) reader.m_padding = std::max<std::int64_t>(0, padding - reader.m_samples);
    std::fill(block.begin(), block.end(), 0.0f);
    for (std::int64_t done = 0; done < reader.m_padding;) {
        const auto zeros = std::min<std::int64_t>(reader.m_padding - done, static_cast<std::int64_t>(k_block));
        stream->push(std::span(block).first(static_cast<std::size_t>(zeros)), rows);
        done += zeros;
        take();
    }
    stream->finish(rows);
    take();
    reader.m_total = std::max<std::int64_t>(0, frames - 1);
    reader.m_frames = std::min(reader.m_total, reader.m_samples / k_hop);
    if (Status status = reader.restart(); !status) return status;
    return reader;
}

Status FeatureReader::read(std::int64_t from, std::int64_t count, std::vector<float>& rows) {
    if (from < m_first)
        if (Status status = restart(); !status) return status;
    const auto width = static_cast<std::size_t>(m_mels);
    const std::int64_t until = std::min(from + count, m_total);
    while (m_first < from) { // what lies before is let go as it comes
        if (Status status = fill(std::min(until, m_first + 1000)); !status) return status;
        const std::int64_t there = static_cast<std::int64_t>(m_rows.size() / width);
        const std::int64_t drop = std::min(from - m_first, there);
        if (drop == 0) break;
        m_rows.erase(m_rows.begin(),
                     m_rows.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(drop) * width));
        m_first += drop;
    }
    if (Status status = fill(until); !status) return status;
    rows.assign(static_cast<std::size_t>(count) * width, 0.0f);
    if (m_first == from) {
        const std::size_t there =
            std::min(m_rows.size(), static_cast<std::size_t>(std::max<std::int64_t>(0, until - from)) * width);
        for (std::size_t i = 0; i < there; ++i)
            rows[i] = (std::max(m_rows[i], m_largest - 8.0f) + 4.0f) / 4.0f;
    }
    return {};
}

} // namespace tutti::models
