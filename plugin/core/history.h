// SPDX-License-Identifier: MIT
// Undo and redo over whole states: what the state was before each step, and the step's name.
#pragma once

#include <string>
#include <vector>

namespace tutti::plugin {

// Keeps the last 200 steps, and at most 16 MiB of them.
class History {
public:
    // `before` and `after` are states; equal ones are no step. What was undone before is gone. Steps of one name in a row with
    // `merge` are one. [control]
    void add(std::string name, std::string before, const std::string& after, bool merge = false);
    bool can_undo() const noexcept { return m_at > 0; }                                           // [any]
    bool can_redo() const noexcept { return m_at < m_steps.size(); }                              // [any]
    std::string undo_name() const { return can_undo() ? m_steps[m_at - 1].name : std::string(); } // [control]
    std::string redo_name() const { return can_redo() ? m_steps[m_at].name : std::string(); }     // [control]
    // The state to go to; only where can_undo() or can_redo(). [control]
    const std::string& undo();
    const std::string& redo();
    void clear() noexcept; // [control]

private:
    struct Step {
        std::string name;
        std::string before;
        std::string after;
    };
    void shrink();
    std::vector<Step> m_steps;
    std::size_t m_at = 0; // steps that are done
};

} // namespace tutti::plugin
