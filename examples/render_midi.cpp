// SPDX-License-Identifier: MIT
// A MIDI file becomes a sound file, program changes as factory patches. See docs/examples/render_midi.md.
#include <cstdio>
#include <vector>

#include <tutti/midi_player.h>

#include "io/audio_file.h"

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: render_midi SONG.mid OUT.wav\n");
        return 2;
    }
    auto file = tutti::MidiFile::load(argv[1]);
    if (!file) {
        std::fprintf(stderr, "%s\n", file.status().message().c_str());
        return 1;
    }
    auto engine = tutti::Engine::create().value();
    auto stream = engine->open({.mode = tutti::Mode::offline}).value();
    auto player = tutti::MidiPlayer::create(std::make_shared<tutti::MidiFile>(std::move(file).value()), stream);
    auto writer = tutti::io::AudioFileWriter::create(argv[2], {});
    if (!player || !writer) {
        std::fprintf(stderr, "%s\n", (player ? writer.status() : player.status()).message().c_str());
        return 1;
    }
    constexpr int k_block = 4096;
    std::vector<float> left(k_block), right(k_block);
    float* out[] = {left.data(), right.data()};
    // Two seconds behind the last event for what rings out.
    for (std::int64_t frame = 0; frame < player->end_frame() + 96000; frame += k_block) {
        if (tutti::Status status = player->post_until(frame + k_block); !status)
            std::fprintf(stderr, "%s\n", status.message().c_str());
        stream->pull(out, k_block);
        if (tutti::Status status = writer->write(out, k_block); !status) {
            std::fprintf(stderr, "%s\n", status.message().c_str());
            return 1;
        }
    }
    const float peak = writer->peak();
    if (!writer->close().ok()) return 1;
    std::printf("%s: %.1f s, peak %.2f\n", argv[2], static_cast<double>(stream->stats().frames) / 48000.0,
                static_cast<double>(peak));
    return peak > 0.01f ? 0 : 1;
}
