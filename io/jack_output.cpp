// SPDX-License-Identifier: MIT
#include "io/jack_output.h"

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <map>
#include <utility>
#include <vector>

#include "io/quiet.h"

#if !defined(_WIN32)
#include <dlfcn.h>
#endif

namespace tutti::io {

#if defined(_WIN32)

bool has_jack_library() noexcept {
    return false;
}
std::vector<AudioDevice> list_jack_outputs(int) {
    return {};
}
Result<std::unique_ptr<OutputDriver>> open_jack_output(const AudioDevice&, const OutputConfig&,
                                                       std::shared_ptr<BlockFeed>) {
    return no_output_device();
}
HiddenJack::HiddenJack() = default;
HiddenJack::~HiddenJack() = default;

#else

namespace {

using Clock = std::chrono::steady_clock;

// The client interface as its documentation gives it (jackaudio.org/api); its own header is not needed to build.
struct Client; // jack_client_t
struct Port;   // jack_port_t
using Frames = std::uint32_t;
struct LatencyRange {
    Frames least, most;
};
constexpr int k_no_start_server = 0x01;           // JackNoStartServer
constexpr unsigned long k_port_is_input = 0x1;    // JackPortIsInput: takes sound
constexpr unsigned long k_port_is_output = 0x2;   // JackPortIsOutput: gives sound
constexpr unsigned long k_port_is_physical = 0x4; // JackPortIsPhysical
constexpr int k_playback_latency = 1;             // JackPlaybackLatency
constexpr const char* k_audio = "32 bit float mono audio";

struct Library {
    Client* (*client_open)(const char* name, int options, int* status, ...) = nullptr;
    int (*client_close)(Client*) = nullptr;
    int (*activate)(Client*) = nullptr;
    int (*deactivate)(Client*) = nullptr;
    Frames (*get_sample_rate)(Client*) = nullptr;
    Frames (*get_buffer_size)(Client*) = nullptr;
    int (*set_process_callback)(Client*, int (*)(Frames, void*), void*) = nullptr;
    int (*set_xrun_callback)(Client*, int (*)(void*), void*) = nullptr;
    void (*on_shutdown)(Client*, void (*)(void*), void*) = nullptr;
    Port* (*port_register)(Client*, const char* name, const char* type, unsigned long flags,
                           unsigned long size) = nullptr;
    void* (*port_get_buffer)(Port*, Frames) = nullptr;
    const char* (*port_name)(const Port*) = nullptr;
    Port* (*port_by_name)(Client*, const char*) = nullptr;
    int (*port_flags)(const Port*) = nullptr;
    void (*port_get_latency_range)(Port*, int mode, LatencyRange*) = nullptr;
    const char** (*get_ports)(Client*, const char* name, const char* type, unsigned long flags) = nullptr;
    int (*connect)(Client*, const char* from, const char* to) = nullptr;
    void (*free)(void*) = nullptr;
    void (*set_error_function)(void (*)(const char*)) = nullptr;
    void (*set_info_function)(void (*)(const char*)) = nullptr;
    bool whole = false;

