// SPDX-License-Identifier: MIT
#include <models/whisper/rules.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <models/tokenizer/utf8.h>
#include <zlib.h>

namespace tutti::models {
namespace {

constexpr float k_never = -std::numeric_limits<float>::infinity();

void forbid(std::span<float> scores, std::int64_t first, std::int64_t last) noexcept {
    const auto size = static_cast<std::int64_t>(scores.size());
    for (std::int64_t i = std::clamp<std::int64_t>(first, 0, size); i < std::clamp<std::int64_t>(last, 0, size); ++i)
        scores[static_cast<std::size_t>(i)] = k_never;
}

double log_sum_exp(std::span<const float> scores) noexcept {
    const float highest = scores.empty() ? k_never : *std::max_element(scores.begin(), scores.end());
    if (highest == k_never) return k_never;
    double sum = 0.0;
    for (float x : scores)
        sum += std::exp(static_cast<double>(x) - highest);
    return highest + std::log(sum);
}

double zlib_ratio(std::span<const unsigned char> bytes) {
    uLongf length = compressBound(static_cast<uLong>(bytes.size()));
    std::vector<unsigned char> out(length);
    if (compress2(out.data(), &length, bytes.data(), static_cast<uLong>(bytes.size()), Z_DEFAULT_COMPRESSION) != Z_OK)
        return 0.0;
    return static_cast<double>(bytes.size()) / static_cast<double>(length);
}

} // namespace

void log_softmax(std::span<float> scores) noexcept {
    const double sum = log_sum_exp(scores);
    for (float& x : scores)
        x = static_cast<float>(static_cast<double>(x) - sum);
}

void apply_timestamp_rules(std::span<float> scores, std::span<const TokenId> generated,
                           const TimestampRules& rules) noexcept {
    const TokenId begin = rules.begin();
    const auto is_time = [&](TokenId id) { return id >= begin; };
    forbid(scores, rules.no_timestamps, rules.no_timestamps + 1);
    const bool last_is_time = !generated.empty() && is_time(generated.back());
    const bool before_is_time = generated.size() < 2 || is_time(generated[generated.size() - 2]);
    if (last_is_time) {
        if (before_is_time)
            forbid(scores, begin, static_cast<std::int64_t>(scores.size())); // a pair is complete
        else
            forbid(scores, 0, rules.eos); // it must be completed
    }
    for (std::size_t i = generated.size(); i-- > 0;)
        if (is_time(generated[i])) { // times do not go back; only the second of a pair may repeat the first
            forbid(scores, begin, last_is_time && !before_is_time ? generated[i] : generated[i] + 1);
            break;
        }
    if (generated.empty()) {
        forbid(scores, 0, begin);
        if (rules.max_initial_index)
            forbid(scores, begin + *rules.max_initial_index + 1, static_cast<std::int64_t>(scores.size()));
    }
    // If time as a whole is likelier than any single word, it must be a time. Compared as FP32 log-probabilities.
    const auto split = std::min(scores.size(), static_cast<std::size_t>(std::max(begin, 0)));
    const double all = log_sum_exp(scores);
    const float times = static_cast<float>(log_sum_exp(scores.subspan(split)) - all);
    const float word =
        split == 0 ? k_never
                   : static_cast<float>(
                         *std::max_element(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(split)) - all);
    if (times > word) forbid(scores, 0, begin);
}

double compression_ratio_of_ids(std::span<const TokenId> ids, int vocabulary) {
    const int width = static_cast<int>(std::floor(std::log2(static_cast<double>(vocabulary)) / 8.0)) + 1;
    std::vector<unsigned char> bytes;
    for (TokenId id : ids)
        for (int i = 0; i < width; ++i)
            bytes.push_back(static_cast<unsigned char>(static_cast<std::uint32_t>(id) >> (8 * i)));
    return zlib_ratio(bytes);
}

double compression_ratio_of_text(std::string_view text) {
    text = strip(text);
    return zlib_ratio({reinterpret_cast<const unsigned char*>(text.data()), text.size()});
}

} // namespace tutti::models
