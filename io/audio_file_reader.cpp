// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <utility>

#include <sndfile.h>
#include <soxr.h>

#include "io/audio_file.h"

namespace tutti::io {

namespace {

constexpr std::size_t k_block = 4096; // frames

struct CloseSound {
    void operator()(SNDFILE* file) const { sf_close(file); }
};
struct CloseSoxr {
    void operator()(soxr* resampler) const { soxr_delete(resampler); }
};

// libsndfile's view of bytes in memory.
struct MemoryFile {
    std::span<const std::byte> bytes;
    sf_count_t at = 0;

    static sf_count_t length(void* self) {
        return static_cast<sf_count_t>(static_cast<MemoryFile*>(self)->bytes.size());
    }
    static sf_count_t seek(sf_count_t offset, int whence, void* self) {
        auto& file = *static_cast<MemoryFile*>(self);
        const sf_count_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? file.at : length(self);
        // A lying header may ask for any place: stay inside.
        if (offset > 0 && base > length(self) - std::min(offset, length(self)))
            file.at = length(self);
        else
            file.at = std::clamp<sf_count_t>(base + std::clamp(offset, -length(self), length(self)), 0, length(self));
        return file.at;
    }
    static sf_count_t read(void* out, sf_count_t count, void* self) {
        auto& file = *static_cast<MemoryFile*>(self);
        const sf_count_t now = std::clamp<sf_count_t>(count, 0, length(self) - file.at);
        if (now > 0) std::memcpy(out, file.bytes.data() + file.at, static_cast<std::size_t>(now));
        file.at += now;
        return now;
    }
    static sf_count_t write(const void*, sf_count_t, void*) { return 0; }
    static sf_count_t tell(void* self) { return static_cast<MemoryFile*>(self)->at; }
};

std::string describe(int format) {
    SF_FORMAT_INFO major{};
    SF_FORMAT_INFO minor{};
    major.format = format & SF_FORMAT_TYPEMASK;
    minor.format = format & SF_FORMAT_SUBMASK;
    std::string text = "unknown";
    if (sf_command(nullptr, SFC_GET_FORMAT_INFO, &major, sizeof major) == 0 && major.name) text = major.name;
    if (sf_command(nullptr, SFC_GET_FORMAT_INFO, &minor, sizeof minor) == 0 && minor.name)
        text += std::string(", ") + minor.name;
    return text;
}

std::string text_of(SNDFILE* sound, int kind) {
    const char* text = sf_get_string(sound, kind);
    return text ? text : "";
}

} // namespace

struct AudioFileReader::Impl {
    std::string name;
    MemoryFile memory;
    std::unique_ptr<SNDFILE, CloseSound> sound;
    std::unique_ptr<soxr, CloseSoxr> resampler;
    AudioFileInfo info;
    double sample_rate = 0.0;
    std::vector<float> input;    // interleaved, as the file has it
    std::size_t input_begin = 0; // frames of it that are used up
    std::size_t input_end = 0;
    bool at_end = false;       // of the file
    std::vector<float> output; // interleaved, resampled
    std::int64_t bad = 0;

    Status begin(const SF_INFO& found, double wanted_rate);
    bool start_resampler();
    void refill();
    std::size_t take(std::size_t frames); // into `output`
};

Status AudioFileReader::Impl::begin(const SF_INFO& found, double wanted_rate) {
    const auto wrong = [&](Code code, std::string what, std::string remedy) {
        return Status{code, name + ": " + std::move(what), "nothing was read", std::move(remedy)};
    };
    if (!sound) {
        std::string why = sf_strerror(nullptr);
        while (!why.empty() && (why.back() == '.' || why.back() == '\n'))
            why.pop_back();
        return wrong(Code::malformed, "not a sound file that can be read (" + why + ")", "convert it to WAV or FLAC");
    }
    if (found.channels > k_most_channels)
        return wrong(Code::unsupported, std::to_string(found.channels) + " channels", "use at most 64");
    if (found.channels < 1 || found.samplerate < 1 || found.samplerate > 768000)
        return wrong(Code::malformed,
                     std::to_string(found.channels) + " channels at " + std::to_string(found.samplerate) + " Hz",
                     "check that it is a sound file");
    if (wanted_rate != 0.0 && !(wanted_rate >= 1.0 && wanted_rate <= 768000.0))
        return wrong(Code::invalid_argument, "asked for at " + std::to_string(wanted_rate) + " Hz",
                     "use 1 to 768000 Hz");
    info.sample_rate = found.samplerate;
    info.channels = found.channels;
    info.frames = std::max<std::int64_t>(found.frames, 0);
    info.format = describe(found.format);
    info.title = text_of(sound.get(), SF_STR_TITLE);
    info.artist = text_of(sound.get(), SF_STR_ARTIST);
    info.comment = text_of(sound.get(), SF_STR_COMMENT);
    sample_rate = wanted_rate == 0.0 ? info.sample_rate : wanted_rate;
    input.resize(k_block * static_cast<std::size_t>(info.channels));
    output.resize(input.size());
    if (!start_resampler()) return wrong(Code::internal, "no resampler for its rate", "ask for the file's own rate");
    return {};
}

bool AudioFileReader::Impl::start_resampler() {
    resampler.reset();
    if (sample_rate == info.sample_rate) return true;
    soxr_error_t error = nullptr;
    const soxr_io_spec_t formats = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
    const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_VHQ, 0);
    const soxr_runtime_spec_t one_thread = soxr_runtime_spec(1);
    resampler.reset(soxr_create(info.sample_rate, sample_rate, static_cast<unsigned>(info.channels), &error, &formats,
                                &quality, &one_thread));
    return resampler && !error;
}

