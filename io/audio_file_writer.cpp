// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <utility>

#include <sndfile.h>

#include "io/audio_file.h"
#include "io/sample_convert.h"
#include "io/unfinished_file.h"
#include "io/wav_stream.h"

#if defined(_WIN32)
#include <fcntl.h>
#include <io.h>
#endif

namespace tutti::io {

namespace {

constexpr std::size_t k_block = 4096; // frames; libsndfile's Vorbis encoder takes its memory from the stack

struct CloseSound {
    void operator()(SNDFILE* file) const { sf_close(file); }
};
struct CloseFile {
    void operator()(std::FILE* file) const {
        if (file != stdout) std::fclose(file);
    }
};

const char* name_of(AudioFormat format) {
    static constexpr const char* k_names[] = {"WAV", "FLAC", "OGG Vorbis", "MP3"};
    return k_names[static_cast<int>(format)];
}

// Plain WAV counts bytes in 32 bits; some are kept for what stands around the samples.
constexpr std::int64_t k_most_wav_bytes = 0xffffffff - 65536;

std::int64_t wav_bytes(const AudioFileConfig& config, std::int64_t frames) {
    const int width = config.samples == SampleFormat::int16 ? 2 : config.samples == SampleFormat::int24 ? 3 : 4;
    return std::min(frames, std::int64_t{1} << 52) * config.channels * width;
}

bool needs_rf64(const AudioFileConfig& config) {
    return wav_bytes(config, config.expected_frames) > k_most_wav_bytes;
}

int libsndfile_format(const AudioFileConfig& config) {
    const int samples = config.samples == SampleFormat::int16   ? SF_FORMAT_PCM_16
                        : config.samples == SampleFormat::int24 ? SF_FORMAT_PCM_24
                                                                : SF_FORMAT_FLOAT;
    switch (*config.format) {
    case AudioFormat::flac:
        return SF_FORMAT_FLAC | samples;
    case AudioFormat::ogg:
        return SF_FORMAT_OGG | SF_FORMAT_VORBIS;
    case AudioFormat::mp3:
        return SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III;
    case AudioFormat::wav:
        break;
    }
    return (needs_rf64(config) ? SF_FORMAT_RF64 : SF_FORMAT_WAV) | samples;
}

Status check(const std::filesystem::path& path, const AudioFileConfig& config) {
    const auto wrong = [&](std::string what, std::string remedy) {
        return Status{Code::unsupported, path.string() + ": " + std::move(what), "nothing was written",
                      std::move(remedy)};
    };
    const double rate = config.sample_rate;
    if (!(rate >= 1.0 && rate <= 768000.0) || rate != std::floor(rate))
        return wrong("a sample rate of " + std::to_string(rate) + " Hz",
                     "sound files need a whole rate of at most 768000 Hz");
    if (config.channels < 1 || config.channels > k_most_channels)
        return wrong(std::to_string(config.channels) + " channels", "use 1 to 64");
    if (!config.format) return wrong("no sound format has this ending", "end the name in .wav, .flac, .ogg or .mp3");
    if (*config.format == AudioFormat::flac && config.samples == SampleFormat::float32)
        return wrong("FLAC has no 32-bit float", "use 24 bit, or a .wav file");
    SF_INFO info{};
    info.samplerate = static_cast<int>(rate);
    info.channels = config.channels;
    info.format = libsndfile_format(config);
    const bool mp3_rate = rate == 8000 || rate == 11025 || rate == 12000 || rate == 16000 || rate == 22050 ||
                          rate == 24000 || rate == 32000 || rate == 44100 || rate == 48000;
    if (*config.format == AudioFormat::mp3 && !mp3_rate)
        return wrong("MP3 has no rate of " + std::to_string(info.samplerate) + " Hz",
                     "use 44100 or 48000 Hz, or another format");
    if (!sf_format_check(&info))
        return wrong(std::string(name_of(*config.format)) + " does not take " + std::to_string(config.channels) +
                         " channels at " + std::to_string(info.samplerate) + " Hz here",
                     "use a .wav file, or fewer channels");
    return {};
}

} // namespace

std::optional<AudioFormat> format_of(const std::filesystem::path& path) {
    std::string ending = path.extension().string();
    std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char letter) {
        return static_cast<char>(letter >= 'A' && letter <= 'Z' ? letter + 32 : letter);
    });
    if (ending == ".wav" || ending == ".wave") return AudioFormat::wav;
    if (ending == ".flac") return AudioFormat::flac;
    if (ending == ".ogg" || ending == ".oga") return AudioFormat::ogg;
    if (ending == ".mp3") return AudioFormat::mp3;
    return std::nullopt;
}

struct AudioFileWriter::Impl {
    std::filesystem::path target;
    AudioFileConfig config;
    UnfinishedFile file;
    std::unique_ptr<SNDFILE, CloseSound> sound;
    std::unique_ptr<std::FILE, CloseFile> pipe;
    std::optional<WavStream> stream;
    std::vector<float> floats;
    std::vector<std::int32_t> integers;
    Status status;
    bool open = true;
    std::int64_t frames = 0;
    std::int64_t clipped = 0;
    std::int64_t bad = 0;
    float peak = 0.0f;