    // nullptr: there is none.
    static const Library* get() noexcept {
        static const Library library;
        return library.whole ? &library : nullptr;
    }

private:
    Library() noexcept {
        void* handle = nullptr;
        for (const char* name : {"libjack.so.0", "libjack.0.dylib"})
            if (handle = dlopen(name, RTLD_NOW | RTLD_LOCAL); handle != nullptr) break;
        if (handle == nullptr) return;
        whole = true;
        const auto find = [&](auto& function, const char* name) {
            function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(handle, name));
            whole = whole && function != nullptr;
        };
        find(client_open, "jack_client_open");
        find(client_close, "jack_client_close");
        find(activate, "jack_activate");
        find(deactivate, "jack_deactivate");
        find(get_sample_rate, "jack_get_sample_rate");
        find(get_buffer_size, "jack_get_buffer_size");
        find(set_process_callback, "jack_set_process_callback");
        find(set_xrun_callback, "jack_set_xrun_callback");
        find(on_shutdown, "jack_on_shutdown");
        find(port_register, "jack_port_register");
        find(port_get_buffer, "jack_port_get_buffer");
        find(port_name, "jack_port_name");
        find(port_by_name, "jack_port_by_name");
        find(port_flags, "jack_port_flags");
        find(port_get_latency_range, "jack_port_get_latency_range");
        find(get_ports, "jack_get_ports");
        find(connect, "jack_connect");
        find(free, "jack_free");
        find(set_error_function, "jack_set_error_function");
        find(set_info_function, "jack_set_info_function");
        if (!whole) return;
        set_error_function([](const char*) {});
        set_info_function([](const char*) {});
    }
};

// Clients that are being closed on a thread of their own: none may be opened meanwhile.
std::atomic<int> g_closing{0};

Client* open_client(const Library& jack) {
    silence_sound_libraries();
    if (g_closing.load(std::memory_order_acquire) > 0) return nullptr;
    int status = 0;
    return jack.client_open("Tutti", k_no_start_server, &status);
}

// The names of the ports of `client` that take sound, by the clients they belong to; "system" before others.
std::map<std::string, std::vector<std::string>> ports_by_client(const Library& jack, Client* client) {
    std::map<std::string, std::vector<std::string>> owners;
    const char** const names = jack.get_ports(client, nullptr, k_audio, k_port_is_input);
    if (names == nullptr) return owners;
    for (const char** each = names; *each != nullptr; ++each) {
        const std::string name = *each;
        owners[name.substr(0, name.find(':'))].push_back(name);
    }
    jack.free(names);
    return owners;
}

class JackOutput final : public OutputDriver {
public:
    JackOutput(const Library& jack, const AudioDevice& device, std::shared_ptr<BlockFeed> feed)
        : m_jack(jack), m_device(device), m_feed(std::move(feed)) {}
    ~JackOutput() override {
        if (m_client != nullptr) m_jack.client_close(m_client);
        if (m_counted) g_closing.fetch_sub(1, std::memory_order_release);
    }

    Status open(const OutputConfig& config) {
        m_client = open_client(m_jack);
        if (m_client == nullptr) return output_failed(m_device, "the JACK server does not answer");
        m_rate = m_jack.get_sample_rate(m_client);
        if (config.sample_rate != 0.0 && config.sample_rate != m_rate)
            return unsupported_rate(m_device, config.sample_rate);
        for (int channel = 0; channel < config.channels; ++channel) {
            const std::string name = "out_" + std::to_string(channel + 1);
            Port* const port = m_jack.port_register(m_client, name.c_str(), k_audio, k_port_is_output, 0);
            if (port == nullptr) return output_failed(m_device, "the JACK server has no room for another port");
            m_ports[m_channels++] = port;
        }
        m_jack.set_process_callback(m_client, on_block, this);
        m_jack.set_xrun_callback(m_client, on_xrun, this);
        m_jack.on_shutdown(m_client, on_end, this);
        return {};
    }
    Status start() override {
        if (m_jack.activate(m_client) != 0) return output_failed(m_device, "the JACK server does not let it play");
        const auto owners = ports_by_client(m_jack, m_client);
        const auto to = owners.find(m_device.name);
        for (int channel = 0; to != owners.end() && channel < m_channels; ++channel) {
            if (static_cast<std::size_t>(channel) >= to->second.size()) break;
            m_jack.connect(m_client, m_jack.port_name(m_ports[channel]),
                           to->second[static_cast<std::size_t>(channel)].c_str());
        }
        LatencyRange range{0, 0};
        m_jack.port_get_latency_range(m_ports[0], k_playback_latency, &range);
        m_latency = std::max(range.most, m_jack.get_buffer_size(m_client)) / m_rate;
        return {};
    }
    Status stop() override {
        return m_jack.deactivate(m_client) == 0 ? Status{} : output_failed(m_device, "the JACK server does not answer");
    }
    bool gone() noexcept override { return closes_at_once(); }
    // A server that stands still may keep the one who closes waiting; a dead one is known to be.
    bool closes_at_once() const noexcept override { return m_feed->finished.load(std::memory_order_relaxed); }
    void closes_elsewhere() noexcept override {
        m_counted = true;
        g_closing.fetch_add(1, std::memory_order_relaxed); // the thread that closes begins after this
    }
    double sample_rate() const noexcept override { return m_rate; }
    double latency_seconds() const noexcept override { return m_latency; }
    double load() const noexcept override { return m_load.load(std::memory_order_relaxed); }

private:
    static int on_block(Frames count, void* self) noexcept {
        auto& output = *static_cast<JackOutput*>(self);
        const auto begin = Clock::now();
        float* out[k_most_output_channels];
        for (int channel = 0; channel < output.m_channels; ++channel)
            out[channel] = static_cast<float*>(output.m_jack.port_get_buffer(output.m_ports[channel], count));
        output.m_feed->give(out, count);
        const std::chrono::duration<double> taken = Clock::now() - begin;
        const double load = output.m_load.load(std::memory_order_relaxed);
        const double seconds = count / output.m_rate;
        // Smoothed over about 50 ms.
        const double speed = std::min(1.0, seconds / 0.05);
        output.m_load.store(load + speed * (taken.count() / seconds - load), std::memory_order_relaxed);
        return 0;
    }
    static int on_xrun(void* self) noexcept {
        static_cast<JackOutput*>(self)->m_feed->underruns.fetch_add(1, std::memory_order_relaxed);
        return 0;
    }
    static void on_end(void* self) noexcept {
        static_cast<JackOutput*>(self)->m_feed->finished.store(true, std::memory_order_relaxed);
    }

