// SPDX-License-Identifier: MIT
// A sound file, or standard input, as the mono 16 kHz samples that the speech models take; decoded and resampled as they are read.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "io/audio_file.h"
#include "io/unfinished_file.h"
#include <models/whisper/features.h>

namespace tutti::cli {

class SoundSource : public models::SampleSource {
public:
    // "-" is standard input, which is kept in a temporary file until the end. [control]
    static Result<std::unique_ptr<SoundSource>> open(const std::string& path);

    Status rewind() override;
    Result<std::size_t> read(std::span<float> out) override;
    double seconds() const noexcept { return m_seconds; } // as the header says
    const std::string& title() const noexcept { return m_title; }
    const std::string& name() const noexcept { return m_name; } // for messages and output files

private:
    SoundSource() = default;
    std::string m_name;
    std::string m_title;
    std::filesystem::path m_path;
    io::UnfinishedFile m_spool;
    std::unique_ptr<io::AudioFileReader> m_reader;
    std::vector<std::vector<float>> m_channels;
    double m_seconds = 0.0;
    bool m_fresh = false; // nothing has been read since it was opened
};

// Megabytes of this process at its largest, 0 where the system does not tell.
double peak_memory_mb();

} // namespace tutti::cli