    bool integer() const {
        return config.samples != SampleFormat::float32 &&
               (*config.format == AudioFormat::wav || *config.format == AudioFormat::flac);
    }
    Status failed(const std::string& why) const {
        return {Code::file_unwritable, target.string() + ": " + why, "the file was not written",
                "check the space left on the disk, or who reads the pipe"};
    }
    Status start();
    Status put(std::size_t count);
    void clean(std::size_t count);
    void quantise(std::size_t count);
};

Status AudioFileWriter::Impl::start() {
    const bool standard_output = target == "-";
    if (!standard_output) {
        auto created = UnfinishedFile::create(target);
        if (!created) return created.status();
        file = std::move(*created);
    }
    if (standard_output || file.in_place()) {
        pipe.reset(standard_output ? stdout : std::fopen(target.string().c_str(), "wb"));
        if (!pipe) return failed(std::strerror(errno));
#if defined(_WIN32)
        if (standard_output) _setmode(_fileno(stdout), _O_BINARY);
#endif
        stream.emplace(pipe.get(), static_cast<int>(config.sample_rate), config.channels, config.samples);
        return stream->write_header() ? Status{} : failed(std::strerror(errno));
    }
    SF_INFO info{};
    info.samplerate = static_cast<int>(config.sample_rate);
    info.channels = config.channels;
    info.format = libsndfile_format(config);
#if defined(_WIN32)
    sound.reset(sf_wchar_open(file.path().c_str(), SFM_WRITE, &info));
#else
    sound.reset(sf_open(file.path().c_str(), SFM_WRITE, &info));
#endif
    if (!sound) return failed(sf_strerror(nullptr));
    double quality = std::clamp(config.quality, 0.0, 1.0);
    if (*config.format == AudioFormat::ogg)
        sf_command(sound.get(), SFC_SET_VBR_ENCODING_QUALITY, &quality, sizeof quality);
    if (*config.format == AudioFormat::mp3) {
        double compression = 1.0 - quality;
        sf_command(sound.get(), SFC_SET_COMPRESSION_LEVEL, &compression, sizeof compression);
    }
    const std::pair<int, const std::string*> texts[] = {
        {SF_STR_TITLE, &config.title}, {SF_STR_ARTIST, &config.artist}, {SF_STR_COMMENT, &config.comment}};
    for (const auto& [kind, text] : texts)
        if (!text->empty()) sf_set_string(sound.get(), kind, text->c_str());
    return {};
}

void AudioFileWriter::Impl::clean(std::size_t count) {
    // Magnitudes compare as the integers of their bits do, and what is not finite is above all: four at once, and nearly
    // always nothing is to be done.
    std::int32_t loudest = 0;
    for (std::size_t i = 0; i < count; ++i) {
        std::int32_t bits;
        std::memcpy(&bits, &floats[i], sizeof bits);
        bits &= 0x7fffffff;
        loudest = loudest > bits ? loudest : bits;
    }
    constexpr std::int32_t k_one = 0x3f800000;
    if (loudest <= k_one) {
        float found;
        std::memcpy(&found, &loudest, sizeof found);
        peak = std::max(peak, found);
        return;
    }
    const bool clips = integer() || *config.format == AudioFormat::ogg || *config.format == AudioFormat::mp3;
    for (std::size_t i = 0; i < count; ++i) {
        float& sample = floats[i];
        if (!std::isfinite(sample)) {
            sample = 0.0f;
            ++bad;
        }
        peak = std::max(peak, std::fabs(sample));
        if (clips && std::fabs(sample) > 1.0f) {
            ++clipped;
            sample = std::copysign(1.0f, sample);
        }
    }
}

void AudioFileWriter::Impl::quantise(std::size_t count) {
    const int bits = config.samples == SampleFormat::int16 ? 16 : 24;
    const auto channels = static_cast<std::size_t>(config.channels);
    const std::uint64_t first = static_cast<std::uint64_t>(frames) * channels;
    const float* const from = floats.data();
    std::int32_t* const to = integers.data();
    for (std::size_t frame = 0; frame < count; frame += channels) {
        bool silent = true;
        for (std::size_t i = frame; i < frame + channels; ++i)
            silent = silent && from[i] == 0.0f;
        for (std::size_t i = frame; i < frame + channels; ++i)
            to[i] = to_integer(from[i], bits, config.dither && !silent ? triangular(config.seed, first + i) : 0.0);
    }
}

