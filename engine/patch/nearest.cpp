// SPDX-License-Identifier: MIT
#include "engine/patch/nearest.h"

#include <algorithm>

namespace tutti::engine {
namespace {

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

} // namespace

int edit_distance(std::string_view a, std::string_view b) {
    // Words of a patch are short; a longer one is nobody's typing error.
    constexpr std::size_t k_longest = 64;
    a = a.substr(0, k_longest);
    b = b.substr(0, k_longest);
    std::vector<int> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        last[j] = static_cast<int>(j);
    for (std::size_t i = 1; i <= a.size(); ++i) {
        now[0] = static_cast<int>(i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const bool same = lower(a[i - 1]) == lower(b[j - 1]);
            now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
                now[j] = std::min(now[j], before[j - 2] + 1);
        }
        before.swap(last);
        last.swap(now);
    }
    return last[b.size()];
}

std::vector<std::string_view> nearest_names(std::string_view word, const std::vector<std::string_view>& names,
                                            int most) {
    std::vector<std::pair<int, std::string_view>> found;
    for (std::string_view name : names) {
        const int distance = edit_distance(word, name);
        const bool part = word.size() >= 3 && name.find(word) != std::string_view::npos;
        if (part || 2 * distance <= static_cast<int>(std::max<std::size_t>(word.size(), 2)))
            found.emplace_back(part ? std::min(distance, 1) : distance, name);
    }
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<std::string_view> result;
    for (const auto& [distance, name] : found)
        if (static_cast<int>(result.size()) < most) result.push_back(name);
    return result;
}

std::string suggestion(std::string_view word, const std::vector<std::string_view>& names, int most) {
    const std::vector<std::string_view> near = nearest_names(word, names, most);
    const std::vector<std::string_view>& list = near.empty() ? names : near;
    std::string text = near.empty() ? "give one of " : "did you mean ";
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (i > 0) text += near.empty() || i + 1 < list.size() ? ", " : " or ";
        text += near.empty() ? std::string(list[i]) : '"' + std::string(list[i]) + '"';
    }
    return near.empty() ? text : text + "?";
}

} // namespace tutti::engine
