// SPDX-License-Identifier: MIT
// Sound files: written so that no half file is ever left, read with resampling and without trust.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <tutti/status.h>

namespace tutti::io {

enum class AudioFormat { wav, flac, ogg, mp3 };    // ogg holds Vorbis
enum class SampleFormat { int16, int24, float32 }; // of wav and flac; flac has no float32
inline constexpr int k_most_channels = 64;

// The format that a file name's ending asks for: .wav .wave .flac .ogg .oga .mp3, in any case. [any]
std::optional<AudioFormat> format_of(const std::filesystem::path& path);

struct AudioFileConfig {
    double sample_rate = 48000.0; // whole, since no file format has fractions
    int channels = 2;
    std::optional<AudioFormat> format = {}; // by the file name's ending if not set
    SampleFormat samples = SampleFormat::int24;
    bool dither = true;               // triangular, 1 step wide, on integers; frames of exact silence stay silent
    double quality = 0.6;             // of ogg and mp3, 0..1
    std::int64_t expected_frames = 0; // WAV beyond 4 GiB becomes RF64 if it is known before
    std::uint64_t seed = 1;           // of the dither
    std::string title = {};
    std::string artist = {};
    std::string comment = {};
};

// Writes a sound file under another name beside its target and gives it the name in close(): a failure, a destructor without
// close() or a killed process never leaves a half file under the target's name. A path "-" is a WAV stream on standard
// output, whose header says "length unknown"; devices and pipes are written directly, as WAV as well. Infinities and NaN become 0 and are counted, what lies beyond full scale is clipped in integer formats, ogg
// and mp3, and counted. Used by one thread at a time, on the control side.
class AudioFileWriter {
public:
    // Errors: unsupported (format, rate, channels), file_unwritable. [control]
    static Result<AudioFileWriter> create(const std::filesystem::path& path, AudioFileConfig config);

    AudioFileWriter(AudioFileWriter&&) noexcept;
    AudioFileWriter& operator=(AudioFileWriter&&) noexcept;
    ~AudioFileWriter(); // discards what was not closed

    // channels[channel][frame] or frames one after another. After an error everything but discard() returns it again:
    // file_unwritable (disk full, closed pipe), too_large (a WAV file of 4 GiB). [control]
    Status write(const float* const* channels, std::size_t frames);
    Status write_interleaved(std::span<const float> samples);
    // Completes the file and gives it its name. [control]
    Status close();
    // Gives the file up and removes what was written. [control]
    void discard() noexcept;

    // So far. [control]
    std::int64_t frames() const noexcept;
    std::int64_t clipped_samples() const noexcept;
    std::int64_t bad_samples() const noexcept; // NaN and infinities
    float peak() const noexcept;               // linear, before clipping

private:
    struct Impl;
    explicit AudioFileWriter(std::unique_ptr<Impl> impl) noexcept;
    std::unique_ptr<Impl> m_impl;
};

// Removes the half files of every writer in the process. Made for signal handlers: it calls nothing but unlink. [any]
void remove_unfinished_files() noexcept;

struct AudioFileInfo {
    double sample_rate = 0.0; // the file's own
    int channels = 0;
    std::int64_t frames = 0; // the file's own count, as far as its header can be believed
    std::string format;      // "WAV, 24 bit"
    std::string title, artist, comment;
};

// Reads WAV, AIFF, FLAC, OGG, MP3 and whatever else libsndfile knows. Memory does not depend on the file: 4,096 frames.
// Sizes in headers are not believed: reading ends where the data end. NaN and infinities become 0 and are counted.
class AudioFileReader {
public:
    // sample_rate: what read() gives, by soxr at its very-high quality; 0: the file's own. Errors: file_not_found,
    // file_unreadable, malformed (no sound file, or no frame format), unsupported (more than 64 channels). [control]
    static Result<AudioFileReader> open(const std::filesystem::path& path, double sample_rate = 0.0);
    // The same from memory, which must outlive the reader. [control]
    static Result<AudioFileReader> open_memory(std::span<const std::byte> bytes, double sample_rate = 0.0);

    AudioFileReader(AudioFileReader&&) noexcept;
    AudioFileReader& operator=(AudioFileReader&&) noexcept;
    ~AudioFileReader();

    const AudioFileInfo& info() const noexcept; // [control]
    double sample_rate() const noexcept;        // of what read() gives [control]
    int channels() const noexcept;              // [control]
    std::int64_t frames() const noexcept;       // about so many will come [control]

    // Fills out[channel][frame] with at most `frames` and returns how many; fewer only at the end, 0 then. [control]
    Result<std::size_t> read(float* const* out, std::size_t frames);
    // The next frame read is this one, counted at sample_rate(). Errors: unsupported, out_of_range. [control]
    Status seek(std::int64_t frame);
    std::int64_t bad_samples() const noexcept; // NaN and infinities so far [control]

private:
    struct Impl;
    explicit AudioFileReader(std::unique_ptr<Impl> impl) noexcept;
    std::unique_ptr<Impl> m_impl;
};

// A whole sound in memory: channels[channel][frame].
struct AudioBuffer {
    double sample_rate = 0.0;
    std::vector<std::vector<float>> channels;
    std::size_t frames() const noexcept { return channels.empty() ? 0 : channels.front().size(); } // [any]
};

// Reads a whole file; too_large where it would take more than `most_bytes` of memory. [control]
Result<AudioBuffer> load_audio(const std::filesystem::path& path, double sample_rate = 0.0,
                               std::size_t most_bytes = std::size_t{1} << 30);

} // namespace tutti::io
