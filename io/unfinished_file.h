// SPDX-License-Identifier: MIT
// A file that has its name only once it is complete.
#pragma once

#include <filesystem>

#include <tutti/status.h>

namespace tutti::io {

// Holds a new, empty, writable file beside its target. Removed by discard(), by the destructor, and by
// remove_unfinished_files(); keep() gives it the target's name in one step. Pipes and devices are written in place.
class UnfinishedFile {
public:
    // Errors: file_unwritable. [control]
    static Result<UnfinishedFile> create(const std::filesystem::path& target);

    UnfinishedFile() = default;
    UnfinishedFile(UnfinishedFile&& other) noexcept;
    UnfinishedFile& operator=(UnfinishedFile&& other) noexcept;
    ~UnfinishedFile();

    const std::filesystem::path& path() const noexcept { return m_path; } // to write to [control]
    bool in_place() const noexcept { return m_in_place; }                 // a pipe or device [control]
    Status keep();                                                        // [control]
    void discard() noexcept;                                              // [control]

private:
    std::filesystem::path m_target;
    std::filesystem::path m_path;
    bool m_in_place = false;
    int m_slot = -1; // in the list that a signal handler may read
};

} // namespace tutti::io
