// SPDX-License-Identifier: MIT
#include "io/name_match.h"

#include <algorithm>

namespace tutti::io {

namespace {

std::string lower(std::string text) {
    for (char& letter : text)
        if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter + 32);
    return text;
}

std::string quoted(const std::vector<NamedItem>& items) {
    std::string list;
    for (const auto& item : items)
        list += (list.empty() ? "" : ", ") + std::to_string(item.number) + " \"" + item.name + "\"";
    return list.empty() ? "there is none" : list;
}

} // namespace

Result<int> match_name(const std::string& wanted, const std::vector<NamedItem>& items, const std::string& kind) {
    if (!wanted.empty() && wanted.size() < 9 &&
        std::all_of(wanted.begin(), wanted.end(), [](char c) { return c >= '0' && c <= '9'; }))
        for (const auto& item : items)
            if (item.number == std::stoi(wanted)) return item.number;
    for (const auto& item : items)
        if (item.name == wanted) return item.number;
    std::vector<NamedItem> found;
    for (const auto& item : items)
        if (!wanted.empty() && lower(item.name).find(lower(wanted)) != std::string::npos) found.push_back(item);
    if (found.size() == 1) return found.front().number;
    if (found.empty())
        return Status{Code::not_found, "no " + kind + " is called \"" + wanted + "\"", "it was not opened",
                      "choose one of these: " + quoted(items)};
    return Status{Code::invalid_argument, "several are called \"" + wanted + "\"", "none was opened",
                  "choose one of these: " + quoted(found)};
}

} // namespace tutti::io
