// SPDX-License-Identifier: MIT
// Audio output devices (PortAudio, JACK): which there are, and a stream to one that asks a callback for its blocks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <tutti/platform.h>
#include <tutti/status.h>

namespace tutti::io {

struct AudioDevice {
    int number = 0; // as `device` takes it; may change when devices come and go
    std::string name;
    std::string api; // "ALSA", "JACK Audio Connection Kit", ...
    int channels = 0;
    double default_rate = 0.0;
    double low_latency_seconds = 0.0; // what it offers by itself
    bool is_default = false;
    std::vector<double> rates; // of the usual ones, those that it takes; only where asked for
};

// The devices that can play, the default first in nothing but its mark. Empty where there is none: no error, but
// no_output_device() has the sentence for it. Probing rates opens each device. [control]
std::vector<AudioDevice> list_output_devices(bool probe_rates = false);
// "no audio output device was found; ..." [control]
Status no_output_device();

// Fills out[channel][frame]. Runs on the device's thread and must keep [audio]'s rules.
using OutputCallback = void (*)(void* user, float* const* out, int frames) noexcept;

struct OutputConfig {
    std::string device = {};  // number, name or a part of the name; empty: the default
    double sample_rate = 0.0; // 0: the device's own
    int frames = 0;           // a block; 0: as the device likes, changing from call to call; JACK keeps to its server's
    int channels = 2;
    int most_frames = 8192; // the callback is never asked for more at once
};

// One open output. Silent until start(); its callback never runs after stop() has returned.
class AudioOutput {
public:
    // Errors: no_device, not_found (no such name, or several), unsupported (rate, channels), device_failed. [control]
    static Result<AudioOutput> open(const OutputConfig& config, OutputCallback callback, void* user);

    AudioOutput(AudioOutput&&) noexcept;
    AudioOutput& operator=(AudioOutput&&) noexcept;
    ~AudioOutput();

    // Errors: device_failed. [control]
    Status start();
    Status stop();
    // To be called a few times a second while it plays: device_failed once the device has gone (unplugged, sound server
    // ended) or has not asked for a block for a second. Destroy this then, and open another one when the device is back.
    // Where a JACK server has died, MIDI ports that went through it are destroyed first: its library frees what is left of
    // a dead server when a new one is opened. [control]
    Status check();

    const AudioDevice& device() const noexcept; // [any]
    double sample_rate() const noexcept;        // what the device runs at [any]
    double latency_seconds() const noexcept;    // from the callback to the ear, as the device says [any]
    std::int64_t underruns() const noexcept;    // told by the device [any]
    std::int64_t callbacks() const noexcept;    // [any]
    std::int64_t frames() const noexcept;       // asked for so far [any]
    double load() const noexcept;               // part of the time that the callback takes, 0..1 [control]

private:
    struct Impl;
    explicit AudioOutput(std::unique_ptr<Impl> impl) noexcept;
    static void give_up_or_stop(std::unique_ptr<Impl>& impl) noexcept;
    std::unique_ptr<Impl> m_impl;
};

} // namespace tutti::io
