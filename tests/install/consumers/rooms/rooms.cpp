// SPDX-License-Identifier: MIT
#include <cstdio>

#include <tutti/engine.h>
#ifdef HAS_io
#include "io/audio_file.h"
#endif
#ifdef HAS_models
#include "models/tokenizer/tokenizer.h"
#endif
#ifdef HAS_gpu
#include "gpu/batch/voice_batch.h"
#include "gpu/discovery.h"
#endif

int main() {
#ifdef HAS_io
    auto writer = tutti::io::AudioFileWriter::create("note.wav", {});
    const float silence[64] = {}, *channels[] = {silence, silence};
    if (!writer || !writer->write(channels, 64).ok() || !writer->close().ok()) return 1;
    if (tutti::io::load_audio("note.wav").value().frames() != 64) return 1;
#endif
#ifdef HAS_gpu
    if (!tutti::gpu::VoiceBatch::make("torchsynth_voice", 16, 44100.0, 1)) return 1;
    std::puts(tutti::gpu::discover({}).chosen.c_str());
#endif
    std::puts(tutti::Engine::create().value()->backend());
}
