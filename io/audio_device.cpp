// SPDX-License-Identifier: MIT
#include "io/audio_device.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

#include <portaudio.h>

#include "io/mute_gate.h"
#include "io/name_match.h"
#include "io/quiet.h"

namespace tutti::io {

namespace {

using Clock = std::chrono::steady_clock;
constexpr int k_most_channels_out = 64;
constexpr auto k_silence = std::chrono::seconds(1); // without a callback: the device is gone

// PortAudio counts its users; the list of devices is made anew when the first one comes.
class PortAudio {
public:
    PortAudio() {
        silence_sound_libraries();
        const QuietStderr quiet;
        m_error = sound_libraries_usable() ? Pa_Initialize() : static_cast<PaError>(paInternalError);
    }
    ~PortAudio() {
        const QuietStderr quiet;
        if (m_error == paNoError) Pa_Terminate();
    }
    PortAudio(const PortAudio&) = delete;
    PortAudio& operator=(const PortAudio&) = delete;
    PaError error() const { return m_error; }

private:
    PaError m_error;
};

std::vector<AudioDevice> list(bool probe_rates) {
    std::vector<AudioDevice> devices;
    const PaDeviceIndex count = Pa_GetDeviceCount();
    for (PaDeviceIndex i = 0; i < count; ++i) {
        const PaDeviceInfo* info = Pa_GetDeviceInfo(i);
        if (!info || info->maxOutputChannels < 1) continue;
        AudioDevice device;
        device.number = i;
        device.name = info->name ? info->name : "";
        const PaHostApiInfo* api = Pa_GetHostApiInfo(info->hostApi);
        device.api = api && api->name ? api->name : "";
        device.channels = info->maxOutputChannels;
        device.default_rate = info->defaultSampleRate;
        device.low_latency_seconds = info->defaultLowOutputLatency;
        device.is_default = i == Pa_GetDefaultOutputDevice();
        if (probe_rates)
            for (const double rate : {22050.0, 32000.0, 44100.0, 48000.0, 88200.0, 96000.0, 176400.0, 192000.0}) {
                const PaStreamParameters parameters{i, std::min(2, device.channels), paFloat32 | paNonInterleaved,
                                                    info->defaultLowOutputLatency, nullptr};
                if (Pa_IsFormatSupported(nullptr, &parameters, rate) == paFormatIsSupported)
                    device.rates.push_back(rate);
            }
        devices.push_back(std::move(device));
    }
    // Where the default API has nothing to play on, another's device may still be there.
    if (!devices.empty() &&
        std::none_of(devices.begin(), devices.end(), [](const auto& device) { return device.is_default; }))
        devices.front().is_default = true;
    return devices;
}

Result<AudioDevice> choose(const std::string& wanted) {
    const auto devices = list(false);
    if (devices.empty()) return no_output_device();
    if (wanted.empty())
        return *std::find_if(devices.begin(), devices.end(), [](const auto& device) { return device.is_default; });
    std::vector<NamedItem> names;
    for (const auto& device : devices)
        names.push_back({device.number, device.name});
    const auto found = match_name(wanted, names, "audio output device");
    if (!found) return found.status();
    return *std::find_if(devices.begin(), devices.end(), [&](const auto& device) { return device.number == *found; });
}

Status failed(const AudioDevice& device, const std::string& what) {
    return {Code::device_failed, device.name + ": " + what, "nothing is heard",
            "choose another device or settings, see tutti devices"};
}

} // namespace

std::vector<AudioDevice> list_output_devices(bool probe_rates) {
    const PortAudio library;
    const QuietStderr quiet;
    return library.error() == paNoError ? list(probe_rates) : std::vector<AudioDevice>{};
}

Status no_output_device() {
    return {Code::no_device, "no audio output device was found", "nothing can be heard here",
            "connect one or start a sound server, or render to a file"};
}

struct AudioOutput::Impl {
    PortAudio library; // first in, last out
    AudioDevice device;
    OutputConfig config;
    OutputCallback callback = nullptr;
    void* user = nullptr;
    PaStream* stream = nullptr;
    double sample_rate = 0.0;
    double latency = 0.0;
    bool started = false;
    std::int64_t seen_callbacks = 0;
    Clock::time_point seen_at;
    // Written by the device's thread, read by anyone: counts only, so relaxed.
    std::atomic<std::int64_t> callbacks{0};
    std::atomic<std::int64_t> frames{0};
    std::atomic<std::int64_t> underruns{0};
    // Set by the device's thread when it ends; nothing else is read through it.
    std::atomic<bool> finished{false};
    MuteGate<> gate; // a device that was given up gets silence
    static_assert(std::atomic<std::int64_t>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

    ~Impl() {
        if (stream) Pa_CloseStream(stream);
    }

    static int on_block(const void*, void* output, unsigned long count, const PaStreamCallbackTimeInfo*,
                        PaStreamCallbackFlags flags, void* self) noexcept {
        auto& impl = *static_cast<Impl*>(self);
        auto* const* out = static_cast<float* const*>(output);
        impl.callbacks.fetch_add(1, std::memory_order_relaxed);
        impl.frames.fetch_add(static_cast<std::int64_t>(count), std::memory_order_relaxed);
        if (flags & paOutputUnderflow) impl.underruns.fetch_add(1, std::memory_order_relaxed);
        if (!impl.gate.enter()) {
            for (int channel = 0; channel < impl.config.channels; ++channel)
                std::fill_n(out[channel], count, 0.0f);
            return paContinue;
        }
        float* part[k_most_channels_out];
        for (unsigned long done = 0; done < count;) {
            const auto now = std::min(count - done, static_cast<unsigned long>(impl.config.most_frames));
            for (int channel = 0; channel < impl.config.channels; ++channel)
                part[channel] = out[channel] + done;
            impl.callback(impl.user, part, static_cast<int>(now));
            done += now;
        }
        impl.gate.leave();
        return paContinue;
    }
    static void on_end(void* self) noexcept {
        static_cast<Impl*>(self)->finished.store(true, std::memory_order_relaxed);
    }
};

Result<AudioOutput> AudioOutput::open(const OutputConfig& config, OutputCallback callback, void* user) {
    auto impl = std::make_unique<Impl>();
    const QuietStderr quiet;
    if (impl->library.error() != paNoError) return no_output_device();
    auto device = choose(config.device);
    if (!device) return device.status();
    impl->device = *device;
    impl->config = config;
    impl->callback = callback;
    impl->user = user;
    if (config.channels < 1 || config.channels > std::min(device->channels, k_most_channels_out))
        return Status{Code::unsupported,
                      device->name + ": has " + std::to_string(device->channels) + " channels, not " +
                          std::to_string(config.channels),
                      "nothing is heard", "ask for as many as it has"};
    if (config.frames < 0 || config.frames > 65536 || config.most_frames < 1)
        return Status{Code::unsupported, "a block of " + std::to_string(config.frames) + " frames", "nothing is heard",
                      "use 16 to 8192 frames, or 0 for the device's own"};
    const double rate = config.sample_rate == 0.0 ? device->default_rate : config.sample_rate;
    const PaStreamParameters parameters{device->number, config.channels, paFloat32 | paNonInterleaved,
                                        device->low_latency_seconds, nullptr};
    const unsigned long frames =
        config.frames == 0 ? paFramesPerBufferUnspecified : static_cast<unsigned long>(config.frames);
    const PaError error = Pa_OpenStream(&impl->stream, nullptr, &parameters, rate, frames, paClipOff | paDitherOff,
                                        Impl::on_block, impl.get());
    if (error == paInvalidSampleRate)
        return Status{
            Code::unsupported, device->name + ": does not run at " + std::to_string(static_cast<long>(rate)) + " Hz",
            "nothing is heard",
            "leave the rate away to use its own, " + std::to_string(static_cast<long>(device->default_rate)) + " Hz"};
    if (error != paNoError) {
        impl->stream = nullptr;
        return failed(*device, Pa_GetErrorText(error));
    }
    Pa_SetStreamFinishedCallback(impl->stream, Impl::on_end);
    if (const PaStreamInfo* info = Pa_GetStreamInfo(impl->stream)) {
        impl->sample_rate = info->sampleRate;
        impl->latency = info->outputLatency;
    }
    return AudioOutput(std::move(impl));
}

AudioOutput::AudioOutput(std::unique_ptr<Impl> impl) noexcept : m_impl(std::move(impl)) {}
AudioOutput::AudioOutput(AudioOutput&&) noexcept = default;
AudioOutput& AudioOutput::operator=(AudioOutput&& other) noexcept {
    if (this != &other) {
        give_up_or_stop(m_impl);
        m_impl = std::move(other.m_impl);
    }
    return *this;
}
AudioOutput::~AudioOutput() {
    give_up_or_stop(m_impl);
}

// PortAudio waits ten minutes for a JACK server that has died before it stops a stream. Nobody should: what is left of a
// lost device is cleaned up by a thread of its own, which may outlive everything but the process.
void AudioOutput::give_up_or_stop(std::unique_ptr<Impl>& impl) noexcept {
    if (!impl) return;
    AudioOutput whole(std::move(impl));
    if (whole.check()) {
        (void)whole.stop();
        whole.m_impl.reset();
        return;
    }
    whole.m_impl->gate.shut();
    for (int i = 0; i < 100 && !whole.m_impl->gate.empty(); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::thread([left = whole.m_impl.release()] { delete left; }).detach();
}

Status AudioOutput::start() {
    if (m_impl->started) return {};
    const QuietStderr quiet;
    m_impl->finished.store(false, std::memory_order_relaxed);
    const PaError error = Pa_StartStream(m_impl->stream);
    if (error != paNoError) return failed(m_impl->device, Pa_GetErrorText(error));
    m_impl->started = true;
    m_impl->seen_callbacks = m_impl->callbacks.load(std::memory_order_relaxed);
    m_impl->seen_at = Clock::now();
    return {};
}

Status AudioOutput::stop() {
    if (!m_impl->started) return {};
    if (Status lost = check(); !lost) return lost; // the destructor gives it up
    const QuietStderr quiet;
    m_impl->started = false;
    // A device that has gone never plays its last blocks: do not wait for them.
    const PaError error = Pa_AbortStream(m_impl->stream);
    return error == paNoError || error == paStreamIsStopped ? Status{} : failed(m_impl->device, Pa_GetErrorText(error));
}

Status AudioOutput::check() {
    Impl& impl = *m_impl;
    if (!impl.started) return {};
    const auto count = impl.callbacks.load(std::memory_order_relaxed);
    const auto now = Clock::now();
    if (count != impl.seen_callbacks) {
        impl.seen_callbacks = count;
        impl.seen_at = now;
    }
    const bool gone = impl.finished.load(std::memory_order_relaxed) || Pa_IsStreamActive(impl.stream) != 1 ||
                      now - impl.seen_at > k_silence;
    if (!gone) return {};
    return {Code::device_failed, impl.device.name + ": the device has gone", "nothing is heard",
            "connect it or start the sound server again, then start this program again, or choose another device"};
}

const AudioDevice& AudioOutput::device() const noexcept {
    return m_impl->device;
}
double AudioOutput::sample_rate() const noexcept {
    return m_impl->sample_rate;
}
double AudioOutput::latency_seconds() const noexcept {
    return m_impl->latency;
}
std::int64_t AudioOutput::underruns() const noexcept {
    return m_impl->underruns.load(std::memory_order_relaxed);
}
std::int64_t AudioOutput::callbacks() const noexcept {
    return m_impl->callbacks.load(std::memory_order_relaxed);
}
std::int64_t AudioOutput::frames() const noexcept {
    return m_impl->frames.load(std::memory_order_relaxed);
}
double AudioOutput::load() const noexcept {
    return Pa_GetStreamCpuLoad(m_impl->stream);
}

} // namespace tutti::io
