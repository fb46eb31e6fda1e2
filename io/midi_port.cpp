// SPDX-License-Identifier: MIT
#include "io/midi_port.h"

#include <algorithm>
#include <utility>

#include <rtmidi/RtMidi.h>

#include "io/name_match.h"
#include "io/quiet.h"

namespace tutti::io {

namespace {

constexpr const char* k_client = "Tutti";

void ignore_error(RtMidiError::Type, const std::string&, void*) {} // what matters is thrown or asked for

// One port of each system that works here: construction tells (no ALSA sequencer device, no JACK server).
template <class Port>
std::vector<std::unique_ptr<Port>> make_ports() {
    silence_sound_libraries();
    const QuietStderr quiet;
    std::vector<RtMidi::Api> apis;
    RtMidi::getCompiledApi(apis);
    std::vector<std::unique_ptr<Port>> ports;
    for (const RtMidi::Api api : apis) {
        if (api == RtMidi::RTMIDI_DUMMY) continue;
        try {
            std::unique_ptr<Port> port;
            if constexpr (std::is_same_v<Port, RtMidiIn>)
                port = std::make_unique<RtMidiIn>(api, k_client, 1024);
            else
                port = std::make_unique<RtMidiOut>(api, k_client);
            port->setErrorCallback(ignore_error);
            ports.push_back(std::move(port));
        } catch (const RtMidiError&) {
        }
    }
    return ports;
}

// One with ports before one without; a JACK client without a server counts none.
template <class Port>
std::unique_ptr<Port> best_of(std::vector<std::unique_ptr<Port>> ports) {
    const QuietStderr quiet;
    for (auto& port : ports)
        if (port->getPortCount() > 0) return std::move(port);
    return ports.empty() ? nullptr : std::move(ports.front());
}

template <class Port>
std::unique_ptr<Port> make_port() {
    return best_of(make_ports<Port>());
}

std::vector<NamedItem> ports_of(RtMidi& port) {
    const QuietStderr quiet;
    std::vector<NamedItem> names;
    const unsigned count = port.getPortCount();
    for (unsigned i = 0; i < count; ++i)
        names.push_back({static_cast<int>(i), port.getPortName(i)});
    return names;
}

template <class Port>
std::vector<std::string> list_ports() {
    std::vector<std::string> names;
    if (auto port = make_port<Port>())
        for (auto& item : ports_of(*port))
            names.push_back(std::move(item.name));
    return names;
}

Status no_midi(const std::string& kind) {
    return {Code::no_device, "no MIDI " + kind + " was found", "it was not opened",
            "connect one, or start a MIDI system (ALSA sequencer, JACK)"};
}

// Opens `wanted`, or a port of our own where `own`. Returns its name.
template <class Port>
Result<std::string> connect(Port* port, const std::string& wanted, bool own, const std::string& kind) {
    if (!port) return no_midi(kind);
    const QuietStderr quiet;
    try {
        if (own) {
            port->openVirtualPort(wanted);
            return wanted;
        }
        const auto names = ports_of(*port);
        if (names.empty()) return no_midi(kind);
        const auto number = match_name(wanted, names, "MIDI " + kind);
        if (!number) return number.status();
        port->openPort(static_cast<unsigned>(*number), "in");
        if (!port->isPortOpen())
            return Status{Code::device_failed, wanted + ": cannot be opened", "no MIDI comes through it",
                          "see whether another program holds it"};
        return names[static_cast<std::size_t>(*number)].name;
    } catch (const RtMidiError& error) {
        return Status{Code::device_failed, wanted + ": " + error.getMessage(), "no MIDI comes through it",
                      "see whether another program holds it"};
    }
}

} // namespace

std::vector<std::string> list_midi_inputs() {
    return list_ports<RtMidiIn>();
}
std::vector<std::string> list_midi_outputs() {
    return list_ports<RtMidiOut>();
}

bool has_virtual_midi() {
    auto port = make_port<RtMidiIn>();
    if (!port) return false;
    const QuietStderr quiet;
    try {
        port->openVirtualPort("probe");
        // JACK without a server makes a port that nobody sees.
        auto other = make_port<RtMidiOut>();
        if (!other) return false;
        const auto names = ports_of(*other);
        return std::any_of(names.begin(), names.end(),
                           [](const auto& item) { return item.name.find("probe") != std::string::npos; });
    } catch (const RtMidiError&) {
        return false;
    }
}

struct MidiInput::Impl {
    std::string name;
    MidiHandler handler;
    bool own = false;
    std::unique_ptr<RtMidiIn> port; // last: its thread ends before the handler does

