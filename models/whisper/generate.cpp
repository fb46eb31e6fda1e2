// SPDX-License-Identifier: MIT
// Over 400 lines: one window after another with its fallbacks; what the steps share would have to be handed around otherwise.
#include <models/whisper/generate.h>

#include <algorithm>
#include <cmath>

#include <models/whisper/align.h>
#include <models/whisper/search.h>
#include <models/whisper/stage_watch.h>

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

namespace {

Status refuse(const std::string& what, const std::string& remedy) {
    return Status(Code::invalid_argument, what, "nothing was transcribed", remedy);
}

struct Item {
    std::int64_t frames = 0;
    std::int64_t seek = 0;
    std::vector<TokenId> start; // start, language, task, no-timestamps
    std::vector<std::vector<TokenId>> history;
    bool condition = false;
    CrossMemory first; // of the first window, kept when the language was detected on it
    bool have_first = false;
};

// What token times need to know of the pass that gave an item its tokens.
struct TimedPass {
    std::size_t longest = 0;                   // tokens of its longest row
    std::vector<std::vector<float>> first_row; // SearchOptions::first_row
    bool beams = false;
};

// Times of one window's tokens, in seconds of the window. `columns` of it hold sound.
//
// The reference takes as many rows as the longest item of the batch has: rows of finished items are those of padding tokens, or
// with beams those of the batch's first row. They take part in the normalisation and in the path, so that the times of an item
// depend on its neighbours. `strict` does the same; otherwise each item has its own rows.
Result<std::vector<double>> window_token_times(const WhisperModel& model, const GenerationConfig& generation,
                                               const SearchItem& item, const std::vector<TokenId>& tokens,
                                               const TimedPass& pass, int columns, const GenerateOptions& options) {
    const std::size_t n = tokens.size();
    const std::size_t count = options.strict ? pass.longest : n;
    if (count < 2) return std::vector<double>(n);
    const std::size_t rows = count - 1, prompt = item.prompt.size();
    const auto heads = generation.alignment_heads.size(),
               positions = static_cast<std::size_t>(model.config().positions),
               width = static_cast<std::size_t>(columns);
    ListenItem heard{item.memory, item.prompt};
    const std::size_t own = pass.beams ? std::min(rows, n - 1) : rows;
    for (std::size_t r = 0; r < own; ++r)
        heard.tokens.push_back(r < n ? tokens[r] : generation.pad);
    const auto attention = listen(model, {heard}, generation.alignment_heads, false, options.cancelled);
    if (attention.empty())
        return Status(Code::cancelled, "transcription was cancelled", "what was done is kept", "start it again");
    std::vector<float> cut(heads * rows * width);
    for (std::size_t h = 0; h < heads; ++h)
        for (std::size_t r = 0; r < rows; ++r) {
            const auto from =
                r < own ? std::span(attention[0]).subspan((h * heard.tokens.size() + prompt + r) * positions, width)
                        : std::span(pass.first_row.at(r)).subspan(h * positions, width);
            std::copy(from.begin(), from.end(), cut.begin() + static_cast<std::ptrdiff_t>((h * rows + r) * width));
        }
    std::vector<double> times = token_times(std::move(cut), static_cast<int>(heads), static_cast<int>(rows), columns,
                                            model.config().median_filter_width);
    times.resize(n, times.back());
    return times;
}

} // namespace

