// SPDX-License-Identifier: MIT
// What sound can go out of and MIDI come in by on this machine. See docs/examples/list_devices.md.
#include <cstdio>

#include "io/audio_device.h"
#include "io/midi_port.h"

int main() {
    const auto devices = tutti::io::list_output_devices();
    if (devices.empty()) std::printf("%s\n", tutti::io::no_output_device().message().c_str());
    for (const tutti::io::AudioDevice& device : devices)
        std::printf("%s%2d  %s (%s), %d channels, %.0f Hz\n", device.is_default ? "*" : " ", device.number,
                    device.name.c_str(), device.api.c_str(), device.channels, device.default_rate);
    const auto ports = tutti::io::list_midi_inputs();
    if (ports.empty()) std::printf("no MIDI input\n");
    for (const std::string& port : ports)
        std::printf("midi: %s\n", port.c_str());
}