void AudioFileReader::Impl::refill() {
    const sf_count_t got = sf_readf_float(sound.get(), input.data(), static_cast<sf_count_t>(k_block));
    input_begin = 0;
    input_end = static_cast<std::size_t>(std::max<sf_count_t>(got, 0));
    at_end = input_end == 0;
    for (std::size_t i = 0; i < input_end * static_cast<std::size_t>(info.channels); ++i)
        if (!std::isfinite(input[i])) {
            input[i] = 0.0f;
            ++bad;
        }
}

std::size_t AudioFileReader::Impl::take(std::size_t frames) {
    const auto width = static_cast<std::size_t>(info.channels);
    frames = std::min(frames, k_block);
    for (;;) {
        if (input_begin == input_end && !at_end) refill();
        const float* from = input.data() + input_begin * width;
        const std::size_t ready = input_end - input_begin;
        if (!resampler) {
            const std::size_t now = std::min(ready, frames);
            std::copy_n(from, now * width, output.begin());
            input_begin += now;
            return now;
        }
        std::size_t used = 0;
        std::size_t made = 0;
        // Without input it gives out what it still holds.
        if (soxr_process(resampler.get(), at_end ? nullptr : from, at_end ? 0 : ready, &used, output.data(), frames,
                         &made))
            return 0;
        input_begin += used;
        if (made > 0 || at_end) return made;
    }
}

Result<AudioFileReader> AudioFileReader::open(const std::filesystem::path& path, double sample_rate) {
    std::error_code error;
    const auto kind = std::filesystem::status(path, error);
    if (!std::filesystem::exists(kind))
        return Status{Code::file_not_found, path.string() + ": no such file", "nothing was read", "check the name"};
    if (std::filesystem::is_directory(kind))
        return Status{Code::file_unreadable, path.string() + ": a folder, not a file", "nothing was read",
                      "name a sound file"};
    auto impl = std::make_unique<Impl>();
    impl->name = path.string();
    SF_INFO info{};
#if defined(_WIN32)
    impl->sound.reset(sf_wchar_open(path.c_str(), SFM_READ, &info));
#else
    impl->sound.reset(sf_open(path.c_str(), SFM_READ, &info));
#endif
    if (!impl->sound && sf_error(nullptr) == SF_ERR_SYSTEM)
        return Status{Code::file_unreadable, path.string() + ": cannot be opened", "nothing was read",
                      "check its permissions"};
    if (Status status = impl->begin(info, sample_rate); !status) return status;
    return AudioFileReader(std::move(impl));
}

Result<AudioFileReader> AudioFileReader::open_memory(std::span<const std::byte> bytes, double sample_rate) {
    auto impl = std::make_unique<Impl>();
    impl->name = "sound in memory";
    impl->memory.bytes = bytes;
    SF_VIRTUAL_IO io{MemoryFile::length, MemoryFile::seek, MemoryFile::read, MemoryFile::write, MemoryFile::tell};
    SF_INFO info{};
    impl->sound.reset(sf_open_virtual(&io, SFM_READ, &info, &impl->memory));
    if (Status status = impl->begin(info, sample_rate); !status) return status;
    return AudioFileReader(std::move(impl));
}

