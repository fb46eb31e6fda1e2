// SPDX-License-Identifier: MIT
// What a user of the io component compiles: half a second of a factory patch to the sound file that is named.
#include <vector>

#include <tutti/engine.h>

#include "io/audio_file.h"

int main(int count, char** words) {
    if (count != 2) return 2;
    auto engine = tutti::Engine::create().value();
    auto stream = engine->open({.mode = tutti::Mode::offline}).value();
    if (!stream->set_patch(0, tutti::Patch::factory("soft-keys").value(), 0).ok()) return 1;
    auto sender = stream->make_sender().value();
    sender.post(tutti::Event::note_on(0, 0, 60, 0.8));
    std::vector<float> left(24000), right(24000);
    float* out[] = {left.data(), right.data()};
    for (int at = 0; at < 24000; at += 8000) {
        float* const part[] = {out[0] + at, out[1] + at};
        stream->pull(part, 8000);
    }
    auto file = tutti::io::AudioFileWriter::create(words[1], {});
    return file.ok() && file->write(out, left.size()).ok() && file->close().ok() ? 0 : 1;
}
