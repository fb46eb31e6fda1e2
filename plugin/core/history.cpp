// SPDX-License-Identifier: MIT
#include "plugin/core/history.h"

namespace tutti::plugin {
namespace {
constexpr std::size_t k_steps = 200;
constexpr std::size_t k_bytes = 16u << 20;
} // namespace

void History::add(std::string name, std::string before, const std::string& after, bool merge) {
    if (before == after) return;
    m_steps.resize(m_at);
    if (merge && m_at > 0 && m_steps.back().name == name) {
        m_steps.back().after = after;
        return;
    }
    m_steps.push_back({std::move(name), std::move(before), after});
    m_at = m_steps.size();
    shrink();
}

void History::shrink() {
    std::size_t bytes = 0, keep = 0;
    while (keep < m_steps.size() && keep < k_steps) {
        const Step& step = m_steps[m_steps.size() - 1 - keep];
        bytes += step.before.size() + step.after.size();
        if (bytes > k_bytes && keep > 0) break;
        ++keep;
    }
    const std::size_t gone = m_steps.size() - keep;
    m_steps.erase(m_steps.begin(), m_steps.begin() + static_cast<std::ptrdiff_t>(gone));
    m_at -= gone;
}

const std::string& History::undo() {
    return m_steps[--m_at].before;
}
const std::string& History::redo() {
    return m_steps[m_at++].after;
}
void History::clear() noexcept {
    m_steps.clear();
    m_at = 0;
}

} // namespace tutti::plugin