AudioFileReader::AudioFileReader(std::unique_ptr<Impl> impl) noexcept : m_impl(std::move(impl)) {}
AudioFileReader::AudioFileReader(AudioFileReader&&) noexcept = default;
AudioFileReader& AudioFileReader::operator=(AudioFileReader&&) noexcept = default;
AudioFileReader::~AudioFileReader() = default;

const AudioFileInfo& AudioFileReader::info() const noexcept {
    return m_impl->info;
}
double AudioFileReader::sample_rate() const noexcept {
    return m_impl->sample_rate;
}
int AudioFileReader::channels() const noexcept {
    return m_impl->info.channels;
}
std::int64_t AudioFileReader::bad_samples() const noexcept {
    return m_impl->bad;
}
std::int64_t AudioFileReader::frames() const noexcept {
    const double frames = static_cast<double>(m_impl->info.frames) * (m_impl->sample_rate / m_impl->info.sample_rate);
    return frames < 9.0e18 ? std::llround(frames) : m_impl->info.frames;
}

Result<std::size_t> AudioFileReader::read(float* const* out, std::size_t frames) {
    const auto width = static_cast<std::size_t>(m_impl->info.channels);
    std::size_t done = 0;
    while (done < frames) {
        const std::size_t now = m_impl->take(frames - done);
        if (now == 0) break;
        for (std::size_t channel = 0; channel < width; ++channel)
            for (std::size_t i = 0; i < now; ++i)
                out[channel][done + i] = m_impl->output[i * width + channel];
        done += now;
    }
    return done;
}

Status AudioFileReader::seek(std::int64_t frame) {
    Impl& impl = *m_impl;
    const auto refuse = [&](Code code, std::string what) {
        return Status{code, impl.name + ": " + std::move(what), "reading goes on where it was",
                      "read from the beginning"};
    };
    if (frame < 0 || frame > frames()) return refuse(Code::out_of_range, "has no frame " + std::to_string(frame));
    sf_count_t from = frame;
    std::int64_t skip = 0; // frames of ours
    if (impl.resampler) {
        // The resampler needs its past: begin at least a second earlier and throw that away, on a frame of ours that falls on
        // one of the file, so that the phases are those of reading from the beginning.
        from = 0;
        skip = frame;
        const auto ours = static_cast<std::int64_t>(impl.sample_rate);
        const auto theirs = static_cast<std::int64_t>(impl.info.sample_rate);
        if (static_cast<double>(ours) == impl.sample_rate) {
            const std::int64_t common = std::gcd(ours, theirs);
            const std::int64_t turns = std::max<std::int64_t>(frame - ours, 0) / (ours / common);
            from = turns * (theirs / common);
            skip = frame - turns * (ours / common);
        }
    }
    if (sf_seek(impl.sound.get(), from, SEEK_SET) < 0) return refuse(Code::unsupported, "cannot be searched");
    impl.input_begin = impl.input_end = 0;
    impl.at_end = false;
    if (!impl.start_resampler()) return refuse(Code::internal, "no resampler");
    while (skip > 0) {
        const std::size_t now = impl.take(static_cast<std::size_t>(std::min<std::int64_t>(skip, k_block)));
        if (now == 0) break;
        skip -= static_cast<std::int64_t>(now);
    }
    return {};
}

Result<AudioBuffer> load_audio(const std::filesystem::path& path, double sample_rate, std::size_t most_bytes) {
    auto reader = AudioFileReader::open(path, sample_rate);
    if (!reader) return reader.status();
    AudioBuffer buffer;
    buffer.sample_rate = reader->sample_rate();
    buffer.channels.resize(static_cast<std::size_t>(reader->channels()));
    const std::size_t most_frames = most_bytes / sizeof(float) / buffer.channels.size();
    std::vector<float*> places(buffer.channels.size());
    for (;;) {
        const std::size_t have = buffer.frames();
        if (have > most_frames)
            return Status{Code::too_large, path.string() + ": longer than " + std::to_string(most_frames) + " frames",
                          "nothing was read", "use a shorter file, or stream it"};
        for (std::size_t i = 0; i < places.size(); ++i) {
            buffer.channels[i].resize(have + k_block);
            places[i] = buffer.channels[i].data() + have;
        }
        auto got = reader->read(places.data(), k_block);
        if (!got) return got.status();
        for (auto& channel : buffer.channels)
            channel.resize(have + *got);
        if (*got == 0) return buffer;
    }
}

} // namespace tutti::io