    const Library& m_jack;
    AudioDevice m_device;
    std::shared_ptr<BlockFeed> m_feed;
    Client* m_client = nullptr;
    Port* m_ports[k_most_output_channels] = {};
    int m_channels = 0;
    double m_rate = 48000.0;
    double m_latency = 0.0;
    bool m_counted = false;          // in g_closing
    std::atomic<double> m_load{0.0}; // written by on_block
};

} // namespace

bool has_jack_library() noexcept {
    return Library::get() != nullptr;
}

std::vector<AudioDevice> list_jack_outputs(int first) {
    std::vector<AudioDevice> devices;
    const Library* const jack = Library::get();
    if (jack == nullptr) return devices;
    const QuietStderr quiet;
    Client* const client = open_client(*jack);
    if (client == nullptr) return devices;
    for (const auto& [owner, ports] : ports_by_client(*jack, client)) {
        AudioDevice device;
        device.name = owner;
        device.api = k_jack_api;
        device.channels = static_cast<int>(std::min<std::size_t>(ports.size(), k_most_output_channels));
        device.default_rate = jack->get_sample_rate(client);
        device.rates = {device.default_rate};
        LatencyRange range{0, 0};
        Port* const port = jack->port_by_name(client, ports[0].c_str());
        if (port != nullptr) jack->port_get_latency_range(port, k_playback_latency, &range);
        device.low_latency_seconds = std::max(range.most, jack->get_buffer_size(client)) / device.default_rate;
        // What is heard, before programs that listen.
        const bool physical =
            port != nullptr && (static_cast<unsigned long>(jack->port_flags(port)) & k_port_is_physical) != 0;
        devices.insert(physical ? devices.begin() : devices.end(), std::move(device));
    }
    jack->client_close(client);
    for (AudioDevice& device : devices)
        device.number = first++;
    return devices;
}

Result<std::unique_ptr<OutputDriver>> open_jack_output(const AudioDevice& device, const OutputConfig& config,
                                                       std::shared_ptr<BlockFeed> feed) {
    const Library* const jack = Library::get();
    if (jack == nullptr) return no_output_device();
    auto output = std::make_unique<JackOutput>(*jack, device, std::move(feed));
    if (Status status = output->open(config); !status) return status;
    return std::unique_ptr<OutputDriver>(std::move(output));
}

// A server of a name that nobody gives; PipeWire's library, which goes by no name, has a switch of its own.
HiddenJack::HiddenJack() {
    if (!has_jack_library()) return; // nobody here would speak to the server instead
    m_hides = true;
    const auto set = [](const char* name, const char* value, std::optional<std::string>& before) {
        if (const char* const old = std::getenv(name)) before = old;
        setenv(name, value, 1);
    };
    set("JACK_DEFAULT_SERVER", "tutti-looks-itself", m_server);
    set("PIPEWIRE_NOJACK", "1", m_pipewire);
}
HiddenJack::~HiddenJack() {
    if (!m_hides) return;
    const auto restore = [](const char* name, const std::optional<std::string>& before) {
        if (before)
            setenv(name, before->c_str(), 1);
        else
            unsetenv(name);
    };
    restore("JACK_DEFAULT_SERVER", m_server);
    restore("PIPEWIRE_NOJACK", m_pipewire);
}

#endif

} // namespace tutti::io
