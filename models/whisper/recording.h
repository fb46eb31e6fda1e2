// SPDX-License-Identifier: MIT
// A recording of any length, read once or twice but never held as a whole, to a transcript: the ways of heartlib, transformers and
// openai/whisper behind one call.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <models/whisper/features.h>
#include <models/whisper/openai_transcribe.h>
#include <models/whisper/silence.h>
#include <models/whisper/transcribe.h>
#include <models/whisper/transcript.h>

namespace tutti::models {

enum class LongForm : std::uint8_t {
    chunked,    // 30 s chunks that overlap, as HeartTranscriptor does it; one pass
    sequential, // transformers' windows one after another; two passes
    openai,     // openai/whisper's; two passes
};

struct RecordingOptions {
    LongForm mode = LongForm::chunked;
    ChunkedOptions chunked = ChunkedOptions::heartlib(); // its `generate` also serves `sequential`
    OpenaiOptions openai = OpenaiOptions::command_line();
    bool segments = false; // wanted with times
    bool words = false;    // wanted with times
    bool vad = false;      // silence is not listened to
    // Lines of known lyrics: their words are found in the recording instead of being guessed.
    std::vector<std::string> lyrics;
    std::string language; // of the lyrics; empty: detected
    std::function<bool()> cancelled;
    std::function<void(double seconds_done)> progress;
};

struct RecordingReport {
    double seconds = 0.0; // of sound read
    StageTimes times;
    std::vector<std::string> languages;       // of each chunk, where they were detected
    std::vector<std::int64_t> unheard_lyrics; // indices of lyric words whose time is a guess between their neighbours'
    std::int64_t windows = 0;
    std::int64_t tokens = 0;
    std::int64_t silent_windows = 0; // left out by `vad`
};

// When it is cancelled or fails midway, what was done stands in `document`. [worker]
Status transcribe_recording(const Transcriber& transcriber, SampleSource& source, const RecordingOptions& options,
                            TranscriptDocument& document, RecordingReport& report);

// options.lyrics instead of guesses; see align_lyrics.cpp for how. [worker]
Status align_lyrics(const Transcriber& transcriber, SampleSource& source, const RecordingOptions& options,
                    TranscriptDocument& document, RecordingReport& report);

} // namespace tutti::models