Result<GenerateResult> generate(const WhisperModel& model, const GenerationConfig& generation,
                                const std::vector<ItemFeatures>& features, const GenerateOptions& options) {
    const auto mels = static_cast<std::int64_t>(model.config().mels);
    const std::int64_t window = 2 * static_cast<std::int64_t>(model.config().positions);
    const bool named = !options.languages.empty() || !options.task.empty();
    if (!generation.multilingual && named)
        return refuse("this checkpoint knows English only; a language or task was given",
                      "leave the language and the task away");
    if (options.languages.size() > 1 && options.languages.size() != features.size())
        return refuse("there are " + std::to_string(options.languages.size()) + " languages for " +
                          std::to_string(features.size()) + " items",
                      "give one for all, or one each");
    if (!generation.no_timestamps && (options.timestamps || options.no_speech_threshold))
        return refuse("this checkpoint has no no_timestamps_token_id",
                      "leave timestamps and the no-speech threshold away");
    for (double temperature : options.temperatures)
        if (temperature > 0.0 && !options.uniform)
            return refuse("a temperature above 0 needs random numbers", "give them");
    if (options.token_times && generation.alignment_heads.empty())
        return refuse("token times need alignment heads, and this checkpoint names none", "name some");
    bool timestamps = options.timestamps;
    for (const auto& item : features)
        if (item.frames > window && generation.no_timestamps) timestamps = true;

    StageTimes unwatched;
    StageTimes& times_of = options.times ? *options.times : unwatched;
    const auto listen_to = [&](const std::vector<float>& rows) {
        const StageWatch watch(times_of.encoder, "encoder");
        return model.remember(model.encode(rows));
    };
    Status unread;
    const auto window_of = [&](std::size_t i, std::int64_t seek, std::int64_t count) {
        const StageWatch watch(times_of.features, "features");
        std::vector<float> rows;
        if (Status status = features[i].read(seek, count, rows); !status) unread = status;
        // A last, shorter window is filled with zeros after the normalisation, as both references do.
        rows.resize(static_cast<std::size_t>(window * mels));
        return rows;
    };
    GenerateResult result;
    result.items.resize(features.size());
    std::vector<Item> items(features.size());
    for (std::size_t i = 0; i < features.size(); ++i) {
        Item& item = items[i];
        item.frames = features[i].frames;
        item.condition = options.condition_on_previous;
        if (options.condition_on_previous && !options.prompt.empty() && !options.prompt_for_all) {
            const bool marked = generation.previous && options.prompt.front() == *generation.previous;
            item.history.emplace_back(options.prompt.begin() + (marked ? 1 : 0), options.prompt.end());
        }
        item.start.push_back(generation.start);
        std::optional<TokenId> language;
        if (!options.languages.empty()) {
            language =
                generation.language_id(options.languages.size() == 1 ? options.languages[0] : options.languages[i]);
            if (!language)
                return refuse("this checkpoint does not know the language '" +
                                  options.languages[options.languages.size() == 1 ? 0 : i] + "'",
                              "give one of its languages");
        } else if (generation.multilingual && !generation.languages.empty() && item.frames > 0) {
            item.first = listen_to(window_of(i, 0, std::min(window, item.frames)));
            if (!unread) return unread;
            item.have_first = true;
            language = detect_language(model, generation, item.first).id;
        }
        if (language) item.start.push_back(*language);
        result.items[i].language = language;
        const std::string task = !options.task.empty() ? options.task : !options.languages.empty() ? "transcribe" : "";
        if (!task.empty()) {
            const auto id = generation.task_id(task);
            if (!id)
                return refuse("this checkpoint does not know the task '" + task + "'", "give transcribe or translate");
            item.start.push_back(*id);
        }
        if (!timestamps && generation.no_timestamps) item.start.push_back(*generation.no_timestamps);
    }

    int beams = options.beams;
    for (;;) {
        std::vector<std::size_t> active;
        if (options.skip_silence)
            for (std::size_t i = 0; i < items.size(); ++i) {
                const std::int64_t before = items[i].seek;
                items[i].seek = std::max(before, options.skip_silence(i, before));
                if (items[i].seek != before && options.on_window) options.on_window(i, {}, items[i].seek);
            }
        for (std::size_t i = 0; i < items.size(); ++i)
            if (items[i].seek < items[i].frames) active.push_back(i);
        if (active.empty()) break;
        std::vector<CrossMemory> memories;
        std::vector<SearchItem> all(active.size());
        std::vector<std::int64_t> counts;
        memories.reserve(active.size());
        bool any_condition = false, any_history = false;
        for (std::size_t i : active) {
            any_condition = any_condition || items[i].condition;
            any_history = any_history || !items[i].history.empty();
        }
        for (std::size_t a = 0; a < active.size(); ++a) {
            Item& item = items[active[a]];
            if (options.cancelled && options.cancelled())
                return Status(Code::cancelled, "transcription was cancelled", "what was done is kept",
                              "start it again");
            counts.push_back(std::min(window, item.frames - item.seek));
            if (item.seek == 0 && item.have_first)
                memories.push_back(std::move(item.first));
            else
                memories.push_back(listen_to(window_of(active[a], item.seek, counts.back())));
            if (!unread) return unread;
            // previous text
            std::vector<TokenId>& prompt = all[a].prompt;
            if (any_condition && any_history) {
                std::vector<TokenId> text;
                if (item.condition)
                    for (const auto& segment : item.history) {
                        const bool doubled = segment.size() > 2 && generation.no_timestamps &&
                                             segment[segment.size() - 1] >= generation.timestamp_begin() &&
                                             segment[segment.size() - 2] >= generation.timestamp_begin();
                        text.insert(text.end(), segment.begin(), segment.end() - (doubled ? 1 : 0));
                    }
                const auto most = static_cast<std::size_t>(model.config().target_positions / 2 - 1);
                if (text.size() > most) text.erase(text.begin(), text.end() - static_cast<std::ptrdiff_t>(most));
                if (!options.prompt.empty() && options.prompt_for_all)
                    prompt = options.prompt;
                else if (generation.previous)
                    prompt.push_back(*generation.previous);
                prompt.insert(prompt.end(), text.begin(), text.end());
            } else if (!options.prompt.empty()) {
                prompt = options.prompt;
            }
            prompt.insert(prompt.end(), item.start.begin(), item.start.end());
            if (static_cast<int>(prompt.size()) + options.max_new_tokens.value_or(1) > model.config().target_positions)
                return refuse("a prompt of " + std::to_string(prompt.size()) + " tokens and " +
                                  std::to_string(options.max_new_tokens.value_or(1)) + " new ones do not fit into " +
                                  std::to_string(model.config().target_positions),
                              "ask for fewer new tokens or give a shorter prompt");
        }
        for (std::size_t a = 0; a < active.size(); ++a)
            all[a].memory = &memories[a];

        // Fallback: the items that fail a test are searched again at the next temperature.
        std::vector<SearchRow> kept(active.size());
        std::vector<double> kept_temperature(active.size());
        std::vector<double> kept_ratio(active.size());
        std::vector<TimedPass> kept_pass(active.size());
        std::vector<char> skip(active.size());       // strict: indexed by the place in the pass
        std::vector<double> no_speech;               // of this window's items, from the first pass
        std::vector<std::size_t> map(active.size()); // place in the pass -> place in the window
        for (std::size_t a = 0; a < map.size(); ++a)
            map[a] = a;
        for (std::size_t t = 0; t < options.temperatures.size(); ++t) {
            const double temperature = options.temperatures[t];
            if (temperature > 0.0) beams = 1; // and they stay off for the windows after this one
            std::vector<SearchItem> batch;
            std::size_t longest = 0;
            for (std::size_t place : map) {
                batch.push_back(all[place]);
                longest = std::max(longest, all[place].prompt.size());
            }
            SearchPass pass;
            SearchOptions how;
            how.timestamps = timestamps;
            how.beams = beams;
            how.length_penalty = options.length_penalty;
            how.early_stopping = options.early_stopping;
            how.temperature = temperature;
            how.top_k = options.top_k;
            how.strict = options.strict;
            how.uniform = &options.uniform;
            how.cancelled = &options.cancelled;
            how.draw_rows = &pass.draw_rows;
            TimedPass timed;
            timed.beams = beams > 1;
            if (options.token_times && options.strict && timed.beams) {
                how.heads = generation.alignment_heads;
                how.first_row = &timed.first_row;
            }
            const int room =
                std::min<int>(generation.max_length + static_cast<int>(std::min<std::size_t>(223, longest - 1)),
                              model.config().target_positions);
            how.limit = options.max_new_tokens ? *options.max_new_tokens : room - static_cast<int>(longest);
            std::vector<SearchRow> rows;
            {
                const StageWatch watch(times_of.decoder, "decoder");
                rows = search(model, generation, batch, how);
            }
            if (rows.empty())
                return Status(Code::cancelled, "transcription was cancelled", "what was done is kept",
                              "start it again");
            pass.sampled = temperature > 0.0;
            pass.temperature = pass.sampled ? temperature : 1.0;
            pass.beams = beams;
            for (const SearchItem& item : batch)
                pass.prompts.push_back(item.prompt);
            for (const SearchRow& row : rows) {
                timed.longest = std::max(timed.longest, row.tokens.size());
                pass.generated.push_back(row.tokens);
                if (beams > 1) pass.scores.push_back(row.score);
            }
            result.passes.push_back(std::move(pass));
            if (t == 0)
                for (const SearchRow& row : rows)
                    no_speech.push_back(row.no_speech);
            std::vector<std::size_t> again;
            for (std::size_t r = 0; r < rows.size(); ++r) {
                const std::size_t place = map[r];
                SearchDecision decision;
                decision.row = static_cast<int>(r);
                decision.temperature = temperature;
                decision.tokens = rows[r].tokens;
                decision.compression_ratio = compression_ratio_of_ids(rows[r].tokens, model.config().vocabulary);
                decision.average_logprob = rows[r].average_logprob;
                decision.no_speech = no_speech;
                if (options.compression_ratio_threshold &&
                    decision.compression_ratio > *options.compression_ratio_threshold)
                    decision.fallback = true;
                if (options.logprob_threshold && decision.average_logprob < *options.logprob_threshold)
                    decision.fallback = true;
                const std::size_t own = options.strict ? r : place;
                skip[own] = 0;
                if (options.no_speech_threshold && options.logprob_threshold &&
                    decision.average_logprob < *options.logprob_threshold &&
                    no_speech[own] > *options.no_speech_threshold) {
                    decision.fallback = false;
                    skip[own] = 1;
                }
                decision.skip = skip[own] != 0;
                kept_ratio[place] = decision.compression_ratio;
                kept_temperature[place] = temperature;
                kept[place] = std::move(rows[r]);
                if (options.token_times) kept_pass[place] = timed;
                items[active[place]].condition = options.condition_on_previous && temperature < 0.5;
                if (decision.fallback) again.push_back(place);
                result.decisions.push_back(std::move(decision));
            }
            map = std::move(again);
            if (map.empty()) break;
        }

        for (std::size_t a = 0; a < active.size(); ++a) {
            Item& item = items[active[a]];
            if (skip[a]) {
                item.seek += counts[a];
                if (options.on_window) options.on_window(active[a], {}, item.seek);
                continue;
            }
            std::vector<TokenId> tokens = std::move(kept[a].tokens);
            std::vector<double> times;
            if (options.token_times && !tokens.empty()) {
                const std::int64_t left =
                    (options.sound_frames.empty() ? item.frames : options.sound_frames.at(active[a])) - item.seek;
                std::int64_t columns = left >= 0 ? left / 2 : -((1 - left) / 2); // rounded down
                // Past the sound the reference's count is negative, which Python takes from the end.
                if (columns < 0) columns = options.strict ? columns + model.config().positions : 0;
                columns = std::clamp<std::int64_t>(columns, 0, model.config().positions);
                const StageWatch watch(times_of.alignment, "alignment");
                auto found = window_token_times(model, generation, all[a], tokens, kept_pass[a],
                                                static_cast<int>(columns), options);
                if (!found) return found.status();
                times = std::move(found).value();
            }
            if (!tokens.empty() && tokens.back() == generation.eos) tokens.pop_back();
            // Without timestamps every id counts as text: the whole window is one segment.
            WindowSegments cut;
            if (generation.no_timestamps) {
                cut = cut_segments(tokens, generation.timestamp_begin(), counts[a],
                                   static_cast<double>(item.seek) * 0.01);
            } else {
                cut.segments.push_back(
                    {static_cast<double>(item.seek) * 0.01, static_cast<double>(item.seek + counts[a]) * 0.01, tokens});
                cut.advance = counts[a];
            }
            const std::int64_t window_start = item.seek;
            item.seek +=
                cut.advance > 0 ? cut.advance : counts[a]; // a window that says it ends where it begins would never end
            const std::size_t segments_before = result.items[active[a]].segments.size();
            std::size_t from = 0; // the segments follow each other in the window's tokens
            for (Segment& segment : cut.segments) {
                item.history.push_back(segment.tokens);
                auto& out = result.items[active[a]];
                out.tokens.insert(out.tokens.end(), segment.tokens.begin(), segment.tokens.end());
                TimedSegment one;
                const std::size_t to = from + segment.tokens.size();
                for (std::size_t k = from; k < std::min(to, times.size()); ++k)
                    one.token_times.push_back(times[k] + static_cast<double>(window_start) * 0.01);
                // The reference joins the times of several windows without their windows' starts.
                for (double time : one.token_times)
                    out.token_times.push_back(options.strict ? time - static_cast<double>(window_start) * 0.01 : time);
                for (std::size_t k = from; k < std::min(to, kept[a].logprobs.size()); ++k)
                    one.token_logprobs.push_back(kept[a].logprobs[k]);
                from = to;
                one.segment = std::move(segment);
                one.temperature = kept_temperature[a];
                one.average_logprob = kept[a].average_logprob;
                one.no_speech = no_speech[a];
                one.compression_ratio = kept_ratio[a];
                one.seek = window_start;
                out.segments.push_back(std::move(one));
            }
            if (options.on_window) {
                const auto& all_segments = result.items[active[a]].segments;
                options.on_window(
                    active[a],
                    {all_segments.begin() + static_cast<std::ptrdiff_t>(segments_before), all_segments.end()},
                    item.seek);
            }
        }
    }
    return result;
}

Result<GenerateResult> generate(const WhisperModel& model, const GenerationConfig& generation,
                                const std::vector<std::vector<float>>& features, const GenerateOptions& options) {
    const auto mels = static_cast<std::int64_t>(model.config().mels);
    std::vector<ItemFeatures> items;
    for (const std::vector<float>& all : features)
        items.push_back({static_cast<std::int64_t>(all.size()) / mels,
                         [&all, mels](std::int64_t from, std::int64_t count, std::vector<float>& rows) {
                             rows.assign(all.begin() + static_cast<std::ptrdiff_t>(from * mels),
                                         all.begin() + static_cast<std::ptrdiff_t>((from + count) * mels));
                             return Status();
                         }});
    return generate(model, generation, items, options);
}

} // namespace tutti::models
