// SPDX-License-Identifier: MIT
#include <models/whisper/generate.h>

#include <algorithm>
#include <cmath>

namespace tutti::models {

LanguageGuess detect_language(const WhisperModel& model, const GenerationConfig& generation,
                              const CrossMemory& memory) {
    std::vector<float> scores(static_cast<std::size_t>(model.config().vocabulary));
    DecoderState state = model.start(1);
    const WhisperModel::Step step{generation.start, 0, &memory, scores.data()};
    model.step(state, {&step, 1});
    LanguageGuess guess;
    for (const auto& [name, id] : generation.languages)
        guess.logits.push_back(scores[static_cast<std::size_t>(id)]);
    if (!guess.logits.empty()) {
        const auto best = std::max_element(guess.logits.begin(), guess.logits.end());
        // The reference takes the lowest id among equals; the file may list them in another order.
        for (std::size_t i = 0; i < guess.logits.size(); ++i)
            if (guess.logits[i] == *best && (guess.id == 0 || generation.languages[i].second < guess.id))
                guess.id = generation.languages[i].second;
        guess.probabilities = guess.logits;
        log_softmax(guess.probabilities);
        for (float& p : guess.probabilities)
            p = std::exp(p);
    }
    if (const auto id = generation.no_speech()) {
        log_softmax(scores);
        guess.no_speech = std::exp(static_cast<double>(scores[static_cast<std::size_t>(*id)]));
    }
    return guess;
}

} // namespace tutti::models
