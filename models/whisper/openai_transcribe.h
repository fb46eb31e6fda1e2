// SPDX-License-Identifier: MIT
// A whole recording the way openai/whisper transcribes it (transcribe.py): windows one after another, each beginning where the
// last one's words end, with the text so far as its prompt.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <models/whisper/features.h>
#include <models/whisper/generate.h>
#include <models/whisper/openai_decode.h>
#include <models/whisper/transcript.h>

namespace tutti::models {

struct OpenaiOptions {
    OpenaiDecodeOptions decode; // temperature, prompt and cancelled are set here
    bool detect_language = true;
    std::vector<double> temperatures{0.0, 0.2, 0.4, 0.6, 0.8, 1.0};
    std::optional<double> compression_ratio_threshold = 2.4;
    std::optional<double> logprob_threshold = -1.0;
    std::optional<double> no_speech_threshold = 0.6;
    bool condition_on_previous_text = true;
    std::string initial_prompt;
    bool carry_initial_prompt = false;
    bool word_timestamps = false;
    std::string prepend_punctuations = "\"'“¿([{-";
    std::string append_punctuations = "\"'.。,，!！?？:：”)]}、";
    std::vector<double> clip_timestamps{0.0}; // start, end, start, end ... in seconds; the last end may be left away
    std::optional<double> hallucination_silence_threshold;
    StageTimes* times = nullptr; // added to
    std::function<bool()> cancelled;
    std::function<void(const std::vector<TranscriptSegment>& segments, std::int64_t frames_done)> on_window;

    // What its command line passes: five beams, five samples. [any]
    static OpenaiOptions command_line();
};

// When cancelled, what was done stands in `document` all the same. `features` as MelExtent::openai has them. [worker]
Status transcribe_openai(const WhisperModel& model, const GenerationConfig& generation, const Tokenizer& tokenizer,
                         FeatureReader& features, const OpenaiOptions& options, TranscriptDocument& document);

// Gives the segments of one window their words, and mends what cannot be (timing.py). `columns` of the window hold sound. [worker]
Status add_openai_words(const WhisperModel& model, const GenerationConfig& generation, const Tokenizer& tokenizer,
                        const CrossMemory& memory, const std::vector<TokenId>& start, int columns, double last_speech_s,
                        const OpenaiOptions& options, const std::string& language,
                        std::vector<TranscriptSegment>& segments);

} // namespace tutti::models
