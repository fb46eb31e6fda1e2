// SPDX-License-Identifier: MIT
#include "io/clip_file.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace tutti::io {

namespace {
constexpr std::size_t k_most_clip_channels = 16;
constexpr std::size_t k_chunk = 1024; // frames
} // namespace

Result<std::shared_ptr<const Sound>> load_sound(const std::filesystem::path& path, std::size_t most_bytes) {
    auto buffer = load_audio(path, 0.0, most_bytes);
    if (!buffer) return buffer.status();
    if (buffer->channels.size() > k_most_clip_channels)
        return Status{Code::unsupported,
                      path.string() + ": has " + std::to_string(buffer->channels.size()) + " channels",
                      "it cannot be a clip", "use a file of at most 16"};
    return std::shared_ptr<const Sound>(
        std::make_shared<Sound>(buffer->sample_rate, std::move(buffer).value().channels));
}

Status feed_clip(AudioFileReader& reader, Clip& clip, const std::atomic<bool>& stop) {
    std::vector<std::vector<float>> chunk(static_cast<std::size_t>(reader.channels()), std::vector<float>(k_chunk));
    std::vector<float*> in(chunk.size());
    std::vector<const float*> out(chunk.size());
    while (!stop.load(std::memory_order_relaxed) && !clip.ended()) {
        for (std::size_t c = 0; c < chunk.size(); ++c)
            in[c] = chunk[c].data();
        const auto got = reader.read(in.data(), k_chunk);
        if (!got || *got == 0) {
            clip.finish();
            return got ? Status{} : got.status();
        }
        for (std::size_t done = 0; done < *got && !stop.load(std::memory_order_relaxed) && !clip.ended();) {
            for (std::size_t c = 0; c < chunk.size(); ++c)
                out[c] = chunk[c].data() + done;
            const int written = clip.write(out.data(), static_cast<int>(*got - done));
            done += static_cast<std::size_t>(written);
            // A full ring holds a hundredth of a second at least: a millisecond is soon enough.
            if (written == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }
    clip.finish();
    return {};
}

} // namespace tutti::io
