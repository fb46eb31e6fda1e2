// SPDX-License-Identifier: MIT
#include <models/whisper/segments.h>

namespace tutti::models {

WindowSegments cut_segments(std::span<const TokenId> tokens, TokenId begin, std::int64_t frames, double offset_s) {
    constexpr double k_step = 0.02;
    const auto is_time = [&](std::size_t i) { return tokens[i] >= begin; };
    const auto seconds = [&](TokenId id) { return offset_s + static_cast<double>(id - begin) * k_step; };
    const std::size_t n = tokens.size();
    const bool single_end = n >= 2 && !is_time(n - 2) && is_time(n - 1);
    std::vector<std::size_t> cuts; // first index after each slice
    for (std::size_t i = 1; i < n; ++i)
        if (is_time(i) && is_time(i - 1)) cuts.push_back(i);

    WindowSegments out;
    out.advance = frames;
    if (cuts.empty()) {
        TokenId last = begin;
        for (std::size_t i = 0; i < n; ++i)
            if (is_time(i)) last = tokens[i];
        const double end =
            last != begin ? static_cast<double>(last - begin) * k_step : static_cast<double>(frames / 2) * k_step;
        out.segments.push_back({offset_s, offset_s + end, {tokens.begin(), tokens.end()}});
        return out;
    }
    if (single_end)
        cuts.push_back(n);
    else
        cuts.back() += 1; // the last slice keeps both of its closing timestamps; later tokens wait for the next window
    std::size_t from = 0;
    for (std::size_t i = 0; i < cuts.size(); ++i) {
        const std::size_t to = cuts[i];
        const bool extended = !single_end && i + 1 == cuts.size();
        const TokenId closing = tokens[to - (extended ? 2 : 1)];
        out.segments.push_back(
            {seconds(tokens[from]),
             seconds(closing),
             {tokens.begin() + static_cast<std::ptrdiff_t>(from), tokens.begin() + static_cast<std::ptrdiff_t>(to)}});
        from = to;
    }
    if (!single_end) out.advance = 2 * static_cast<std::int64_t>(tokens[from - 2] - begin);
    return out;
}

} // namespace tutti::models
