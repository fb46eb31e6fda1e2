// SPDX-License-Identifier: MIT
#include <models/whisper/gate.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>

#include <models/mel/mel.h>

namespace tutti::models {
namespace {

// Catmull-Rom between the samples: `speed` of 1.1 is a tenth faster (and higher).
std::vector<float> at_speed(std::span<const float> in, double speed) {
    const auto last = static_cast<std::int64_t>(in.size()) - 1;
    std::vector<float> out(static_cast<std::size_t>(static_cast<double>(in.size()) / speed));
    for (std::size_t i = 0; i < out.size(); ++i) {
        const double at = static_cast<double>(i) * speed;
        const auto index = static_cast<std::int64_t>(at);
        const auto t = static_cast<float>(at - static_cast<double>(index));
        const auto x = [&](std::int64_t j) {
            return in[static_cast<std::size_t>(std::clamp<std::int64_t>(j, 0, last))];
        };
        const float a = x(index - 1), b = x(index), c = x(index + 1), d = x(index + 2);
        out[i] = b + 0.5f * t * (c - a + t * (2.0f * a - 5.0f * b + 4.0f * c - d + t * (3.0f * (b - c) + d - a)));
    }
    return out;
}

std::vector<float> with_gain(std::vector<float> x, double decibels) {
    const auto gain = static_cast<float>(std::pow(10.0, decibels / 20.0));
    for (float& y : x)
        y = std::clamp(y * gain, -1.0f, 1.0f);
    return x;
}

std::vector<float> with_noise(std::vector<float> x, double decibels_below, std::uint32_t& random) {
    double square = 0.0;
    for (float y : x)
        square += static_cast<double>(y) * static_cast<double>(y);
    // A uniform number of -1..1 has a mean square of 1/3.
    const double level = std::sqrt(3.0 * square / std::max<double>(1.0, static_cast<double>(x.size()))) *
                         std::pow(10.0, -decibels_below / 20.0);
    for (float& y : x) {
        random = random * 1664525u + 1013904223u;
        y += static_cast<float>(level * (static_cast<double>(random >> 8) / 8388608.0 - 1.0));
    }
    return x;
}

} // namespace

std::vector<std::vector<float>> altered_versions(std::span<const float> recording, unsigned seed) {
    std::uint32_t random = seed;
    std::vector<std::vector<float>> all;
    if (recording.empty()) return all;
    for (double speed : {1.0, 1.06, 1.1, 0.94, 0.9}) {
        const std::vector<float> base =
            speed == 1.0 ? std::vector<float>(recording.begin(), recording.end()) : at_speed(recording, speed);
        all.push_back(base);
        all.push_back(with_noise(base, 20.0, random));
        all.push_back(with_gain(base, -20.0));
        if (speed != 1.0) continue;
        all.push_back(with_noise(base, 10.0, random));
        all.push_back(with_gain(base, -6.0));
        all.push_back(with_gain(base, 6.0));
        all.push_back(with_noise(with_gain(base, -20.0), 15.0, random));
    }
    return all;
}

std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> words(1);
    for (char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isspace(byte) != 0 || c == '-') { // "forty-two" and "forty two" are the same words
            if (!words.back().empty()) words.emplace_back();
        } else if (std::ispunct(byte) == 0) {
            words.back().push_back(static_cast<char>(std::tolower(byte)));
        }
    }
    if (words.back().empty()) words.pop_back();
    return words;
}

int word_distance(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    std::vector<int> row(b.size() + 1);
    for (std::size_t j = 0; j < row.size(); ++j)
        row[j] = static_cast<int>(j);
    for (std::size_t i = 0; i < a.size(); ++i) {
        int diagonal = row[0];
        row[0] = static_cast<int>(i) + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const int change = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({change, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

Result<std::vector<std::string>> hear(const Transcriber& transcriber, std::span<const std::vector<float>> recordings,
                                      const std::function<bool()>& cancelled) {
    constexpr std::size_t k_batch = 16;
    std::vector<std::string> texts;
    for (std::size_t first = 0; first < recordings.size(); first += k_batch) {
        std::vector<std::vector<float>> features;
        for (const auto& recording : recordings.subspan(first, std::min(k_batch, recordings.size() - first))) {
            auto one = whisper_features(transcriber.model().config().mels, recording, MelExtent::window);
            if (!one) return one.status();
            features.push_back(std::move(one).value());
        }
        GenerateOptions options;
        options.cancelled = cancelled;
        auto result = generate(transcriber.model(), transcriber.generation(), features, options);
        if (!result) return result.status();
        if (result->passes.empty()) return texts;
        for (auto ids : result->passes[0].generated) {
            if (!ids.empty() && ids.back() == transcriber.generation().eos) ids.pop_back();
            texts.push_back(transcriber.tokenizer().decode(ids, {true, false, false}));
        }
    }
    return texts;
}

GateReport compare_texts(std::span<const std::string> fp32, std::span<const std::string> narrow) {
    GateReport report;
    for (std::size_t i = 0; i < fp32.size(); ++i) {
        const auto wanted = words_of(fp32[i]);
        const auto got = words_of(i < narrow.size() ? narrow[i] : std::string());
        const int changed = word_distance(wanted, got);
        ++report.recordings;
        report.words += static_cast<int>(wanted.size());
        report.changed += changed;
        const double share =
            static_cast<double>(changed) / static_cast<double>(std::max<std::size_t>(1, wanted.size()));
        if (share > report.worst || report.worst_recording < 0) {
            report.worst = share;
            report.worst_recording = static_cast<int>(i);
        }
    }
    return report;
}

} // namespace tutti::models
