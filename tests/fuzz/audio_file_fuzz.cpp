// SPDX-License-Identifier: MIT
// Any bytes as a sound file: a Status with its three parts, or finite samples in blocks no larger than asked for.
// fault 48: a broken sound file: any bytes are read or refused with a sentence
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "io/audio_file.h"
#include "tests/fuzz/fuzz.h"

using namespace tutti;
using namespace tutti::io;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // Own rate and another, since resampling has a path of its own.
    for (const double rate : {0.0, 22050.0}) {
        auto reader = AudioFileReader::open_memory(std::as_bytes(std::span(data, size)), rate);
        if (!reader.ok()) {
            const Status& status = reader.status();
            require(!status.what().empty() && !status.means().empty() && !status.remedy().empty(),
                    "a Status has three parts");
            return 0;
        }
        require(reader->channels() >= 1 && reader->channels() <= k_most_channels, "channels are in range");
        require(reader->info().frames >= 0, "no negative length");
        float room[k_most_channels][64];
        float* out[k_most_channels];
        for (int channel = 0; channel < k_most_channels; ++channel)
            out[channel] = room[channel];
        // Compressed silence can be long: the first blocks tell enough.
        for (int block = 0; block < 200; ++block) {
            const auto got = reader->read(out, 64);
            require(got.ok() && *got <= 64, "a block is no larger than asked for");
            for (int channel = 0; channel < reader->channels(); ++channel)
                for (std::size_t i = 0; i < *got; ++i)
                    require(std::isfinite(room[channel][i]), "samples are finite");
            if (*got < 64) break;
        }
        (void)reader->seek(reader->frames() / 2);
        require(reader->read(out, 64).ok(), "reading goes on after a seek");
    }
    return 0;
}

std::vector<Bytes> seeds() {
    namespace fs = std::filesystem;
    const fs::path folder = fs::temp_directory_path() / ("tutti_audio_seeds_" + std::to_string(std::random_device{}()));
    fs::create_directories(folder);
    std::vector<Bytes> all;
    for (const char* name : {"a.wav", "b.wav", "c.flac"}) {
        const SampleFormat format = name[0] == 'b' ? SampleFormat::float32 : SampleFormat::int16;
        auto writer = AudioFileWriter::create(folder / name,
                                              {.sample_rate = 44100.0, .channels = 2, .samples = format, .title = "t"});
        std::vector<float> samples;
        for (int i = 0; i < 120; ++i)
            samples.push_back(static_cast<float>(i % 16) / 16.0f);
        if (!writer.ok() || !writer->write_interleaved(samples) || !writer->close()) continue;
        std::ifstream file(folder / name, std::ios::binary);
        all.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    fs::remove_all(folder);
    require(all.size() == 3, "the seeds can be written");
    return all;
}
