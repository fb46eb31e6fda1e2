// SPDX-License-Identifier: MIT
// A read-only file: read by position, or mapped. Reading is the way into the models: a file that shrinks meanwhile gives an
// error, where touching a mapped page of it would end the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include <tutti/status.h>

namespace tutti::models {

class MappedFile {
public:
    // Opens an ordinary file (no device, no pipe). [control] [worker]
    static Result<MappedFile> open(const std::filesystem::path& path);

    MappedFile(MappedFile&&) noexcept;
    MappedFile& operator=(MappedFile&&) noexcept;
    ~MappedFile();

    const std::filesystem::path& path() const noexcept;
    std::uint64_t bytes() const noexcept; // at opening

    // Copies [offset, offset + out.size()); `truncated` when the file no longer reaches that far. Thread-safe. [worker]
    Status read(std::uint64_t offset, std::span<std::byte> out) const;

    // The whole file in memory, mapped at the first call. Only for a file that has been proven whole (unchanged() after a
    // digest or a full read) and that nobody shortens while it is in use. [worker]
    Result<std::span<const std::byte>> map() const;

    // True while length and modification time are those of opening. [worker]
    bool unchanged() const noexcept;

    // Gives the pages of a mapped range back to the system (a hint). [worker]
    void release(std::uint64_t offset, std::uint64_t bytes) const noexcept;

private:
    struct State;
    explicit MappedFile(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace tutti::models
