// SPDX-License-Identifier: MIT
// MIDI ports (RtMidi): which there are, messages in with their time, messages out, ports that come and go.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <tutti/status.h>

namespace tutti::io {

// One whole message, as MidiParser gives it, and when it arrived. Runs on the port's thread: short, no waiting.
using MidiHandler =
    std::function<void(std::span<const std::uint8_t> message, std::chrono::steady_clock::time_point time)>;

// The names of the ports that can be listened to, and of those that can be sent to; empty where there are none. [control]
std::vector<std::string> list_midi_inputs();
std::vector<std::string> list_midi_outputs();
// Whether this machine has a MIDI system that can make ports of our own (ALSA sequencer, JACK, CoreMIDI). [control]
bool has_virtual_midi();

class MidiInput {
public:
    // port: number, name or a part of the name. Errors: no_device (no port at all), not_found, device_failed. [control]
    static Result<MidiInput> open(const std::string& port, MidiHandler handler);
    // A port of our own that others connect to. [control]
    static Result<MidiInput> open_virtual(const std::string& name, MidiHandler handler);

    MidiInput(MidiInput&&) noexcept;
    MidiInput& operator=(MidiInput&&) noexcept;
    ~MidiInput(); // the handler does not run after this

    const std::string& name() const noexcept; // [any]
    // false once the port is no longer listed (unplugged): release what it holds. Looks it up. [control]
    bool connected() const;

private:
    struct Impl;
    explicit MidiInput(std::unique_ptr<Impl> impl) noexcept;
    std::unique_ptr<Impl> m_impl;
};

class MidiOutput {
public:
    // As MidiInput. [control]
    static Result<MidiOutput> open(const std::string& port);
    static Result<MidiOutput> open_virtual(const std::string& name);

    MidiOutput(MidiOutput&&) noexcept;
    MidiOutput& operator=(MidiOutput&&) noexcept;
    ~MidiOutput();

    // One whole message. Errors: device_failed. [control]
    Status send(std::span<const std::uint8_t> message);

private:
    struct Impl;
    explicit MidiOutput(std::unique_ptr<Impl> impl) noexcept;
    std::unique_ptr<Impl> m_impl;
};

// Listens to every input whose name holds `filter` ("": all), also those plugged in later. On JACK it is to be made anew once
// the server has ended; before that it sees none that comes.
class MidiInputs {
public:
    // `changed` is told each port that appears (true) and disappears (false), from poll(). [control]
    MidiInputs(std::string filter, MidiHandler handler,
               std::function<void(const std::string& port, bool appeared)> changed = {});
    ~MidiInputs();
    MidiInputs(const MidiInputs&) = delete;
    MidiInputs& operator=(const MidiInputs&) = delete;

    // Opens what is new, closes what is gone; once or twice a second is enough. [control]
    void poll();
    std::vector<std::string> names() const; // that are open [control]

private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

} // namespace tutti::io
