// SPDX-License-Identifier: MIT
#include "io/audio_device.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "io/jack_output.h"
#include "io/name_match.h"
#include "io/output_driver.h"
#include "io/quiet.h"

namespace tutti::io {

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto k_silence = std::chrono::seconds(1); // without a callback: the device is gone

std::vector<AudioDevice> list(bool probe_rates) {
    auto devices = list_portaudio_outputs(probe_rates);
    auto jack = list_jack_outputs(devices.empty() ? 0 : devices.back().number + 1);
    if (!probe_rates)
        for (AudioDevice& device : jack)
            device.rates.clear();
    devices.insert(devices.end(), jack.begin(), jack.end());
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

} // namespace

Status output_failed(const AudioDevice& device, const std::string& what) {
    return {Code::device_failed, device.name + ": " + what, "nothing is heard",
            "choose another device or settings, see tutti devices"};
}

Status unsupported_rate(const AudioDevice& device, double rate) {
    return {Code::unsupported, device.name + ": does not run at " + std::to_string(static_cast<long>(rate)) + " Hz",
            "nothing is heard",
            "leave the rate away to use its own, " + std::to_string(static_cast<long>(device.default_rate)) + " Hz"};
}

std::vector<AudioDevice> list_output_devices(bool probe_rates) {
    return list(probe_rates);
}

Status no_output_device() {
    return {Code::no_device, "no audio output device was found", "nothing can be heard here",
            "connect one or start a sound server, or render to a file"};
}

struct AudioOutput::Impl {
    AudioDevice device;
    std::shared_ptr<BlockFeed> feed;
    std::unique_ptr<OutputDriver> driver;
    bool started = false;
    std::int64_t seen_callbacks = 0;
    Clock::time_point seen_at;
};

Result<AudioOutput> AudioOutput::open(const OutputConfig& config, OutputCallback callback, void* user) {
    auto impl = std::make_unique<Impl>();
    const std::shared_ptr<const void> numbers = hold_portaudio();
    auto device = choose(config.device);
    if (!device) return device.status();
    impl->device = *device;
    if (config.channels < 1 || config.channels > std::min(device->channels, k_most_output_channels))
        return Status{Code::unsupported,
                      device->name + ": has " + std::to_string(device->channels) + " channels, not " +
                          std::to_string(config.channels),
                      "nothing is heard", "ask for as many as it has"};
    if (config.frames < 0 || config.frames > 65536 || config.most_frames < 1)
        return Status{Code::unsupported, "a block of " + std::to_string(config.frames) + " frames", "nothing is heard",
                      "use 16 to 8192 frames, or 0 for the device's own"};
    impl->feed = std::make_shared<BlockFeed>(config, callback, user);
    const QuietStderr quiet;
    const bool jack = device->api == k_jack_api && has_jack_library();
    auto driver =
        jack ? open_jack_output(*device, config, impl->feed) : open_portaudio_output(*device, config, impl->feed);
    if (!driver) return driver.status();
    impl->driver = std::move(*driver);
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

// A lost device may keep the one who closes it waiting for minutes. Nobody should: what is left of it is cleaned up by a thread
// of its own, which may outlive everything but the process.
void AudioOutput::give_up_or_stop(std::unique_ptr<Impl>& impl) noexcept {
    if (!impl) return;
    AudioOutput whole(std::move(impl));
    const bool lives = whole.check().ok();
    if (lives) (void)whole.stop();
    const std::unique_ptr<Impl> left = std::move(whole.m_impl);
    if (lives) return;
    left->feed->gate.shut();
    for (int i = 0; i < 100 && !left->feed->gate.empty(); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (left->driver->closes_at_once()) return;
    left->driver->closes_elsewhere();
    std::thread([driver = std::move(left->driver)] {}).detach();
}

Status AudioOutput::start() {
    if (m_impl->started) return {};
    const QuietStderr quiet;
    m_impl->feed->finished.store(false, std::memory_order_relaxed);
    if (Status status = m_impl->driver->start(); !status) return status;
    m_impl->started = true;
    m_impl->seen_callbacks = m_impl->feed->callbacks.load(std::memory_order_relaxed);
    m_impl->seen_at = Clock::now();
    return {};
}

Status AudioOutput::stop() {
    if (!m_impl->started) return {};
    if (Status lost = check(); !lost) return lost; // the destructor gives it up
    const QuietStderr quiet;
    m_impl->started = false;
    return m_impl->driver->stop();
}

Status AudioOutput::check() {
    Impl& impl = *m_impl;
    if (!impl.started) return {};
    const auto count = impl.feed->callbacks.load(std::memory_order_relaxed);
    const auto now = Clock::now();
    if (count != impl.seen_callbacks) {
        impl.seen_callbacks = count;
        impl.seen_at = now;
    }
    const bool gone =
        impl.feed->finished.load(std::memory_order_relaxed) || impl.driver->gone() || now - impl.seen_at > k_silence;
    if (!gone) return {};
    return {Code::device_failed, impl.device.name + ": the device has gone", "nothing is heard",
            "connect it or start the sound server again, then start this program again, or choose another device"};
}

const AudioDevice& AudioOutput::device() const noexcept {
    return m_impl->device;
}
double AudioOutput::sample_rate() const noexcept {
    return m_impl->driver->sample_rate();
}
double AudioOutput::latency_seconds() const noexcept {
    return m_impl->driver->latency_seconds();
}
std::int64_t AudioOutput::underruns() const noexcept {
    return m_impl->feed->underruns.load(std::memory_order_relaxed);
}
std::int64_t AudioOutput::callbacks() const noexcept {
    return m_impl->feed->callbacks.load(std::memory_order_relaxed);
}
std::int64_t AudioOutput::frames() const noexcept {
    return m_impl->feed->frames.load(std::memory_order_relaxed);
}
double AudioOutput::load() const noexcept {
    return m_impl->driver->load();
}

} // namespace tutti::io
