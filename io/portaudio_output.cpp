// SPDX-License-Identifier: MIT
#include "io/output_driver.h"

#include <portaudio.h>

#include "io/jack_output.h"
#include "io/quiet.h"

namespace tutti::io {

namespace {

// PortAudio counts its users; the list of devices is made anew when the first one comes.
class PortAudio {
public:
    PortAudio() {
        silence_sound_libraries();
        const QuietStderr quiet;
        const HiddenJack hidden; // whose clients PortAudio cannot close once the server has died
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

class PortAudioOutput final : public OutputDriver {
public:
    PortAudioOutput(const AudioDevice& device, std::shared_ptr<BlockFeed> feed)
        : m_device(device), m_feed(std::move(feed)) {}
    ~PortAudioOutput() override {
        if (m_stream) Pa_CloseStream(m_stream);
    }

    Status open(const OutputConfig& config) {
        if (m_library.error() != paNoError) return no_output_device();
        const double rate = config.sample_rate == 0.0 ? m_device.default_rate : config.sample_rate;
        const PaStreamParameters parameters{m_device.number, config.channels, paFloat32 | paNonInterleaved,
                                            m_device.low_latency_seconds, nullptr};
        const unsigned long frames =
            config.frames == 0 ? paFramesPerBufferUnspecified : static_cast<unsigned long>(config.frames);
        const PaError error = Pa_OpenStream(&m_stream, nullptr, &parameters, rate, frames, paClipOff | paDitherOff,
                                            on_block, m_feed.get());
        if (error == paInvalidSampleRate) return unsupported_rate(m_device, rate);
        if (error != paNoError) {
            m_stream = nullptr;
            return output_failed(m_device, Pa_GetErrorText(error));
        }
        Pa_SetStreamFinishedCallback(m_stream, on_end);
        if (const PaStreamInfo* info = Pa_GetStreamInfo(m_stream)) {
            m_sample_rate = info->sampleRate;
            m_latency = info->outputLatency;
        }
        return {};
    }
    Status start() override {
        const PaError error = Pa_StartStream(m_stream);
        return error == paNoError ? Status{} : output_failed(m_device, Pa_GetErrorText(error));
    }
    Status stop() override {
        // A device that has gone never plays its last blocks: do not wait for them.
        const PaError error = Pa_AbortStream(m_stream);
        return error == paNoError || error == paStreamIsStopped ? Status{}
                                                                : output_failed(m_device, Pa_GetErrorText(error));
    }
    bool gone() noexcept override { return Pa_IsStreamActive(m_stream) != 1; }
    double sample_rate() const noexcept override { return m_sample_rate; }
    double latency_seconds() const noexcept override { return m_latency; }
    double load() const noexcept override { return Pa_GetStreamCpuLoad(m_stream); }

private:
    static int on_block(const void*, void* output, unsigned long count, const PaStreamCallbackTimeInfo*,
                        PaStreamCallbackFlags flags, void* self) noexcept {
        auto& feed = *static_cast<BlockFeed*>(self);
        if (flags & paOutputUnderflow) feed.underruns.fetch_add(1, std::memory_order_relaxed);
        feed.give(static_cast<float* const*>(output), static_cast<std::int64_t>(count));
        return paContinue;
    }
    static void on_end(void* self) noexcept {
        static_cast<BlockFeed*>(self)->finished.store(true, std::memory_order_relaxed);
    }

    PortAudio m_library; // first in, last out
    AudioDevice m_device;
    std::shared_ptr<BlockFeed> m_feed;
    PaStream* m_stream = nullptr;
    double m_sample_rate = 0.0;
    double m_latency = 0.0;
};

} // namespace

std::shared_ptr<const void> hold_portaudio() {
    return std::make_shared<const PortAudio>();
}

std::vector<AudioDevice> list_portaudio_outputs(bool probe_rates) {
    const PortAudio library;
    const QuietStderr quiet;
    std::vector<AudioDevice> devices;
    if (library.error() != paNoError) return devices;
    const PaDeviceIndex count = Pa_GetDeviceCount();
    for (PaDeviceIndex i = 0; i < count; ++i) {
        const PaDeviceInfo* info = Pa_GetDeviceInfo(i);
        if (!info || info->maxOutputChannels < 1) continue;
        const PaHostApiInfo* api = Pa_GetHostApiInfo(info->hostApi);
        if (api && api->type == paJACK && has_jack_library()) continue; // JackOutput's
        AudioDevice device;
        device.number = i;
        device.name = info->name ? info->name : "";
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
    return devices;
}

Result<std::unique_ptr<OutputDriver>> open_portaudio_output(const AudioDevice& device, const OutputConfig& config,
                                                            std::shared_ptr<BlockFeed> feed) {
    auto output = std::make_unique<PortAudioOutput>(device, std::move(feed));
    if (Status status = output->open(config); !status) return status;
    return std::unique_ptr<OutputDriver>(std::move(output));
}

} // namespace tutti::io