    static void on_message(double, std::vector<unsigned char>* bytes, void* self) {
        const auto now = std::chrono::steady_clock::now();
        auto& impl = *static_cast<Impl*>(self);
        if (bytes && !bytes->empty()) impl.handler({bytes->data(), bytes->size()}, now);
    }
    static Result<std::unique_ptr<Impl>> make(const std::string& wanted, MidiHandler handler, bool own) {
        auto impl = std::make_unique<Impl>();
        impl->handler = std::move(handler);
        impl->own = own;
        impl->port = make_port<RtMidiIn>();
        if (impl->port) {
            impl->port->ignoreTypes(false, false, true); // system exclusive and clock, no active sensing
            impl->port->setCallback(on_message, impl.get());
        }
        auto name = connect(impl->port.get(), wanted, own, "input");
        if (!name) return name.status();
        impl->name = *name;
        return impl;
    }
};

Result<MidiInput> MidiInput::open(const std::string& port, MidiHandler handler) {
    auto impl = Impl::make(port, std::move(handler), false);
    if (!impl) return impl.status();
    return MidiInput(std::move(*impl));
}
Result<MidiInput> MidiInput::open_virtual(const std::string& name, MidiHandler handler) {
    auto impl = Impl::make(name, std::move(handler), true);
    if (!impl) return impl.status();
    return MidiInput(std::move(*impl));
}

MidiInput::MidiInput(std::unique_ptr<Impl> impl) noexcept : m_impl(std::move(impl)) {}
MidiInput::MidiInput(MidiInput&&) noexcept = default;
MidiInput& MidiInput::operator=(MidiInput&&) noexcept = default;
MidiInput::~MidiInput() {
    const QuietStderr quiet;
    m_impl.reset();
}

const std::string& MidiInput::name() const noexcept {
    return m_impl->name;
}
bool MidiInput::connected() const {
    if (m_impl->own) return true;
    const auto names = ports_of(*m_impl->port);
    return std::any_of(names.begin(), names.end(), [&](const auto& item) { return item.name == m_impl->name; });
}

struct MidiOutput::Impl {
    std::string name;
    std::unique_ptr<RtMidiOut> port;
};

Result<MidiOutput> MidiOutput::open(const std::string& port) {
    auto impl = std::make_unique<Impl>();
    impl->port = make_port<RtMidiOut>();
    auto name = connect(impl->port.get(), port, false, "output");
    if (!name) return name.status();
    impl->name = *name;
    return MidiOutput(std::move(impl));
}
Result<MidiOutput> MidiOutput::open_virtual(const std::string& name) {
    auto impl = std::make_unique<Impl>();
    impl->port = make_port<RtMidiOut>();
    auto opened = connect(impl->port.get(), name, true, "output");
    if (!opened) return opened.status();
    impl->name = *opened;
    return MidiOutput(std::move(impl));
}

MidiOutput::MidiOutput(std::unique_ptr<Impl> impl) noexcept : m_impl(std::move(impl)) {}
MidiOutput::MidiOutput(MidiOutput&&) noexcept = default;
MidiOutput& MidiOutput::operator=(MidiOutput&&) noexcept = default;
MidiOutput::~MidiOutput() {
    const QuietStderr quiet;
    m_impl.reset();
}

Status MidiOutput::send(std::span<const std::uint8_t> message) {
    try {
        if (!message.empty()) m_impl->port->sendMessage(message.data(), message.size());
        return {};
    } catch (const RtMidiError& error) {
        return {Code::device_failed, m_impl->name + ": " + error.getMessage(), "the message was not sent",
                "open the port again"};
    }
}

struct MidiInputs::Impl {
    std::string filter;
    MidiHandler handler;
    std::function<void(const std::string&, bool)> changed;
    // Made once: a JACK client that is opened anew after its server's end would take the older ones' memory from them.
    std::vector<std::unique_ptr<RtMidiIn>> listers = make_ports<RtMidiIn>();
    std::vector<MidiInput> open;

    std::vector<std::string> listed() {
        std::vector<std::string> names;
        for (const auto& lister : listers) {
            for (auto& item : ports_of(*lister))
                names.push_back(std::move(item.name));
            if (!names.empty()) break;
        }
        return names;
    }
};

MidiInputs::MidiInputs(std::string filter, MidiHandler handler, std::function<void(const std::string&, bool)> changed)
    : m_impl(std::make_unique<Impl>()) {
    m_impl->filter = std::move(filter);
    m_impl->handler = std::move(handler);
    m_impl->changed = std::move(changed);
    poll();
}
MidiInputs::~MidiInputs() {
    const QuietStderr quiet;
    m_impl.reset();
}

void MidiInputs::poll() {
    const auto names = m_impl->listed();
    const auto tell = [&](const std::string& name, bool appeared) {
        if (m_impl->changed) m_impl->changed(name, appeared);
    };
    for (auto port = m_impl->open.begin(); port != m_impl->open.end();) {
        if (std::find(names.begin(), names.end(), port->name()) != names.end()) {
            ++port;
            continue;
        }
        const std::string name = port->name();
        port = m_impl->open.erase(port);
        tell(name, false);
    }
    for (const auto& name : names) {
        if (name.find(m_impl->filter) == std::string::npos) continue;
        if (std::any_of(m_impl->open.begin(), m_impl->open.end(),
                        [&](const auto& port) { return port.name() == name; }))
            continue;
        auto port = MidiInput::open(name, m_impl->handler);
        if (!port) continue; // another program holds it; the next poll tries again
        m_impl->open.push_back(std::move(*port));
        tell(name, true);
    }
}

std::vector<std::string> MidiInputs::names() const {
    std::vector<std::string> names;
    for (const auto& port : m_impl->open)
        names.push_back(port.name());
    return names;
}

} // namespace tutti::io
