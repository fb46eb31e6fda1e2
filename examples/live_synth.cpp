// SPDX-License-Identifier: MIT
// A synth to play: MIDI in, sound out. With --null it plays itself a scale without a device, in no more time than it takes.
// See docs/examples/live_synth.md.
#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

#include <tutti/engine.h>

#include "io/audio_device.h"
#include "io/midi_port.h"

namespace {

// On the audio thread: nothing but the pull.
void give(void* user, float* const* out, int frames) noexcept {
    static_cast<tutti::Stream*>(user)->pull(out, frames);
}

int play_scale(tutti::Stream& stream, tutti::Sender& sender) {
    float left[480], right[480], *out[] = {left, right}, peak = 0.0f;
    for (int step = 0; step < 8; ++step) {
        const int key = 60 + "\0\2\4\5\7\11\13\14"[step];
        sender.post(tutti::Event::note_on(tutti::k_asap, 0, key, 0.7));
        for (int block = 0; block < 25; ++block) {
            stream.pull(out, 480);
            for (const float sample : left)
                peak = sample > peak ? sample : peak;
        }
        sender.post(tutti::Event::note_off(tutti::k_asap, 0, key));
    }
    std::printf("a scale, peak %.2f\n", static_cast<double>(peak));
    return peak > 0.01f ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
    const bool null = argc > 1 && std::strcmp(argv[1], "--null") == 0;
    const char* const port = argc > 1 && !null ? argv[1] : "0";
    auto engine = tutti::Engine::create().value();
    auto stream = engine->open({.soft_start = true}).value();
    if (!stream->set_patch(0, tutti::Patch::factory("soft-keys").value()).ok()) return 1;
    auto sender = stream->make_sender().value();
    if (null) return play_scale(*stream, sender);

    auto output = tutti::io::AudioOutput::open({.sample_rate = 48000.0}, give, stream.get());
    if (!output) {
        std::fprintf(stderr, "%s\n", output.status().message().c_str());
        return 3;
    }
    // The MIDI thread owns the sender from here on.
    auto input = tutti::io::MidiInput::open(port, [&](std::span<const std::uint8_t> m, auto) {
        if (m.size() >= 2)
            sender.post(tutti::Event::midi(stream->now(), 0, m[0] & 0xf0, m[1], m.size() > 2 ? m[2] : 0));
    });
    if (!input) std::fprintf(stderr, "%s\n", input.status().message().c_str());
    if (tutti::Status status = output->start(); !status) {
        std::fprintf(stderr, "%s\n", status.message().c_str());
        return 3;
    }
    std::printf("playing on %s; ends with the device, or with Ctrl-C\n", output->device().name.c_str());
    while (output->check().ok())
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
}
