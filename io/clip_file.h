// SPDX-License-Identifier: MIT
// Sound files as clips: read whole into memory, or streamed by a worker while they play.
#pragma once

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <memory>

#include <tutti/clip.h>
#include <tutti/status.h>

#include "io/audio_file.h"

namespace tutti::io {

// A whole file for Stream::play, at its own rate: the clip takes care of the stream's. Errors: those of load_audio, and
// unsupported (more than 16 channels). [control]
Result<std::shared_ptr<const Sound>> load_sound(const std::filesystem::path& path,
                                                std::size_t most_bytes = std::size_t{1} << 30);

// Writes what `reader` still holds to a written clip (made with the reader's channels and rate), waiting where its ring is
// full, and finishes it; ends early once `stop` is set or the clip has ended. For a thread of the caller's. Errors: those of
// AudioFileReader::read; the clip then ends where the file became unreadable. [worker]
Status feed_clip(AudioFileReader& reader, Clip& clip, const std::atomic<bool>& stop);

} // namespace tutti::io