// Writes what stands in `floats`.
Status AudioFileWriter::Impl::put(std::size_t count) {
    const std::int64_t after = frames + static_cast<std::int64_t>(count) / config.channels;
    if (sound && *config.format == AudioFormat::wav && !needs_rf64(config) &&
        wav_bytes(config, after) > k_most_wav_bytes) {
        status = {Code::too_large, target.string() + ": a WAV file ends at 4 GiB", "the file was not written",
                  "write FLAC, or say the length beforehand"};
        return status;
    }
    clean(count);
    errno = 0;
    bool ok = false;
    if (integer()) {
        quantise(count);
        if (stream) {
            ok = stream->write(std::span<const std::int32_t>(integers).first(count));
        } else {
            // libsndfile takes the top bits of 32.
            const int shift = config.samples == SampleFormat::int16 ? 16 : 8;
            for (std::size_t i = 0; i < count; ++i)
                integers[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(integers[i]) << shift);
            ok = sf_write_int(sound.get(), integers.data(), static_cast<sf_count_t>(count)) ==
                 static_cast<sf_count_t>(count);
        }
    } else if (stream) {
        ok = stream->write(std::span<const float>(floats).first(count));
    } else {
        ok = sf_write_float(sound.get(), floats.data(), static_cast<sf_count_t>(count)) ==
             static_cast<sf_count_t>(count);
    }
    if (!ok) {
        const int number = errno;
        status = failed(number != 0 ? std::strerror(number) : sound ? sf_strerror(sound.get()) : "cannot be written");
        return status;
    }
    frames = after;
    return {};
}

Result<AudioFileWriter> AudioFileWriter::create(const std::filesystem::path& path, AudioFileConfig config) {
    std::error_code error;
    const auto kind = std::filesystem::status(path, error);
    const bool stream = path == "-" || (std::filesystem::exists(kind) && !std::filesystem::is_regular_file(kind) &&
                                        !std::filesystem::is_directory(kind));
    if (stream) config.format = AudioFormat::wav;
    if (!config.format) config.format = format_of(path);
    Status status = check(path, config);
    if (!status) return status;
    auto impl = std::make_unique<Impl>();
    impl->target = path;
    impl->config = std::move(config);
    impl->floats.resize(k_block * static_cast<std::size_t>(impl->config.channels));
    impl->integers.resize(impl->floats.size());
    status = impl->start();
    if (!status) return status;
    return AudioFileWriter(std::move(impl));
}

AudioFileWriter::AudioFileWriter(std::unique_ptr<Impl> impl) noexcept : m_impl(std::move(impl)) {}
AudioFileWriter::AudioFileWriter(AudioFileWriter&&) noexcept = default;
AudioFileWriter& AudioFileWriter::operator=(AudioFileWriter&& other) noexcept {
    discard();
    m_impl = std::move(other.m_impl);
    return *this;
}
AudioFileWriter::~AudioFileWriter() {
    discard();
}

Status AudioFileWriter::write(const float* const* channels, std::size_t frames) {
    const auto width = static_cast<std::size_t>(m_impl->config.channels);
    for (std::size_t done = 0; done < frames && m_impl->status.ok();) {
        const std::size_t now = std::min(frames - done, k_block);
        for (std::size_t channel = 0; channel < width; ++channel)
            for (std::size_t i = 0; i < now; ++i)
                m_impl->floats[i * width + channel] = channels[channel][done + i];
        if (!m_impl->put(now * width)) break;
        done += now;
    }
    return m_impl->status;
}

Status AudioFileWriter::write_interleaved(std::span<const float> samples) {
    const std::size_t most = m_impl->floats.size();
    const std::size_t whole = samples.size() - samples.size() % static_cast<std::size_t>(m_impl->config.channels);
    for (std::size_t done = 0; done < whole && m_impl->status.ok();) {
        const std::size_t now = std::min(whole - done, most);
        std::copy_n(samples.begin() + static_cast<std::ptrdiff_t>(done), now, m_impl->floats.begin());
        if (!m_impl->put(now)) break;
        done += now;
    }
    return m_impl->status;
}

Status AudioFileWriter::close() {
    Impl& impl = *m_impl;
    if (!impl.open) return impl.status;
    impl.open = false;
    if (impl.status.ok()) {
        errno = 0;
        if (impl.stream) {
            if (!impl.stream->flush()) impl.status = impl.failed(std::strerror(errno));
            impl.pipe.reset();
        } else if (sf_close(impl.sound.release()) != 0) {
            impl.status = impl.failed(errno != 0 ? std::strerror(errno) : "cannot be completed");
        }
    }
    if (impl.status.ok() && impl.target != "-") impl.status = impl.file.keep();
    if (!impl.status.ok()) {
        impl.sound.reset();
        impl.file.discard();
    }
    return impl.status;
}

void AudioFileWriter::discard() noexcept {
    if (!m_impl || !m_impl->open) return;
    m_impl->open = false;
    m_impl->sound.reset();
    m_impl->pipe.reset();
    m_impl->file.discard();
    m_impl->status = {Code::cancelled, m_impl->target.string() + ": given up", "the file was not written",
                      "write it again"};
}

std::int64_t AudioFileWriter::frames() const noexcept {
    return m_impl->frames;
}
std::int64_t AudioFileWriter::clipped_samples() const noexcept {
    return m_impl->clipped;
}
std::int64_t AudioFileWriter::bad_samples() const noexcept {
    return m_impl->bad;
}
float AudioFileWriter::peak() const noexcept {
    return m_impl->peak;
}

} // namespace tutti::io
