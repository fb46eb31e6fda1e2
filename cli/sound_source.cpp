// SPDX-License-Identifier: MIT
#include "cli/sound_source.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#if !defined(_WIN32)
#include <sys/resource.h>
#include <unistd.h>
#endif

#include "cli/command.h"

namespace tutti::cli {

namespace {

constexpr double k_model_rate = 16000.0;
constexpr std::size_t k_block = 4096;

} // namespace

Result<std::unique_ptr<SoundSource>> SoundSource::open(const std::string& path) {
    auto source = std::unique_ptr<SoundSource>(new SoundSource);
    source->m_name = path == "-" ? "standard input" : path;
    source->m_path = path;
    if (path == "-") {
        std::error_code error;
        auto spool = io::UnfinishedFile::create(std::filesystem::temp_directory_path(error) / "tutti-standard-input");
        if (!spool) return spool.status();
        source->m_spool = std::move(spool).value();
        source->m_path = source->m_spool.path();
        std::ofstream out(source->m_path, std::ios::binary);
        std::vector<char> block(1 << 16);
        for (std::size_t got = 0; (got = std::fread(block.data(), 1, block.size(), stdin)) > 0 && !g_interrupted;)
            out.write(block.data(), static_cast<std::streamsize>(got));
        if (!out.flush())
            return Status(Code::file_unwritable, "the temporary file of standard input cannot be written",
                          "nothing was transcribed", "make room in the folder for temporary files");
    }
    if (Status status = source->rewind(); !status) return status;
    const io::AudioFileInfo& info = source->m_reader->info();
    source->m_seconds = static_cast<double>(info.frames) / info.sample_rate;
    source->m_title = !info.title.empty() ? info.title : path == "-" ? "" : std::filesystem::path(path).stem().string();
    return source;
}

Status SoundSource::rewind() {
    if (m_fresh) return {};
    auto reader = io::AudioFileReader::open(m_path, k_model_rate);
    if (!reader) return reader.status();
    m_reader = std::make_unique<io::AudioFileReader>(std::move(reader).value());
    m_channels.assign(static_cast<std::size_t>(m_reader->channels()), std::vector<float>(k_block));
    m_fresh = true;
    return {};
}

Result<std::size_t> SoundSource::read(std::span<float> out) {
    m_fresh = false;
    std::vector<float*> places;
    for (auto& channel : m_channels)
        places.push_back(channel.data());
    const auto share = 1.0f / static_cast<float>(places.size());
    std::size_t done = 0;
    while (done < out.size()) {
        auto got = m_reader->read(places.data(), std::min(k_block, out.size() - done));
        if (!got) return got.status();
        if (*got == 0) break;
        for (std::size_t i = 0; i < *got; ++i) {
            float sum = 0.0f;
            for (const auto& channel : m_channels)
                sum += channel[i];
            out[done + i] = sum * share;
        }
        done += *got;
    }
    return done;
}

double peak_memory_mb() {
#if defined(__linux__)
    std::ifstream in("/proc/self/status");
    for (std::string line; std::getline(in, line);)
        if (line.starts_with("VmHWM:")) return std::strtod(line.c_str() + 6, nullptr) / 1024.0;
#elif !defined(_WIN32)
    rusage usage{};
    if (getrusage(RUSAGE_SELF, &usage) == 0) return static_cast<double>(usage.ru_maxrss) / 1048576.0;
#endif
    return 0.0;
}

} // namespace tutti::cli
